//! Another JupyterHub with another database, and back: people, tokens and files stay, and who has to start anew is named.

use serde_json::{Value as Json, json};
use syntho_installer::rehearsal::VmSpec;
use syntho_installer::rehearsal::images::{self, Product, Release};
use toml::Value;

use super::person::Person;
use super::{EVERYBODY, NOTEBOOK, answers, deploy};
use crate::program::Ended;
use crate::site::{Site, engine, section, tell};
use crate::trouble::Refusal;

/// The databases' versions of JupyterHub 5.5 and 6.1.
const OLD: &str = "4621fec11365";
const NEW: &str = "f460b0348206";

/// The hub's VM and two of Ray's, with both releases.
fn site() -> Site {
    let both = [Release::Old, Release::New];
    let images = images::ensure_of(engine(), Product::Notebooks, &both, &tell).unwrap();
    let images: Vec<String> = images.iter().map(ToString::to_string).collect();
    Site::with(&["hub", "ray-1", "ray-2"].map(|name| VmSpec::new(name).images(images.clone())))
}

fn run(site: &Site, arguments: &[&str]) -> Ended {
    // Nobody says a password again: the host keeps what was given.
    site.run(&[arguments, &["--json"]].concat())
}

fn sql(site: &Site, text: &str) -> String {
    let script = format!("docker exec acme-hub-hub-db-1 psql -U jupyterhub -qAt -c \"{text}\"");
    let said = site.vm("hub").exec_ok(&script).unwrap();
    said.trim().to_owned()
}

/// Ends the test unless the hub is of this release, with its database, and works.
#[track_caller]
fn expect_release(site: &Site, tag: &str) {
    let look = "docker inspect -f '{{.Config.Image}}' acme-hub-hub-1";
    let image = site.vm("hub").exec_ok(look).unwrap();
    assert!(image.trim().ends_with(tag), "{image}");
    let version = sql(site, "SELECT version_num FROM alembic_version");
    assert_eq!(version, if tag == "1.9.0" { OLD } else { NEW });
}

/// Returns the judgement of this id.
fn judgement(ended: &Ended, id: &str) -> Json {
    let events = ended.events();
    let mut checks = events
        .iter()
        .filter(|event| event["event"] == "check-ended");
    let found = checks.rfind(|event| event["check"]["id"] == id);
    found.unwrap_or_else(|| panic!("no judgement {id}"))["check"].clone()
}

/// Ends the test unless bob is told of as somebody whose notebook is of another release.
#[track_caller]
fn expect_told(ended: &Ended) {
    let judged = judgement(ended, "notebook-images");
    assert_eq!(judged["verdict"], "warn", "{judged}");
    assert!(
        judged["found"]
            .as_str()
            .unwrap()
            .contains("1 of 1 on another: bob"),
        "{judged}"
    );
}

