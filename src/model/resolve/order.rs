//! Stacks in an order in which each comes after what it needs.

use super::ResolveError;
use crate::model::preset::Stack;

/// Sorts `stacks` so that each comes after those named in its `after`; otherwise the preset's order stays.
pub(super) fn sort<'p>(stacks: &[&'p Stack]) -> Result<Vec<&'p Stack>, ResolveError> {
    let mut left: Vec<&Stack> = stacks.to_vec();
    let mut sorted: Vec<&Stack> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let ready = left.iter().position(|stack| {
            !stack
                .after
                .iter()
                .any(|need| left.iter().any(|other| &other.id == need))
        });
        let Some(ready) = ready else {
            let names: Vec<&str> = left.iter().map(|stack| stack.id.as_str()).collect();
            return Err(ResolveError::Cycle {
                stacks: names.join(", "),
            });
        };
        sorted.push(left.remove(ready));
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(id: &str, after: &[&str]) -> Stack {
        Stack {
            id: id.parse().unwrap(),
            title: id.to_owned(),
            role: "ui".parse().unwrap(),
            when: None,
            group: None,
            after: after.iter().map(|id| id.parse().unwrap()).collect(),
            images: Vec::new(),
            files: Vec::new(),
            file_sets: Vec::new(),
            step_sets: Vec::new(),
            ports: Vec::new(),
            services: Vec::new(),
            backups: Vec::new(),
            proofs: Vec::new(),
            steps: Vec::new(),
            yields: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn what_is_needed_comes_first_and_the_order_stays() {
        let stacks = [
            stack("application", &["worker", "head"]),
            stack("worker", &["head"]),
            stack("head", &[]),
            stack("other", &["gone"]),
        ];
        let sorted = sort(&stacks.iter().collect::<Vec<_>>()).unwrap();
        let ids: Vec<&str> = sorted.iter().map(|stack| stack.id.as_str()).collect();
        assert_eq!(ids, ["head", "worker", "application", "other"]);
    }

    #[test]
    fn a_cycle_is_refused() {
        let stacks = [stack("a", &["b"]), stack("b", &["a"]), stack("c", &[])];
        let error = sort(&stacks.iter().collect::<Vec<_>>()).unwrap_err();
        assert_eq!(error.to_string(), "stacks wait for each other: a, b");
    }
}
