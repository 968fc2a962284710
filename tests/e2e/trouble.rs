//! What a run said went wrong: which host, what and why, and what to do. The tests look for key words in it, never for whole sentences.

use serde_json::Value;

use crate::program::{Ended, is};

/// One complaint of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The event that carried it.
    pub event: String,
    /// The host it is about.
    pub host: Option<String>,
    /// Message, evidence and causes.
    pub what: String,
    /// Hint, remedy and command.
    pub remedy: String,
}

/// What a refused run must say.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    pub code: i32,
    pub host: Option<&'a str>,
    pub says: &'a [&'a str],
    pub advises: &'a [&'a str],
}

impl Refusal<'_> {
    /// Ends the test unless the run ended with the code, and one complaint has the host, the key words and the advice.
    #[track_caller]
    pub fn expect(&self, ended: Ended) -> Ended {
        let ended = ended.expect_code(self.code);
        let troubles = of(&ended.events());
        assert!(
            troubles.iter().any(|trouble| self.fits(trouble)),
            "{self:?} was not said; what was said: {troubles:#?}"
        );
        ended
    }

    fn fits(&self, trouble: &Trouble) -> bool {
        let has = |text: &str, words: &[&str]| {
            let text = text.to_lowercase();
            words.iter().all(|word| text.contains(&word.to_lowercase()))
        };
        self.host == trouble.host.as_deref()
            && has(&trouble.what, self.says)
            && !trouble.remedy.is_empty()
            && has(&trouble.remedy, self.advises)
    }
}

/// Returns every complaint of a run, in the order in which they came.
pub fn of(events: &[Value]) -> Vec<Trouble> {
    events.iter().filter_map(complaint).collect()
}

fn complaint(event: &Value) -> Option<Trouble> {
    let result = &event["result"];
    let outcome = &event["outcome"];
    if is(event, "host-lost") {
        Some(failure(event, &event["failure"], event["host"].as_str()))
    } else if is(event, "step-ended") && result["result"] == "failed" {
        Some(failure(event, result, None))
    } else if is(event, "run-ended") && outcome["outcome"] == "failed" {
        Some(failure(event, outcome, None))
    } else if is(event, "check-ended") && event["check"]["verdict"] == "fail" {
        let check = &event["check"];
        Some(Trouble {
            event: format!("check {}", text(&check["id"])),
            host: check["host"].as_str().map(str::to_owned),
            what: join(check, &["title", "found", "cause"]),
            remedy: join(check, &["remedy", "command"]),
        })
    } else {
        None
    }
}

fn failure(event: &Value, failure: &Value, host: Option<&str>) -> Trouble {
    let causes = failure["causes"].as_array().into_iter().flatten();
    let what = std::iter::once(&failure["message"]).chain(causes);
    Trouble {
        event: text(&event["event"]),
        host: failure["host"].as_str().or(host).map(str::to_owned),
        what: what.map(text).collect::<Vec<_>>().join("\n"),
        remedy: text(&failure["hint"]),
    }
}

fn join(value: &Value, keys: &[&str]) -> String {
    let parts = keys.iter().map(|&key| text(&value[key]));
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
