//! What the host runs: the tool in the stack's folder with a clean environment, and the mark that says how far it came.

use super::RunStep;
use super::taking::Taken;
use crate::engine::action::ActionError;
use crate::engine::action::place::quote;

/// Reads the variables named before `--` from standard input, a line each, and becomes the program behind it. Nothing of them is ever an argument.
const WITH_VARIABLES: &str = r#"while [ "$1" != -- ]; do IFS= read -r value || exit 64; export "$1=$value"; shift; done
shift
unset value
exec "$@" </dev/null"#;

/// Returns the script that brings it about.
pub(super) fn forth(
    step: &RunStep,
    taken: &Taken,
    fingerprint: &str,
) -> Result<String, ActionError> {
    let mut words = vec!["sh", "-c", WITH_VARIABLES, "sh"];
    words.extend(taken.names());
    words.push("--");
    words.extend(step.tool.run.iter().map(String::as_str));
    let line = step.compose.beside(&words)?;
    let mark = quote(&step.mark())?;
    // A mark that stands from before stays until there is a new one: it says for what the step was done last.
    Ok(format!(
        "umask 077\nmark={mark}\n[ -s \"$mark\" ] || echo begun >\"$mark\" || exit\n({line}) || exit\necho {fingerprint} >\"$mark.new\" && mv -f \"$mark.new\" \"$mark\"\n"
    ))
}

/// Returns the script that takes it back, as far as it is ours.
pub(super) fn back(step: &RunStep) -> Result<String, ActionError> {
    let mark = quote(&step.mark())?;
    let mut forget = format!("rm -f -- {mark}.new && rm -rf --");
    // The mark goes last, so that what was cut off is begun again.
    for path in step.keeps() {
        forget.push(' ');
        forget.push_str(&quote(&path)?);
    }
    forget.push('\n');
    if !step.created || step.tool.revert.is_empty() {
        return Ok(forget);
    }
    let words: Vec<&str> = step.tool.revert.iter().map(String::as_str).collect();
    let line = step.compose.beside(&words)?;
    Ok(format!("({line}) </dev/null || exit\n{forget}"))
}
