//! A registry asked while somebody still types its name, the login and the release.

use std::time::{Duration, Instant};

use syntho_installer::engine::trial::{Offer, Order, Shopping};
use syntho_installer::model::failure::Failure;
use syntho_installer::model::image::ImageRef;

use crate::fake::{Fake, answer};
use crate::server::{Door, Server, USER};

fn order(registry: &str, names: &[&str]) -> Order {
    let name = |name: &&str| ImageRef::parse(&format!("{registry}/{name}")).unwrap();
    Order {
        registry: registry.to_owned(),
        login: None,
        references: names.iter().map(name).collect(),
        architecture: "amd64".to_owned(),
    }
}

/// Asks and waits for what is said.
fn offered(shopping: &mut Shopping, order: &Order) -> Offer {
    shopping.choose(Some(order.clone()));
    let began = Instant::now();
    while *shopping.offer() == Offer::AtWork {
        assert!(began.elapsed() < Duration::from_mins(1));
        shopping.hear();
        std::thread::sleep(Duration::from_millis(20));
    }
    shopping.offer().clone()
}

fn failed(offer: Offer) -> Failure {
    match offer {
        Offer::Failed(failure) => failure,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn what_a_registry_has_and_what_not_is_said() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 1000);
    let mut shopping = Shopping::default();
    let whole = order(
        &server.name(),
        &["syntho-ray:1.9.0", "syntho-core-api:1.9.0"],
    );
    let Offer::Known { found, lacking } = offered(&mut shopping, &whole) else {
        unreachable!("{:?}", shopping.offer());
    };
    assert_eq!((found, lacking.len()), (2, 0));
    let asked = server.asked().len();
    offered(&mut shopping, &whole);
    assert_eq!(server.asked().len(), asked, "the same is not asked again");

    let newer = order(
        &server.name(),
        &["syntho-ray:1.9.1", "syntho-core-api:1.9.0"],
    );
    let Offer::Known { found, lacking } = offered(&mut shopping, &newer) else {
        unreachable!("{:?}", shopping.offer());
    };
    assert_eq!((found, lacking.len()), (1, 1));
    let said = format!("{:?}", lacking[0].1);
    assert!(said.contains("is not in the registry"), "{said}");
    assert!(said.contains("1.9.0"), "the near tag: {said}");
    // No layer was fetched for it.
    assert_eq!(server.count("GET", "/blobs/uploads"), 0);
}

#[test]
fn a_wrong_login_and_an_unknown_authority_are_told_apart() {
    let refusing = Fake::answering(|_| {
        answer(
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"x\"\r\n",
            "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}",
        )
    });
    let mut asking = order(&refusing.name(), &["syntho-ray:1.9.0"]);
    asking.login = Some((USER.to_owned(), "wrong-password".into()));
    let failure = failed(offered(&mut Shopping::default(), &asking));
    assert!(
        failure.message.contains("does not accept"),
        "{}",
        failure.message
    );
    assert!(!format!("{failure:?}").contains("wrong-password"));

    let storage = tempfile::tempdir().unwrap();
    let guarded = Server::start(storage.path(), Door::Guarded);
    let asking = order(&guarded.name(), &["syntho-ray:1.9.0"]);
    let failure = failed(offered(&mut Shopping::default(), &asking));
    assert!(
        failure.message.contains("authority that is not trusted"),
        "{}",
        failure.message
    );
}
