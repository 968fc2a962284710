//! Templates and expressions of presets, rendered strictly and quoted for the kind of file they make.
//!
//! An undefined name is an error, also where Jinja would shrug it off. What a person typed enters as a value and is never read as a template again. The
//! kind of file decides how a value is written: as one quoted value of a `.env` line, as a JSON scalar in YAML, as one shell word in a script, as a literal in Python. A value that
//! the kind cannot carry is refused. Whether a file holds secrets is the caller's affair: it renders twice, with the secrets and with their names.

mod functions;
mod kind;
mod scope;

pub use kind::Kind;
pub use scope::{Assets, HostView, Scope};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::dotenv;
use super::failure::Hinted;

/// A template or expression that does not render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{name}`{}: {message}", line.map(|line| format!(" line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The template's name: a path under `assets/`, or the key of a preset.
    pub name: String,
    /// The line in the template.
    pub line: Option<usize>,
    /// What is wrong; no value of a secret.
    pub message: String,
}

impl Hinted for TemplateError {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A rendered `.env` file.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// The file's text, every value quoted.
    pub text: String,
    /// Each variable with the value that was meant.
    pub variables: Vec<(String, String)>,
}

impl Scope {
    /// Renders a template into text of its kind; for [`Kind::Env`] every value is quoted.
    ///
    /// # Errors
    /// Fails when the template is broken, a name is undefined, or a value cannot stand in this kind of file.
    pub fn render(&self, kind: Kind, name: &str, source: &str) -> Result<String, TemplateError> {
        if kind == Kind::Env {
            return Ok(self.render_env(name, source)?.text);
        }
        self.render_raw(kind, name, source)
    }

    /// Renders a `.env` template: the right side of each `NAME=` line becomes one value.
    ///
    /// # Errors
    /// As [`Self::render`]; also when a line is no comment, no blank and no `NAME=`.
    pub fn render_env(&self, name: &str, source: &str) -> Result<EnvFile, TemplateError> {
        let raw = self.render_raw(Kind::Env, name, source)?;
        let mut file = EnvFile {
            text: String::with_capacity(raw.len() * 2),
            variables: Vec::new(),
        };
        for line in raw.lines() {
            if line.trim().is_empty() || line.starts_with('#') {
                file.text.push_str(line);
            } else {
                let (variable, value) = split_env_line(name, line)?;
                let quoted = dotenv::quote(value).map_err(|reason| TemplateError {
                    name: name.to_owned(),
                    line: line_of(source, &format!("{variable}=")),
                    message: format!("the value of `{variable}` cannot be written: {reason}"),
                })?;
                file.text.extend([variable, "=", quoted.as_str()]);
                file.variables.push((variable.to_owned(), value.to_owned()));
            }
            file.text.push('\n');
        }
        Ok(file)
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// Fails when it is broken or a name in it is undefined.
    pub fn evaluate(&self, name: &str, expression: &str) -> Result<Value, TemplateError> {
        let environment = self.environment(Kind::Text);
        let error = |e: &minijinja::Error| explain(name, expression, e);
        let compiled = environment
            .compile_expression(expression)
            .map_err(|e| error(&e))?;
        self.refuse_unknown(
            name,
            expression,
            &environment,
            compiled.undeclared_variables(false),
        )?;
        let value = compiled.eval(self.context()).map_err(|e| error(&e))?;
        if value.is_undefined() {
            return Err(TemplateError {
                name: name.to_owned(),
                line: None,
                message: format!("`{expression}` is undefined"),
            });
        }
        Ok(value)
    }

    /// Returns whether an expression is true; none counts as true.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn holds(&self, name: &str, expression: Option<&str>) -> Result<bool, TemplateError> {
        expression.map_or(Ok(true), |expression| {
            Ok(self.evaluate(name, expression)?.is_true())
        })
    }

    /// Checks that a template can be read and names nothing unknown, without rendering it.
    ///
    /// # Errors
    /// Fails when it is broken or a name in it is undefined.
    pub fn compile(&self, kind: Kind, name: &str, source: &str) -> Result<(), TemplateError> {
        let environment = self.environment(kind);
        let template = environment
            .template_from_named_str(name, source)
            .map_err(|error| explain(name, source, &error))?;
        self.refuse_unknown(
            name,
            source,
            &environment,
            template.undeclared_variables(false),
        )
    }

    fn render_raw(&self, kind: Kind, name: &str, source: &str) -> Result<String, TemplateError> {
        let environment = self.environment(kind);
        let error = |e: &minijinja::Error| explain(name, source, e);
        let template = environment
            .template_from_named_str(name, source)
            .map_err(|e| error(&e))?;
        self.refuse_unknown(
            name,
            source,
            &environment,
            template.undeclared_variables(false),
        )?;
        template.render(self.context()).map_err(|e| error(&e))
    }

    fn environment(&self, kind: Kind) -> Environment<'_> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .unwrap_or_default(),
        );
        environment.set_debug(true);
        environment.set_formatter(move |out, _state, value| kind.write(out, value));
        if let Some(assets) = self.assets.clone() {
            // What `include` takes in is written by the rules of the file that it goes into.
            environment.set_loader(move |path| Ok(assets.asset(path)));
        }
        functions::add(&mut environment, self);
        environment
    }

    fn refuse_unknown(
        &self,
        name: &str,
        source: &str,
        environment: &Environment<'_>,
        used: impl IntoIterator<Item = String>,
    ) -> Result<(), TemplateError> {
        let mut unknown: Vec<String> = used
            .into_iter()
            .filter(|variable| {
                !self.has(variable) && !environment.globals().any(|(known, _)| known == variable)
            })
            .collect();
        unknown.sort();
        match unknown.first() {
            None => Ok(()),
            Some(variable) => Err(TemplateError {
                name: name.to_owned(),
                line: line_of(source, variable),
                message: format!("`{variable}` is not defined"),
            }),
        }
    }
}

