//! What is saved: by a service that is there, in files whose names are plain.

use super::Problem;
use crate::model::preset::Stack;

/// Checks what a stack says of its backups.
pub(super) fn check(stack: &Stack, problems: &mut Vec<Problem>) {
    for (number, backup) in stack.backups.iter().enumerate() {
        let mut complain = |message: String| {
            let entry = format!("stack.{}.backup", stack.id);
            problems.push(Problem::new(entry, message));
        };
        let service = &backup.service;
        if !stack.services.iter().any(|own| own.name == *service) {
            complain(format!("there is no service `{service}`"));
        }
        let earlier = stack.backups.iter().take(number);
        if earlier.into_iter().any(|other| other.service == *service) {
            complain(format!("`{service}` has two: name all its parts in one"));
        }
        if backup.program.is_empty() || backup.parts.is_empty() {
            complain("it needs a `program` and `parts`".to_owned());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        for part in &backup.parts {
            if part.is_empty() || part.starts_with('-') || !part.chars().all(plain) {
                complain(format!(
                    "`{part}` is not a name of letters, digits and hyphens"
                ));
            }
        }
    }
}
