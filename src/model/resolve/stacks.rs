//! Stacks on hosts: folders, rendered files, environment, ports, services and what is compared with the software's own words.

mod steps;

use std::sync::Arc;

use minijinja::Value;
use secrecy::SecretString;

use super::ResolveError;
use super::certificates::Made;
use super::order;
use super::scope::{Views, name_of};
use crate::model::deployment::{AnswerValue, Deployment};
use crate::model::ids::HostName;
use crate::model::preset::{Backup, Proof, QuestionKind, Stack, StackFile};
use crate::model::resolved::{PlacedConfirm, PlacedImage, PlacedStack, RenderedFile};
use crate::model::size;
use crate::model::template::{Assets, Kind, TemplateError};

/// The variables file of a stack.
const ENV_FILE: &str = ".env";

/// Places every stack that applies on every host of its role, in order of need.
pub(super) fn place(
    deployment: &Deployment,
    views: &Views,
    assets: &Arc<dyn Assets>,
    made: &Made,
) -> Result<Vec<PlacedStack>, ResolveError> {
    let mut active = Vec::new();
    for stack in &deployment.preset.parts.stacks {
        let applies = views.holds(&format!("stack.{}.when", stack.id), stack.when.as_deref())?;
        if applies && views.of_role(&stack.role).next().is_some() {
            active.push(stack);
        }
    }
    let sorted = order::sort(&active)?;
    let mut placed = Vec::new();
    for stack in &sorted {
        for (host, view) in views.of_role(&stack.role) {
            let placing = Placing {
                deployment,
                stack,
                host,
                views: in_stack(deployment, stack, views, (host, &view.value())),
                assets,
                made,
            };
            let after = sorted.iter().map(|other| &other.id);
            let after = after
                .filter(|id| stack.after.contains(id))
                .cloned()
                .collect();
            placed.push(PlacedStack {
                after,
                ..placing.place()?
            });
        }
    }
    Ok(placed)
}

/// Returns the name of the Compose project; volumes hang on it, so it never changes.
pub(super) fn project(deployment: &Deployment, stack: &Stack) -> String {
    format!("{}-{}", deployment.name, stack.id)
}

pub(super) fn folder(deployment: &Deployment, stack: &Stack) -> String {
    format!(
        "{}/{}/{}",
        deployment.base_folder, deployment.name, stack.id
    )
}

fn in_stack(
    deployment: &Deployment,
    stack: &Stack,
    views: &Views,
    (name, host): (&HostName, &Value),
) -> Views {
    let adopted = deployment.adopted(name, &stack.id).into_iter();
    let volumes = adopted.flat_map(|adopted| adopted.volumes.clone());
    let volumes = Value::from_pairs(volumes);
    views
        .with("host", host)
        .with("adopted_volumes", &volumes)
        .with("stack", &Value::from(stack.id.as_str()))
        .with("project", &Value::from(project(deployment, stack)))
        .with("folder", &Value::from(folder(deployment, stack)))
}

/// One stack going to one host.
struct Placing<'a> {
    deployment: &'a Deployment,
    stack: &'a Stack,
    host: &'a HostName,
    views: Views,
    assets: &'a Arc<dyn Assets>,
    made: &'a Made,
}

