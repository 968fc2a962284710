//! Tells a service that ends again and again from one that only has to try some times until what it needs is there.
//!
//! It counts only while everything that Compose says it needs is good, and only ends that are alike: the same exit code, each soon after a start. Whoever
//! runs for a while counts anew. So a release that cannot run is given up long before its time is over, and one that starts hard is not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::end;
use crate::model::docker::ContainerFacts;

/// So many restarts in a row say that it will not come.
const RESTARTS: i64 = 5;
/// What runs longer than this before it ends does something, and may come.
const SHORT: Duration = Duration::from_secs(15);
/// What is not declared as needed, such as a server elsewhere, gets this long at least.
const AT_LEAST: Duration = Duration::from_secs(20);
/// Where Compose says which services of the project a container needs, as `name:condition:restart`, with commas between.
const NEEDS: &str = "com.docker.compose.depends_on";

/// What was seen of containers so far.
#[derive(Debug, Default)]
pub struct Looping {
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Restarts at the last look, and when they became that many.
    restarts: i64,
    changed: Instant,
    /// Where counting began.
    from: i64,
    since: Instant,
    code: Option<i64>,
}

impl Seen {
    fn new(container: &ContainerFacts, now: Instant) -> Self {
        Self {
            restarts: container.restarts,
            changed: now,
            from: container.restarts,
            since: now,
            code: None,
        }
    }

    fn look(&mut self, container: &ContainerFacts, now: Instant) {
        if container.restarts != self.restarts {
            self.restarts = container.restarts;
            self.changed = now;
        }
        let ran = container.state == "running" && now.duration_since(self.changed) > SHORT;
        let other = container.exit_code.is_some()
            && self
                .code
                .is_some_and(|code| Some(code) != container.exit_code);
        if ran || other {
            *self = Self::new(container, now);
        }
        self.code = container.exit_code.or(self.code);
    }

    fn is_sure(&self, now: Instant) -> bool {
        self.restarts - self.from >= RESTARTS
            && self.code.is_some()
            && now.duration_since(self.since) >= AT_LEAST
    }
}

impl Looping {
    /// Takes one look in; returns the service that will not come, and why.
    pub fn look(
        &mut self,
        containers: &[ContainerFacts],
        now: Instant,
    ) -> Option<(String, String)> {
        self.seen
            .retain(|id, _| containers.iter().any(|container| container.id == *id));
        for container in containers {
            if !has_all_it_needs(container, containers) {
                self.seen.remove(&container.id);
                continue;
            }
            let seen = self.seen.entry(container.id.clone());
            let seen = seen.or_insert_with(|| Seen::new(container, now));
            seen.look(container, now);
            if !seen.is_sure(now) {
                continue;
            }
            if let Some(service) = container.service() {
                let ended = ContainerFacts {
                    exit_code: seen.code,
                    ..container.clone()
                };
                let why = format!(
                    "`{service}` ends again and again, though what it needs is there: it {}, {} times within {} s",
                    end(&ended),
                    seen.restarts - seen.from,
                    now.duration_since(seen.since).as_secs()
                );
                return Some((service.to_owned(), why));
            }
        }
        None
    }
}

/// Returns whether every service that Compose says the container needs is good; not when it says nothing.
fn has_all_it_needs(container: &ContainerFacts, all: &[ContainerFacts]) -> bool {
    let Some(needs) = container.labels.get(NEEDS) else {
        return false;
    };
    let names = needs.split(',').filter_map(|need| need.split(':').next());
    let mut names = names.map(str::trim).filter(|name| !name.is_empty());
    names.all(|name| {
        let mut of_it = all
            .iter()
            .filter(|other| other.service() == Some(name))
            .peekable();
        of_it.peek().is_some() && of_it.all(is_good)
    })
}

fn is_good(container: &ContainerFacts) -> bool {
    match container.state.as_str() {
        "running" => matches!(
            container.health.as_deref(),
            None | Some("healthy" | "none" | "")
        ),
        "exited" => container.exit_code == Some(0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::container;

    const PROJECT: &str = "acme-app";

    /// A service `x` that needs `db`, after so many restarts.
    fn pair(restarts: i64, code: Option<i64>, db: &str) -> [ContainerFacts; 2] {
        let mut x = container(PROJECT, "x");
        x.id = "x1".to_owned();
        x.labels
            .insert(NEEDS.to_owned(), "db:service_healthy:false".to_owned());
        x.restarts = restarts;
        x.exit_code = code;
        x.state = if code.is_some() {
            "restarting"
        } else {
            "running"
        }
        .to_owned();
        let mut other = container(PROJECT, "db");
        other.id = "db1".to_owned();
        other.labels.insert(NEEDS.to_owned(), String::new());
        other.health = Some(db.to_owned());
        [x, other]
    }

    /// Takes one look every second; `at` says what is seen then. Returns after how many seconds it is sure.
    fn sure_after(at: impl Fn(u32) -> [ContainerFacts; 2]) -> Option<u32> {
        let begin = Instant::now();
        let mut looping = Looping::default();
        (0..120).find(|second| {
            let now = begin + Duration::from_secs((*second).into());
            looping.look(&at(*second), now).is_some()
        })
    }

    #[test]
    fn what_ends_the_same_way_again_and_again_is_given_up() {
        let sure = sure_after(|second| pair((second / 2).into(), Some(1), "healthy"));
        assert_eq!(sure, Some(20));
        // Its exit code shows only now and then.
        let sure = sure_after(|second| {
            pair(
                (second / 2).into(),
                second.is_multiple_of(7).then_some(1),
                "healthy",
            )
        });
        assert_eq!(sure, Some(20));
    }

    #[test]
    fn what_may_still_come_is_given_its_time() {
        let loops = |second: u32| i64::from(second / 2);
        // What it needs is not there yet, or only later.
        assert_eq!(
            sure_after(|second| pair(loops(second), Some(1), "starting")),
            None
        );
        let sure = sure_after(|second| {
            let db = if second < 50 { "starting" } else { "healthy" };
            pair(loops(second), Some(1), db)
        });
        assert_eq!(sure, Some(70));
        // It ends otherwise each time, runs for a while each time, or came after some attempts.
        assert_eq!(
            sure_after(|second| pair(loops(second), Some(loops(second)), "healthy")),
            None
        );
        let code = |second: u32| second.is_multiple_of(20).then_some(1);
        assert_eq!(
            sure_after(|second| pair((second / 20).into(), code(second), "healthy")),
            None
        );
        assert_eq!(
            sure_after(|second| pair(second.min(4).into(), (second < 4).then_some(1), "healthy")),
            None
        );
        // Compose does not say what it needs.
        let unsaid = |second| {
            let mut pair = pair(loops(second), Some(1), "healthy");
            pair[0].labels.remove(NEEDS);
            pair
        };
        assert_eq!(sure_after(unsaid), None);
    }

    #[test]
    fn the_cause_is_in_the_words() {
        let begin = Instant::now();
        let mut looping = Looping::default();
        assert_eq!(looping.look(&pair(0, Some(127), "healthy"), begin), None);
        let later = begin + Duration::from_secs(30);
        let (service, why) = looping.look(&pair(6, Some(127), "healthy"), later).unwrap();
        assert_eq!(service, "x");
        assert_eq!(
            why,
            "`x` ends again and again, though what it needs is there: it ended with exit code 127: its program was not found, 6 times within 30 s"
        );
    }
}
