//! Runs jobs that need others, as many at a time as allowed; the first failure keeps new ones from starting.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A job: its name, and the names of those that must have ended before it starts.
pub(super) struct Job<T> {
    pub(super) name: &'static str,
    pub(super) after: Vec<&'static str>,
    pub(super) work: T,
}

struct State<T, E> {
    waiting: Vec<Job<T>>,
    running: BTreeSet<&'static str>,
    failure: Option<E>,
}

impl<T, E> State<T, E> {
    /// Takes the first job whose needs are met; a need that is not a job of this run is met.
    fn next(&mut self) -> Option<Job<T>> {
        let open: BTreeSet<&str> = self
            .waiting
            .iter()
            .map(|job| job.name)
            .chain(self.running.iter().copied())
            .collect();
        let position = self
            .waiting
            .iter()
            .position(|job| !job.after.iter().any(|name| open.contains(name)))?;
        let job = self.waiting.remove(position);
        self.running.insert(job.name);
        Some(job)
    }

    fn is_over(&self) -> bool {
        self.failure.is_some()
            || self.waiting.is_empty()
            || (self.running.is_empty() && self.is_stuck())
    }

    /// Jobs that wait for each other would wait for ever.
    fn is_stuck(&self) -> bool {
        self.waiting.iter().all(|job| {
            self.waiting
                .iter()
                .any(|other| job.after.contains(&other.name))
        })
    }
}

/// Runs all jobs, at most `width` at a time, in their order where their needs allow; returns the first failure.
pub(super) fn run<T: Send, E: Send>(
    jobs: Vec<Job<T>>,
    width: usize,
    work: impl Fn(T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let state = Mutex::new(State {
        waiting: jobs,
        running: BTreeSet::new(),
        failure: None,
    });
    let changed = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..width {
            scope.spawn(|| work_off(&state, &changed, &work));
        }
    });
    let ended = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.failure.map_or(Ok(()), Err)
}

fn work_off<T, E>(
    state: &Mutex<State<T, E>>,
    changed: &Condvar,
    work: &impl Fn(T) -> Result<(), E>,
) {
    let lock =
        || -> MutexGuard<'_, State<T, E>> { state.lock().unwrap_or_else(PoisonError::into_inner) };
    let mut held = lock();
    while !held.is_over() {
        let Some(job) = held.next() else {
            held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(held);
        let result = work(job.work);
        held = lock();
        held.running.remove(job.name);
        if let Err(error) = result {
            held.failure.get_or_insert(error);
        }
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &'static str, after: &[&'static str]) -> Job<&'static str> {
        Job {
            name,
            after: after.to_vec(),
            work: name,
        }
    }

    #[test]
    fn a_job_starts_after_its_needs() {
        let done = Mutex::new(Vec::new());
        let jobs = vec![
            job("c", &["a", "b"]),
            job("b", &["a"]),
            job("a", &["not one of ours"]),
            job("d", &[]),
        ];
        let result: Result<(), ()> = run(jobs, 2, |name| {
            done.lock().unwrap().push(name);
            Ok(())
        });
        assert_eq!(result, Ok(()));
        let done = done.into_inner().unwrap();
        let place = |name| done.iter().position(|other| *other == name).unwrap();
        assert_eq!(done.len(), 4);
        assert!(place("a") < place("b") && place("b") < place("c"));
    }

    #[test]
    fn a_failure_ends_the_run() {
        let result = run(vec![job("a", &[]), job("b", &["a"])], 2, |name| {
            if name == "a" { Err("a failed") } else { Ok(()) }
        });
        assert_eq!(result, Err("a failed"));
    }

    #[test]
    fn jobs_that_wait_for_each_other_do_not_hang() {
        let result: Result<(), ()> = run(vec![job("a", &["b"]), job("b", &["a"])], 2, |_| Ok(()));
        assert_eq!(result, Ok(()));
    }
}
