//! Where the files of stacks come from, and who takes them up.

use super::Problem;
use crate::model::preset::{Preset, Stack};

/// Files come from something that is there, and are taken up by something that can.
pub(super) fn check(preset: &Preset, stack: &Stack, problems: &mut Vec<Problem>) {
    let mut complain = |key: &str, message: String| {
        problems.push(Problem::new(format!("stack.{}.{key}", stack.id), message));
    };
    let ids = stack
        .files
        .iter()
        .filter_map(|file| file.from_answer.as_ref());
    for id in ids.filter(|id| preset.question(id).is_none()) {
        complain("files", format!("there is no question `{id}`"));
    }
    for id in &stack.file_sets {
        complain("file-sets", format!("there is no file set `{id}`"));
    }
    for file in &stack.files {
        if let Some(id) = &file.from_certificate
            && !preset.parts.certificates.iter().any(|made| made.id == *id)
        {
            complain("files", format!("there is no certificate `{id}`"));
        }
        let reloads = |name: &String| {
            let service = stack.services.iter().find(|service| service.name == *name);
            service.is_some_and(|service| !service.reload.is_empty())
        };
        if let Some(name) = file.reload.as_ref().filter(|name| !reloads(name)) {
            complain(
                "files",
                format!("there is no service `{name}` with a `reload`"),
            );
        }
    }
}
