//! A registry asked while somebody still types: whether it takes the login, and whether it has every image that is needed, for the hosts' kind of machine.
//!
//! It is asked from this machine; the hosts ask by themselves when they are checked. One asking at a time; another registry, login or release calls it off.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::engine::cancel::Cancel;
use crate::images::ImagesError;
use crate::images::client::{Access, Platform, Remote, RemoteError, Told, Watch};
use crate::model::failure::Failure;
use crate::model::image::ImageRef;

/// How long typing must rest before a registry is asked.
const REST: Duration = Duration::from_millis(600);

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Nothing was asked.
    Nothing,
    /// At work.
    AtWork,
    /// The registry answers.
    Known {
        /// How many of the images it has.
        found: usize,
        /// Those that it does not give, with why.
        lacking: Vec<(ImageRef, Failure)>,
    },
    /// It does not answer, or does not take the login.
    Failed(Failure),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The registry's host; the login is for it alone.
    pub registry: String,
    /// User and password.
    pub login: Option<(String, SecretString)>,
    /// The images.
    pub references: Vec<ImageRef>,
    /// The hosts' architecture in Docker's words.
    pub architecture: String,
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        let plain = |order: &Self| {
            let login = order.login.as_ref();
            login.map(|(user, password)| (user.clone(), password.expose_secret().to_owned()))
        };
        self.registry == other.registry
            && self.references == other.references
            && self.architecture == other.architecture
            && plain(self) == plain(other)
    }
}

/// The asking of a registry.
pub struct Shopping {
    order: Option<Order>,
    offer: Offer,
    cancel: Cancel,
    round: u64,
    sender: Sender<(u64, Offer)>,
    reports: Receiver<(u64, Offer)>,
}

impl std::fmt::Debug for Shopping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shopping({:?})", self.offer)
    }
}

impl Default for Shopping {
    fn default() -> Self {
        let (sender, reports) = channel();
        Self {
            order: None,
            offer: Offer::Nothing,
            cancel: Cancel::new(),
            round: 0,
            sender,
            reports,
        }
    }
}

impl Shopping {
    /// Asks for this; the same is not asked for again.
    pub fn choose(&mut self, order: Option<Order>) {
        if order == self.order {
            return;
        }
        self.cancel.raise();
        self.cancel = Cancel::new();
        self.round += 1;
        self.order.clone_from(&order);
        let Some(order) = order else {
            self.offer = Offer::Nothing;
            return;
        };
        self.offer = Offer::AtWork;
        let (round, sender, cancel) = (self.round, self.sender.clone(), self.cancel.clone());
        thread::spawn(move || {
            if cancel.wait(REST) {
                return;
            }
            if let Some(offer) = asked(&order, &cancel) {
                // Without a front end nobody listens any more.
                let _ = sender.send((round, offer));
            }
        });
    }

    /// Takes in what was heard; returns whether anything was. Never blocks.
    pub fn hear(&mut self) -> bool {
        let mut heard = false;
        while let Ok((round, offer)) = self.reports.try_recv() {
            if round == self.round {
                self.offer = offer;
                heard = true;
            }
        }
        heard
    }

    /// Lets something be said, for tests of front ends.
    #[cfg(test)]
    pub(crate) fn say(&mut self, order: Option<Order>, offer: Offer) {
        self.order = order;
        self.offer = offer;
    }

    /// Returns what came of it.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }
}

impl Drop for Shopping {
    fn drop(&mut self) {
        self.cancel.raise();
    }
}

/// Hears nothing and stops when it is called off.
struct Silent<'a>(&'a Cancel);

impl Watch for Silent<'_> {
    fn hear(&self, _told: Told) {}

    fn stopped(&self) -> bool {
        self.0.is_raised()
    }
}

/// Asks for every image; `None` when it was called off.
fn asked(order: &Order, cancel: &Cancel) -> Option<Offer> {
    let remote = Remote::new(Access {
        registry: order.registry.clone(),
        login: order.login.clone(),
        authorities: None,
        proxy: None,
    });
    let remote = match remote {
        Ok(remote) => remote,
        Err(error) => return Some(Offer::Failed(Failure::from_error(&error))),
    };
    let platform = Platform {
        os: "linux".to_owned(),
        architecture: order.architecture.clone(),
    };
    let mut found = 0;
    let mut lacking = Vec::new();
    for reference in &order.references {
        match remote.image(reference, &platform, &Silent(cancel)) {
            Ok(_) => found += 1,
            Err(ImagesError::Cancelled) => return None,
            Err(error) if is_about_one_image(&error) => {
                lacking.push((reference.clone(), Failure::from_error(&error)));
            }
            Err(error) => return Some(Offer::Failed(Failure::from_error(&error))),
        }
    }
    Some(Offer::Known { found, lacking })
}

/// Returns whether asking for another image may well succeed.
fn is_about_one_image(error: &ImagesError) -> bool {
    matches!(
        error,
        ImagesError::Remote(
            RemoteError::NotThere { .. }
                | RemoteError::Platform { .. }
                | RemoteError::Denied { .. }
        )
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn order(port: u16) -> Order {
        Order {
            registry: format!("127.0.0.1:{port}"),
            login: Some(("acme".to_owned(), "secret".into())),
            references: vec![ImageRef::parse(&format!("127.0.0.1:{port}/app:1")).unwrap()],
            architecture: "amd64".to_owned(),
        }
    }

    #[test]
    fn where_nobody_answers_that_is_told_and_not_asked_again() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = closed.local_addr().unwrap().port();
        drop(closed);
        let mut shopping = Shopping::default();
        shopping.choose(Some(order(port)));
        assert_eq!(*shopping.offer(), Offer::AtWork);
        // The way there is tried several times.
        let began = Instant::now();
        while *shopping.offer() == Offer::AtWork {
            assert!(began.elapsed() < Duration::from_mins(1));
            shopping.hear();
            thread::sleep(Duration::from_millis(20));
        }
        let Offer::Failed(failure) = shopping.offer().clone() else {
            panic!("{:?}", shopping.offer());
        };
        assert!(
            failure.message.contains("cannot be reached"),
            "{}",
            failure.message
        );
        shopping.choose(Some(order(port)));
        assert_eq!(*shopping.offer(), Offer::Failed(failure));
        shopping.choose(None);
        assert_eq!(*shopping.offer(), Offer::Nothing);
    }
}