#[test]
fn another_jupyterhub_comes_and_goes_with_its_database() {
    let site = site();
    let who: [(&str, Value); 2] = [
        ("authenticator", "shared-password".into()),
        ("allowed-users", vec!["bob"].into()),
    ];
    let answers = answers(&site, &who);
    deploy(&site, &answers).expect_code(0);
    expect_release(&site, "1.9.0");
    let url = format!("http://{}:8000", site.vm("hub").address());
    let bob = Person {
        url: &url,
        ca: None,
        name: "bob",
        password: EVERYBODY,
    };
    let write = "kept = 42\nopen('kept.txt', 'w').write('by bob')\nprint(kept)";
    let said = bob.does(&[
        json!(["login"]),
        json!(["new_token"]),
        json!(["start"]),
        json!(["run", write]),
    ]);
    assert_eq!(said[3], "42\n");
    let token = said[1].as_str().unwrap();

    upgraded_with_what_people_have(&site, &bob, token);
    saved_and_brought_back(&site, &bob, token);
    an_older_hub_is_refused_by_its_database(&site, &answers);

    let ended = run(&site, &["rollback", "acme", "--yes"]).expect_code(0);
    expect_told(&ended);
    expect_release(&site, "1.9.0");
    bob.expect(&[
        (json!(["by_token", token]), json!("bob")),
        (json!(["login"]), json!(true)),
        (json!(["stop"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by bob\n"),
        ),
    ]);
    assert_eq!(
        judgement(
            &run(&site, &["verify", "acme"]).expect_code(0),
            "notebook-images"
        )["verdict"],
        "pass"
    );

    what_does_not_work_is_told(&site);
}

fn upgraded_with_what_people_have(site: &Site, bob: &Person<'_>, token: &str) {
    let hub = site.vm("hub");
    let running = "docker inspect -f '{{.State.StartedAt}}' acme-hub-jupyter-bob";
    let before = hub.exec_ok(running).unwrap();
    let ended = run(site, &["upgrade", "acme", "--tag", "1.10.0", "--yes"]).expect_code(0);
    expect_told(&ended);
    expect_release(site, "1.10.0");
    assert_eq!(hub.exec_ok(running).unwrap(), before);
    bob.expect(&[
        (json!(["by_token", token]), json!("bob")),
        (json!(["login"]), json!(true)),
        (json!(["run_again", "print(kept)"]), json!("42\n")),
        (json!(["stop"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by bob\n"),
        ),
    ]);
    assert_eq!(
        judgement(
            &run(site, &["verify", "acme"]).expect_code(0),
            "notebook-images"
        )["verdict"],
        "pass"
    );
}

fn saved_and_brought_back(site: &Site, bob: &Person<'_>, token: &str) {
    let backup = site.home.join("saved");
    run(site, &["backup", "acme", "--output", backup.as_str()]).expect_code(0);
    sql(site, "DELETE FROM api_tokens");
    bob.expect(&[(json!(["by_token", token]), json!(null))]);
    run(site, &["restore", "acme", backup.as_str(), "--yes"]).expect_code(0);
    bob.expect(&[
        (json!(["by_token", token]), json!("bob")),
        (json!(["login"]), json!(true)),
    ]);
}

/// What the newer one made of the database is known before the one that runs is touched.
fn an_older_hub_is_refused_by_its_database(site: &Site, answers: &toml::Table) {
    let hub = site.vm("hub");
    let running = "docker inspect -f '{{.State.StartedAt}}' acme-hub-hub-1";
    let before = hub.exec_ok(running).unwrap();
    let mut mixed = answers.clone();
    let images = section(&mut mixed, "images");
    images.insert("tag".into(), "1.10.0".into());
    section(images, "refs").insert(
        "hub".into(),
        "syntho.azurecr.io/hub-syntho-jupyterhub:1.9.0".into(),
    );
    let refusal = Refusal {
        code: 1,
        host: Some("hub"),
        says: &["newer JupyterHub", "5.5.4", NEW],
        advises: &["rollback"],
    };
    refusal.expect(deploy(site, &mixed));
    assert_eq!(hub.exec_ok(running).unwrap(), before);
}

/// The judgements of what people do fail when it does not work, and say what, why and what helps.
fn what_does_not_work_is_told(site: &Site) {
    let hub = site.vm("hub");
    // Somebody loads another release under the name of this one, and takes a name out of the hub's own file.
    let other = NOTEBOOK.replace("1.9.0", "1.10.0");
    let by_hand = format!(
        "docker tag {other} {NOTEBOOK} && cd /opt/syntho/acme/hub && grep -q installer-check authenticator.py && \
         sed -i 's/^\\(c.Authenticator.allowed_users.*\\)\"installer-check\"/\\1/' authenticator.py && docker compose up -d --force-recreate hub"
    );
    hub.exec_ok(&by_hand).unwrap();
    let ended = run(site, &["verify", "acme"]).expect_code(1);
    let says = |id: &str, key: &str, part: &str| {
        let judged = judgement(&ended, id);
        assert_eq!(judged["verdict"], "fail", "{judged}");
        assert_eq!(judged["host"], "hub", "{judged}");
        assert!(judged[key].as_str().unwrap().contains(part), "{judged}");
    };
    says(
        "login",
        "cause",
        "the login form does not let installer-check in",
    );
    says("login", "remedy", "docker compose logs hub");
    says("notebook", "cause", "2.47.1");
    says("notebook", "cause", "2.60.0");
    says("notebook", "remedy", "must be the cluster's");
}
