//! How the engine's threads reach the front end on the main thread: records go up, questions wait for their answer.
//!
//! When the front end has gone, records are dropped and questions go unanswered, so that no thread of the engine waits for ever.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::model::event::{Event, Listener, Record};
use crate::model::operator::{Operator, SecretRequest, UnknownHostKey};
use crate::model::plan::StepSummary;

/// What reaches the front end.
#[derive(Debug)]
pub enum Message {
    /// Something happened.
    Told(Box<Record>),
    /// Somebody waits for an answer.
    Asked(Ask),
    /// Nothing will be told any more, even if somebody still holds a line.
    Over,
}

/// A question with the way back for its answer.
#[derive(Debug)]
pub enum Ask {
    /// Whether a host key is the host's own.
    HostKey(UnknownHostKey, SyncSender<bool>),
    /// A secret.
    Secret(SecretRequest, SyncSender<Option<SecretString>>),
    /// Whether the plan is accepted.
    Review(Vec<StepSummary>, SyncSender<bool>),
    /// A word that has to be typed before something that nothing brings back.
    Word(String, SyncSender<bool>),
}

/// Tells and asks; every thread of the engine may hold one.
#[derive(Debug, Clone)]
pub struct Line {
    sender: Sender<Message>,
}

/// Says at its end that nothing will be told any more, also when the thread that holds it panics.
#[derive(Debug)]
pub struct LastWord(Sender<Message>);

impl Drop for LastWord {
    fn drop(&mut self) {
        // Without a front end there is nobody to tell.
        let _ = self.0.send(Message::Over);
    }
}

/// Returns the two ends: one for the engine, one for [`super::watch`].
#[must_use]
pub fn open() -> (Line, Receiver<Message>) {
    let (sender, receiver) = channel();
    (Line { sender }, receiver)
}

impl Line {
    /// Returns what ends the story when it is dropped.
    #[must_use]
    pub fn last_word(&self) -> LastWord {
        LastWord(self.sender.clone())
    }

    /// Returns whether the operator accepts the plan; nobody's answer is no.
    #[must_use]
    pub fn review(&self, steps: Vec<StepSummary>) -> bool {
        self.put(|reply| Ask::Review(steps, reply)).unwrap_or(false)
    }

    /// Returns whether the operator types `word`, which stands for something that nothing brings back.
    #[must_use]
    pub fn word(&self, word: &str) -> bool {
        self.put(|reply| Ask::Word(word.to_owned(), reply))
            .unwrap_or(false)
    }

    /// Asks and waits; `None` when the front end has gone or let the question go.
    fn put<T>(&self, ask: impl FnOnce(SyncSender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Asked(ask(reply))).ok()?;
        answer.recv().ok()
    }
}

impl Listener for Line {
    fn hear(&self, event: Event) {
        let record = Record {
            time: Timestamp::now(),
            event,
        };
        // Without a front end nobody listens, and the engine stops by itself at the next safe point.
        let _ = self.sender.send(Message::Told(Box::new(record)));
    }
}

impl Operator for Line {
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool {
        self.put(|reply| Ask::HostKey(key.clone(), reply))
            .unwrap_or(false)
    }

    fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
        self.put(|reply| Ask::Secret(request.clone(), reply))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_gets_its_answer() {
        let (line, messages) = open();
        let asking = std::thread::spawn(move || line.review(Vec::new()));
        match messages.recv().unwrap() {
            Message::Asked(Ask::Review(steps, reply)) => {
                assert!(steps.is_empty());
                reply.send(true).unwrap();
            }
            other => panic!("{other:?}"),
        }
        assert!(asking.join().unwrap());
    }

    #[test]
    fn without_a_front_end_nobody_waits() {
        let (line, messages) = open();
        drop(messages);
        line.hear(Event::StageStarted {
            stage: crate::model::event::Stage::Connect,
        });
        assert!(!line.review(Vec::new()));
    }

    #[test]
    fn a_question_let_go_is_answered_no() {
        let (line, messages) = open();
        let asking = std::thread::spawn(move || line.review(Vec::new()));
        drop(messages.recv().unwrap());
        assert!(!asking.join().unwrap());
    }
}