impl Placing<'_> {
    fn place(&self) -> Result<PlacedStack, ResolveError> {
        let mut files = Vec::new();
        let mut environment = Vec::new();
        for (number, file) in self.stack.files.iter().enumerate() {
            let entry = self.entry(&format!("files[{number}]"));
            if self.views.holds(&entry, file.when.as_deref())? {
                let (file, variables) = self.file(&entry, file)?;
                files.push(file);
                environment.extend(variables);
            }
        }
        Ok(PlacedStack {
            id: self.stack.id.clone(),
            title: self.stack.title.clone(),
            host: self.host.clone(),
            project: project(self.deployment, self.stack),
            folder: folder(self.deployment, self.stack),
            after: Vec::new(),
            images: self.images()?,
            files,
            environment,
            ports: self.ports()?,
            services: self.services()?,
            proofs: self.proofs()?,
            confirms: self.confirms()?,
            backups: self.backups()?,
            adopted: self.deployment.adopted(self.host, &self.stack.id).cloned(),
            steps: steps::placed(self)?,
        })
    }

    fn entry(&self, what: &str) -> String {
        format!("stack.{}.{what}", self.stack.id)
    }

    fn broken(&self, what: &str, reason: impl Into<String>) -> ResolveError {
        ResolveError::Preset {
            entry: self.entry(what),
            reason: reason.into(),
        }
    }

    fn file(
        &self,
        entry: &str,
        file: &StackFile,
    ) -> Result<(RenderedFile, Variables), ResolveError> {
        let sources = (&file.from, &file.from_answer, &file.from_certificate);
        let (path, text, variables) = match sources {
            (Some(from), None, None) => self.template(file, from)?,
            (None, Some(_), None) => self.operator_file(entry, file)?,
            (None, None, Some(id)) => self.made_file(entry, file, id)?,
            _ => {
                let reason = "it needs exactly one of `from`, `from-answer` and `from-certificate`";
                return Err(self.broken(entry, reason));
            }
        };
        let secret = text.real != text.masked;
        let mode = match &file.mode {
            Some(mode) => u32::from_str_radix(mode, 8).map_err(|_| {
                self.broken(
                    entry,
                    format!("`{mode}` is not a mode in octal, such as 0644"),
                )
            })?,
            None if secret || path == ENV_FILE => 0o600,
            None => 0o644,
        };
        if secret && mode & 0o077 != 0 {
            return Err(self.broken(
                entry,
                "it holds a secret and would be readable by others: give it the mode 0600",
            ));
        }
        Ok((
            RenderedFile {
                path,
                mode,
                content: text.real.into(),
                masked: text.masked,
                secret,
                reload: file.reload.clone(),
            },
            variables,
        ))
    }

    fn template(
        &self,
        file: &StackFile,
        from: &str,
    ) -> Result<(String, super::scope::Rendered, Variables), ResolveError> {
        let path = file
            .to
            .clone()
            .unwrap_or_else(|| from.rsplit('/').next().unwrap_or(from).to_owned());
        let source = self.assets.asset(from).ok_or_else(|| TemplateError {
            name: from.to_owned(),
            line: None,
            message: "there is no such file under `assets`".to_owned(),
        })?;
        let text = self.views.render(Kind::of(from), from, &source)?;
        let mut variables = Vec::new();
        if path == ENV_FILE {
            let meant = self.views.real.render_env(from, &source)?.variables;
            variables.extend(
                meant
                    .into_iter()
                    .map(|(name, value)| (name, SecretString::from(value))),
            );
        }
        Ok((path, text, variables))
    }

    fn operator_file(
        &self,
        entry: &str,
        file: &StackFile,
    ) -> Result<(String, super::scope::Rendered, Variables), ResolveError> {
        let id = file
            .from_answer
            .as_ref()
            .ok_or_else(|| self.broken(entry, "it names no question"))?;
        let Some(AnswerValue::Text(located)) = self.deployment.answers.get(id) else {
            return Err(self.broken(entry, format!("`{id}` has no answer that names a file")));
        };
        let path = file
            .to
            .clone()
            .ok_or_else(|| self.broken(entry, "`from-answer` needs `to`"))?;
        let real = self
            .assets
            .operator_file(located)
            .map_err(|reason| ResolveError::File {
                path: located.clone(),
                reason,
            })?;
        let question = self.deployment.preset.question(id);
        let is_key = question.is_some_and(|question| question.kind == QuestionKind::PrivateKey);
        let masked = if is_key { name_of(id) } else { real.clone() };
        Ok((path, super::scope::Rendered { real, masked }, Vec::new()))
    }

    /// A part of a certificate that is made.
    fn made_file(
        &self,
        entry: &str,
        file: &StackFile,
        id: &str,
    ) -> Result<(String, super::scope::Rendered, Variables), ResolveError> {
        let (Some(part), Some(path)) = (file.part, file.to.clone()) else {
            return Err(self.broken(entry, "`from-certificate` needs `part` and `to`"));
        };
        let issued = self.made.get(id);
        let issued = issued
            .ok_or_else(|| self.broken(entry, format!("certificate `{id}` does not apply")))?;
        let real = issued.part(part).to_owned();
        let masked = if part.is_secret() {
            format!("‹{id}›")
        } else {
            real.clone()
        };
        Ok((path, super::scope::Rendered { real, masked }, Vec::new()))
    }

    fn images(&self) -> Result<Vec<PlacedImage>, ResolveError> {
        let declared = &self.deployment.preset.parts.images;
        let mut images = Vec::new();
        for id in &self.stack.images {
            let image = declared
                .iter()
                .find(|image| &image.id == id)
                .ok_or_else(|| self.broken("images", format!("there is no image `{id}`")))?;
            // An image that does not apply has no reference.
            let Some(reference) = self.views.references.get(id) else {
                continue;
            };
            images.push(PlacedImage {
                id: id.clone(),
                reference: reference.clone(),
                unpacked: size::parse(&image.unpacked)
                    .map_err(|error| self.broken("images", error.to_string()))?,
                aliases: image.aliases.clone(),
                tag_endings: image.tag_endings.clone(),
            });
        }
        Ok(images)
    }

    fn ports(&self) -> Result<Vec<u16>, ResolveError> {
        let mut ports = Vec::new();
        for (number, template) in self.stack.ports.iter().enumerate() {
            let entry = self.entry(&format!("ports[{number}]"));
            let text = self.views.open(Kind::Text, &entry, template)?;
            if let Some((first, last)) = super::judge::port_range(&entry, &text)? {
                ports.extend(first..=last);
            }
        }
        Ok(ports)
    }

    fn services(&self) -> Result<Vec<crate::model::preset::Service>, ResolveError> {
        let mut services = Vec::new();
        for service in &self.stack.services {
            let entry = self.entry(&format!("service.{}", service.name));
            if self.views.holds(&entry, service.when.as_deref())? {
                services.push(service.clone());
            }
        }
        Ok(services)
    }

    fn backups(&self) -> Result<Vec<Backup>, ResolveError> {
        let mut backups = Vec::new();
        for backup in &self.stack.backups {
            let entry = self.entry(&format!("backup.{}", backup.service));
            if !self.views.holds(&entry, backup.when.as_deref())? {
                continue;
            }
            let program = backup.program.iter();
            let program = program.map(|template| self.views.open(Kind::Text, &entry, template));
            backups.push(Backup {
                when: None,
                program: program.collect::<Result<_, _>>()?,
                ..backup.clone()
            });
        }
        Ok(backups)
    }

    fn proofs(&self) -> Result<Vec<Proof>, ResolveError> {
        let mut proofs = Vec::new();
        for (number, proof) in self.stack.proofs.iter().enumerate() {
            let entry = self.entry(&format!("proof[{number}]"));
            if !self.views.holds(&entry, proof.when.as_deref())? {
                continue;
            }
            let open = |text: &String| self.views.open(Kind::Text, &entry, text);
            proofs.push(Proof {
                title: proof.title.clone(),
                when: None,
                run: proof.run.iter().map(open).collect::<Result<_, _>>()?,
                remedy: open(&proof.remedy)?,
            });
        }
        Ok(proofs)
    }

    fn confirms(&self) -> Result<Vec<PlacedConfirm>, ResolveError> {
        let mut confirms = Vec::new();
        for (name, yielded) in &self.stack.yields {
            let Some(confirm) = &yielded.confirm else {
                continue;
            };
            let entry = self.entry(&format!("yields.{name}.confirm"));
            let views = self.views.with("found", &Value::from("{found}"));
            confirms.push(PlacedConfirm {
                service: confirm.service.clone(),
                log: confirm.log.clone(),
                equals: views.open(Kind::Text, &entry, &confirm.equals)?,
                remedy: views.open(Kind::Text, &entry, &confirm.remedy)?,
            });
        }
        Ok(confirms)
    }
}

type Variables = Vec<(String, SecretString)>;
