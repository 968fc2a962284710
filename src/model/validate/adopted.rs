//! What was set up by hand, as the answers name it: hosts, stacks and forms that there are, and names that Compose can have given.

use std::collections::BTreeSet;

use crate::model::answers::AnswersFile;
use crate::model::fault::Fault;
use crate::model::preset::Preset;

/// Holds every `[[adopted]]` against the hosts and the preset.
pub(super) fn check(file: &AnswersFile, preset: &Preset, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (number, adopted) in file.adopted.iter().enumerate() {
        let mut fault = |key: &str, message: String| {
            faults.push(Fault::new(format!("adopted[{number}].{key}"), message));
        };
        let stack = preset.stack(&adopted.stack);
        let host = file.hosts.iter().find(|host| host.name == adopted.host);
        match (host, stack) {
            (None, _) => fault("host", format!("there is no host `{}`", adopted.host)),
            (_, None) => fault(
                "stack",
                format!("`{}` has no stack `{}`", preset.id, adopted.stack),
            ),
            (Some(host), Some(stack)) if !host.roles.contains(&stack.role) => fault(
                "stack",
                format!(
                    "`{}` is not for host `{}`, which lacks the role `{}`",
                    stack.id, host.name, stack.role
                ),
            ),
            _ => {}
        }
        if preset
            .adopt(&adopted.form)
            .is_none_or(|form| form.stack != adopted.stack)
        {
            fault(
                "form",
                format!("the preset knows no `{}` for this stack", adopted.form),
            );
        }
        if !seen.insert((&adopted.host, &adopted.stack)) {
            fault("stack", "stands here twice for this host".to_owned());
        }
        for (key, name) in std::iter::once(("project", &adopted.project))
            .chain(adopted.volumes.values().map(|name| ("volumes", name)))
        {
            if !is_name(name) {
                fault(
                    key,
                    "must be a name of letters, digits, `_`, `.` and `-`".to_owned(),
                );
            }
        }
        for (key, path) in [
            ("folder", &adopted.folder),
            ("environment", &adopted.environment),
        ] {
            if !path.starts_with('/') || path.contains(['\n', '\r', '\0']) {
                fault(key, "must be a whole path".to_owned());
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}
