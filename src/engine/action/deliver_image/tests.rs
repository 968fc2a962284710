use secrecy::SecretString;

use super::*;
use crate::engine::machine::{Machine, image};

const NAME: &str = "syntho.azurecr.io/syntho-core-backend:1.9.0";

fn action(source: ImageSource) -> DeliverImage {
    DeliverImage {
        image: "backend".parse().unwrap(),
        reference: ImageRef::parse(NAME).unwrap(),
        source,
        aliases: vec!["syntho-backend".to_owned()],
        architecture: "amd64".to_owned(),
        keep_login: false,
        rights: Rights::Login,
        folder: String::new(),
        id: None,
        pulled: false,
    }
}

fn login(registry: &str) -> RegistryLogin {
    RegistryLogin {
        registry: registry.to_owned(),
        username: "puller".to_owned(),
        password: SecretString::from("registry-secret"),
    }
}

#[test]
fn on_a_fresh_host_it_pulls_with_the_registrys_login_and_records_the_id() {
    let mut machine = Machine::new();
    machine.materials.login = Some(login("syntho.azurecr.io"));
    machine.engine.world().registry.push(image(NAME, "9"));
    let mut action = action(ImageSource::Registry);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.id.as_deref(), Some("sha256:9"));
    assert!(action.pulled);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(
        *machine.voice.last.lock().unwrap(),
        Some((1000, Some(1000)))
    );
    let pulls = machine.engine.world().pulls.clone();
    assert_eq!(pulls, [(NAME.to_owned(), Some("puller".to_owned()))]);
    // The login went with the call: nothing was run on the host that could keep it.
    assert!(machine.host.ran().is_empty());
}

#[test]
fn a_login_for_another_registry_is_not_sent() {
    let mut machine = Machine::new();
    machine.materials.login = Some(login("other.example"));
    machine.engine.world().registry.push(image(NAME, "9"));
    action(ImageSource::Registry)
        .execute(&machine.cx())
        .unwrap();
    assert_eq!(machine.engine.world().pulls[0].1, None);
}

#[test]
fn a_kept_login_goes_in_on_standard_input() {
    let mut machine = Machine::new();
    machine.materials.login = Some(login("syntho.azurecr.io"));
    machine.engine.world().registry.push(image(NAME, "9"));
    let mut action = action(ImageSource::Registry);
    action.keep_login = true;
    action.execute(&machine.cx()).unwrap();
    let ran = machine.host.ran();
    assert_eq!(
        ran[0].script,
        "docker login --username puller --password-stdin syntho.azurecr.io"
    );
    assert_eq!(ran[0].input.bytes(), b"registry-secret");
}

#[test]
fn what_the_registry_says_is_passed_on() {
    let machine = Machine::new();
    let error = action(ImageSource::Registry)
        .execute(&machine.cx())
        .unwrap_err();
    assert!(error.to_string().contains(NAME));
}

#[test]
fn a_present_image_is_already_so() {
    let machine = Machine::new();
    machine.engine.world().images.push(image(NAME, "9"));
    for source in [
        ImageSource::Present,
        ImageSource::Registry,
        ImageSource::Bundle,
    ] {
        assert_eq!(
            action(source).probe(&machine.cx()).unwrap(),
            Probe::AlreadySo
        );
    }
}

#[test]
fn another_spelling_of_the_vendor_is_proposed() {
    let machine = Machine::new();
    let near = "registry.acme.example/syntho-backend:1.9.0";
    machine.engine.world().images.push(image(near, "9"));
    let Probe::Conflict(why) = action(ImageSource::Present).probe(&machine.cx()).unwrap() else {
        panic!("a conflict");
    };
    assert!(
        why.contains(&format!("refs = {{ backend = \"{near}\" }}")),
        "{why}"
    );
}

#[test]
fn an_image_that_is_missing_is_a_conflict_with_advice() {
    let machine = Machine::new();
    let Probe::Conflict(why) = action(ImageSource::Present).probe(&machine.cx()).unwrap() else {
        panic!("a conflict");
    };
    assert!(why.contains("docker load"), "{why}");
}

#[test]
fn an_image_of_another_architecture_does_not_count() {
    let machine = Machine::new();
    let mut wrong = image(NAME, "9");
    wrong.architecture = "arm64".to_owned();
    machine.engine.world().images.push(wrong.clone());
    assert!(matches!(
        action(ImageSource::Present).probe(&machine.cx()).unwrap(),
        Probe::Conflict(_)
    ));
    machine.engine.world().registry.push(wrong);
    let error = action(ImageSource::Registry)
        .execute(&machine.cx())
        .unwrap_err();
    assert!(error.to_string().contains("arm64"));
}

#[test]
fn images_are_never_removed_by_reverting() {
    let machine = Machine::new();
    machine.engine.world().registry.push(image(NAME, "9"));
    let mut action = action(ImageSource::Registry);
    action.execute(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert_eq!(machine.engine.world().images.len(), 1);
}

#[test]
fn a_layer_never_goes_back() {
    let mut layers = Layers::default();
    let layer = |status: &str, done| LayerProgress {
        layer: "a".to_owned(),
        status: status.to_owned(),
        done,
        total: Some(10),
    };
    let mut before = 0;
    for (status, done) in [
        ("Pulling fs layer", None),
        ("Downloading", Some(5)),
        ("Downloading", Some(10)),
        ("Retrying", Some(1)),
        ("Downloading", Some(1)),
        ("Extracting", Some(9)),
        ("Pull complete", None),
    ] {
        layers.note(&layer(status, done));
        assert!(layers.sum().0 >= before);
        before = layers.sum().0;
    }
    assert_eq!(layers.sum(), (1000, 1000));
}