fn split_env_line<'l>(name: &str, line: &'l str) -> Result<(&'l str, &'l str), TemplateError> {
    line.split_once('=')
        .filter(|(variable, _)| dotenv::is_variable_name(variable))
        .ok_or_else(|| TemplateError {
            name: name.to_owned(),
            line: None,
            message: "a line is neither blank, nor a comment, nor `NAME=value`".to_owned(),
        })
}

fn line_of(source: &str, word: &str) -> Option<usize> {
    source
        .lines()
        .position(|line| line.contains(word))
        .map(|at| at + 1)
}

/// Says what minijinja found wrong, with the part of the template it is about.
fn explain(name: &str, source: &str, error: &minijinja::Error) -> TemplateError {
    let part = error
        .range()
        .and_then(|range| source.get(range))
        .map(|part| part.lines().next().unwrap_or_default().trim().to_owned())
        .filter(|part| !part.is_empty());
    let mut message = match error.kind() {
        minijinja::ErrorKind::UndefinedError => "a name is not defined".to_owned(),
        kind => error
            .detail()
            .map_or_else(|| kind.to_string(), str::to_owned),
    };
    if let Some(part) = part {
        message = format!("{message}, at `{part}`");
    }
    TemplateError {
        name: name.to_owned(),
        line: error.line(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.set("name", Value::from("acme"));
        scope.set("nasty", Value::from("a: $b \"c\" {{ name }} # d"));
        scope.set("nothing", Value::from(()));
        scope.set("port", Value::from(3000));
        scope
    }

    #[rstest]
    #[case(Kind::Text, "{{ nasty }}", "a: $b \"c\" {{ name }} # d")]
    #[case(Kind::Yaml, "x: {{ nasty }}", r#"x: "a: $$b \"c\" {{ name }} # d""#)]
    #[case(Kind::Yaml, "x: {{ port }}", "x: 3000")]
    #[case(Kind::Yaml, "x: {{ ['$a', 1] }}", r#"x: ["$$a", 1]"#)]
    #[case(Kind::Json, "{{ nasty }}", r#""a: $b \"c\" {{ name }} # d""#)]
    #[case(
        Kind::Env,
        "A=x {{ nasty }}\n# note\n\n",
        "A='x a: $b \"c\" {{ name }} # d'\n# note\n\n"
    )]
    #[case(Kind::Conf, "listen {{ port }};", "listen 3000;")]
    #[case(
        Kind::Python,
        "x = {{ [nasty, 1, true] }}",
        r#"x = ["a: $b \"c\" {{ name }} # d", 1, True]"#
    )]
    #[case(Kind::Shell, "echo {{ nasty }}", "echo 'a: $b \"c\" {{ name }} # d'")]
    fn each_kind_quotes_in_its_way(
        #[case] kind: Kind,
        #[case] source: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(scope().render(kind, "t", source).unwrap(), expected);
    }

    #[rstest]
    #[case(Kind::Text, "a\n{{ nmae }}", Some(2), "`nmae` is not defined")]
    #[case(
        Kind::Text,
        "{% if nmae == 'x' %}y{% endif %}",
        Some(1),
        "`nmae` is not defined"
    )]
    #[case(Kind::Text, "a\nb {% if %}", Some(2), "expected")]
    #[case(Kind::Text, "{{ nothing }}", Some(1), "has no value")]
    #[case(
        Kind::Conf,
        "server_name {{ nasty }};",
        Some(1),
        "cannot stand in a configuration file"
    )]
    #[case(Kind::Env, "A={{ 'x\ny' }}", Some(1), "line break")]
    #[case(Kind::Env, "B=1\nA={{ 'x\\\\' }}", Some(2), "backslash")]
    #[case(Kind::Env, "A B=c", None, "neither blank")]
    fn what_is_wrong_is_said_with_its_line(
        #[case] kind: Kind,
        #[case] source: &str,
        #[case] line: Option<usize>,
        #[case] message: &str,
    ) {
        let error = scope().render(kind, "x/t.txt", source).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(error.line, line, "{error}");
        assert_eq!(error.name, "x/t.txt");
    }

    #[test]
    fn an_expression_with_an_unknown_name_is_refused_even_where_it_would_be_false() {
        let error = scope()
            .evaluate("q.when", "tlss == 'provided'")
            .unwrap_err();
        assert!(
            error.to_string().contains("`tlss` is not defined"),
            "{error}"
        );
        assert!(
            scope()
                .holds("q.when", Some("port == 3000 and not nothing"))
                .unwrap()
        );
        assert!(scope().holds("q.when", None).unwrap());
    }

    #[test]
    fn the_variables_of_an_env_file_are_known_as_meant() {
        let file = scope()
            .render_env("t.env", "A={{ port }}\nB=it's {{ name }}\n")
            .unwrap();
        assert_eq!(
            file.variables,
            [
                ("A".to_owned(), "3000".to_owned()),
                ("B".to_owned(), "it's acme".to_owned())
            ]
        );
        assert_eq!(dotenv::parse(&file.text), file.variables);
    }
}
