//! What the wizard promises: the rules of the answers file while typing, pages that know how far they are, and nothing accepted is ever lost.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::sample::{around, begun, preset, say, whole};
use super::*;
use crate::model::ids::HostName;
use crate::model::sample as model_sample;
use crate::model::secret::SecretSource;

fn state(wizard: &Wizard, page: Page) -> PageState {
    wizard.look(&around()).page(page).unwrap().state
}

fn trouble(wizard: &Wizard, key: &str, text: &str) -> Option<String> {
    let look = wizard.look(&around());
    let field = look.field(&Key::new(key)).unwrap();
    let trouble = wizard.trouble_with(field, text, &around())?;
    Some(match trouble.example {
        Some(example) => format!("{} [{example}]", trouble.rule),
        None => trouble.rule,
    })
}

fn asked(wizard: &Wizard, page: Page) -> Vec<String> {
    let look = wizard.look(&around());
    let fields = look.page(page).unwrap().fields.iter();
    fields.map(|field| field.key.to_string()).collect()
}

#[test]
fn it_begins_with_a_choice() {
    let wizard = Wizard::default();
    assert_eq!(state(&wizard, Page::Option), PageState::Untouched);
    assert!(!wizard.look(&around()).is_valid());
    assert_eq!(wizard.answers_text(&around()), "");
}

#[test]
fn a_whole_draft_becomes_an_answers_file_that_is_valid() {
    let wizard = whole();
    let look = wizard.look(&around());
    assert_eq!(look.troubles().collect::<Vec<_>>(), []);
    assert!(look.is_valid());
    insta::assert_snapshot!(wizard.answers_text(&around()), @r#"
    version = 1
    name = "acme"
    preset = "shop"

    [images]
    source = "registry"
    tag = "1.9.0"

    [ssh]
    user = "deploy"

    [[hosts]]
    name = "web"
    address = "10.0.0.11"
    roles = ["web"]

    [answers]
    public-host = "shop.acme.example"
    admin-email = "admin@acme.example"
    "#);
    let read = crate::model::answers::read("x", &wizard.answers_text(&around()));
    assert_eq!(read.faults, []);
}

#[rstest]
#[case(
    "name",
    "Acme",
    Some(
        "`Acme` is not a valid deployment name: use lower-case letters, digits and hyphens, starting with a letter, at most 40 characters [acme-prod]"
    )
)]
#[case("name", "acme", None)]
#[case(
    "answers.web-port",
    "70000",
    Some("is 70000, and must be from 1 to 65535 [3000]")
)]
#[case(
    "answers.web-port",
    "web",
    Some("must be a whole number, without quotes [3000]")
)]
#[case(
    "answers.public-host",
    "https://x",
    Some("must be a host alone, without a scheme such as `https://` [shop.acme.example]")
)]
#[case(
    "answers.public-host",
    "",
    Some("is missing: Host name for browsers [shop.acme.example]")
)]
#[case(
    "answers.protocol",
    "https",
    Some("`protocol` is `https`, and the certificate says otherwise [http]")
)]
#[case(
    "images.tag",
    "latest",
    Some(
        "moves: hosts that pull on different days get different releases, and there is no way back; name a release [1.9.0]"
    )
)]
#[case("ssh.port", "0", Some("must be from 1 to 65535 [22]"))]
#[case("ssh.port", "many", Some("must be a port from 1 to 65535 [22]"))]
#[case(
    "hosts[0].name",
    "Web 1",
    Some(
        "`Web 1` is not a valid host name: use lower-case letters, digits and hyphens, starting with a letter, at most 63 characters [host-1]"
    )
)]
#[case(
    "hosts[0].address",
    "10.0.0.11:22",
    Some("must be a host alone, without a port; user and port have keys of their own [10.0.0.11]")
)]
fn a_rule_is_told_while_typing(
    #[case] key: &str,
    #[case] text: &str,
    #[case] expected: Option<&str>,
) {
    assert_eq!(trouble(&whole(), key, text).as_deref(), expected);
}

#[test]
fn what_is_asked_follows_from_what_was_said() {
    let mut wizard = begun();
    assert!(!asked(&wizard, Page::Tls).contains(&"answers.tls-cert".to_owned()));
    say(&mut wizard, "answers.tls", "provided");
    say(&mut wizard, "answers.tls-cert", "shop.crt");
    assert_eq!(
        wizard
            .look(&around())
            .field(&Key::new("answers.protocol"))
            .unwrap()
            .default
            .as_deref(),
        Some("https")
    );
    // A question that is asked no more keeps its answer for when it is asked again, and the file does not hold it.
    say(&mut wizard, "answers.tls", "none");
    assert!(!wizard.answers_text(&around()).contains("shop.crt"));
    say(&mut wizard, "answers.tls", "provided");
    assert!(wizard.answers_text(&around()).contains("shop.crt"));
}

#[test]
fn pages_know_how_far_they_are() {
    let mut wizard = begun();
    assert_eq!(state(&wizard, Page::Option), PageState::InProgress);
    say(&mut wizard, "name", "acme");
    assert_eq!(state(&wizard, Page::Option), PageState::Complete);
    assert_eq!(state(&wizard, Page::Application), PageState::Untouched);
    say(&mut wizard, "answers.web-port", "0");
    assert_eq!(state(&wizard, Page::Application), PageState::Faulty);
    say(&mut wizard, "answers.web-port", "3000");
    assert_eq!(state(&wizard, Page::Application), PageState::Untouched);
    say(&mut wizard, "answers.public-host", "shop.acme.example");
    assert_eq!(state(&wizard, Page::Application), PageState::InProgress);
    let key: QuestionId = "license-key".parse().unwrap();
    wizard
        .accept_secret(&key, &"secret-licence".into())
        .unwrap();
    assert_eq!(state(&wizard, Page::Application), PageState::Complete);
    wizard.add_host();
    assert_eq!(state(&wizard, Page::Hosts), PageState::InProgress);
}

#[test]
fn pages_without_a_question_are_passed_over() {
    let mut small = (*preset()).clone();
    small
        .parts
        .questions
        .retain(|question| question.page != Page::Auth);
    let mut wizard = Wizard::default();
    wizard.choose(Arc::new(small));
    assert_eq!(wizard.page_after(Page::Application, &around()), Page::Tls);
    assert_eq!(wizard.page_before(Page::Tls, &around()), Page::Application);
    assert_eq!(wizard.page_before(Page::Option, &around()), Page::Option);
    assert_eq!(wizard.page_after(Page::Review, &around()), Page::Review);
}

#[test]
fn a_typed_secret_is_in_memory_only() {
    let mut wizard = whole();
    let id: QuestionId = "license-key".parse().unwrap();
    assert!(wizard.accept_secret(&id, &"short".into()).is_err());
    wizard
        .accept_secret(&id, &"  quite-secret-indeed \n".into())
        .unwrap();
    let field = |wizard: &Wizard| match wizard
        .look(&around())
        .field(&Key::secret(&id))
        .unwrap()
        .kind
        .clone()
    {
        FieldKind::Secret(state) => state,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(&wizard), SecretState::Typed(19));
    let text = wizard.draft().to_text().unwrap();
    assert!(!text.contains("quite-secret"), "{text}");
    assert!(!format!("{wizard:?}").contains("quite-secret"));
    assert!(!wizard.answers_text(&around()).contains("license-key"));
    let mut again = Wizard::new(Draft::from_text(&text).unwrap(), Some(preset()));
    assert_eq!(field(&again), SecretState::Forgotten);
    assert!(again.look(&around()).wanting_secrets().next().is_some());
    again.accept_source(&id, SecretSource::Env("LICENCE".to_owned()));
    assert!(
        again
            .answers_text(&around())
            .contains("license-key = { env = \"LICENCE\" }")
    );
    assert_eq!(again.look(&around()).wanting_secrets().count(), 0);
}

#[test]
fn roles_are_counted_against_the_preset() {
    let mut wizard = whole();
    let copy = wizard.duplicate_host(0).unwrap();
    assert_eq!(wizard.draft().hosts[copy].name, "web-2");
    let look = wizard.look(&around());
    let web = &look.roles[0];
    assert_eq!(
        (web.has, web.wants.as_str(), web.settled),
        (2, "exactly 1", false)
    );
    wizard.toggle_role(copy, "web");
    wizard.toggle_role(copy, "worker");
    assert!(wizard.look(&around()).roles.iter().all(|role| role.settled));
    assert_eq!(wizard.remove_host(0).unwrap().name, "web");
    assert_eq!(wizard.draft().hosts.len(), 1);
}

#[test]
fn a_host_with_a_bad_name_does_not_shift_the_faults_of_others() {
    let mut wizard = whole();
    let second = wizard.add_host();
    wizard.toggle_role(second, "worker");
    say(&mut wizard, "hosts[0].name", "Bad Name");
    say(&mut wizard, "hosts[1].name", "good");
    say(&mut wizard, "hosts[1].address", "bad address");
    let look = wizard.look(&around());
    let at: Vec<&str> = look
        .troubles()
        .map(|(_, trouble)| trouble.at.as_str())
        .collect();
    assert_eq!(at, ["hosts[0].name", "hosts[1].address"]);
}

#[test]
fn a_list_is_pasted_once() {
    let mut wizard = begun();
    let (hosts, _) = read_list("a 10.0.0.1 deploy\nb 10.0.0.2\na 10.0.0.3\n");
    assert_eq!(wizard.add_hosts(hosts.clone()), 3);
    assert_eq!(wizard.add_hosts(hosts), 0);
    let names: Vec<&str> = wizard
        .draft()
        .hosts
        .iter()
        .map(|host| host.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "a-2"]);
}

#[test]
fn facts_become_a_proposal_with_its_reason() {
    let mut wizard = whole();
    let proposal = |wizard: &Wizard| {
        let look = wizard.look(&around());
        let field = look.field(&Key::new("answers.worker-memory")).unwrap();
        field.proposal.clone()
    };
    assert_eq!(proposal(&wizard), None);
    let name: HostName = "other".parse().unwrap();
    let mut facts = model_sample::facts(&name, model_sample::address(0));
    facts.memory = 3 << 30;
    let slot = wizard.draft().hosts[0].slot;
    wizard.learn(slot, facts);
    let proposal = proposal(&wizard).unwrap();
    assert_eq!(proposal.value, "1536m");
    assert_eq!(proposal.because, "half of the host's 3 GB");
    assert_eq!(proposal.warning.as_deref(), Some("4 GB are recommended"));
}

#[test]
fn an_answers_file_comes_back_as_it_was() {
    let mut wizard = whole();
    say(&mut wizard, "answers.allowed", "ann, bob");
    say(&mut wizard, "ssh.port", "2222");
    say(&mut wizard, "images.source", "bundle");
    say(&mut wizard, "images.bundle", "one.tar, two.tar");
    wizard.accept_source(
        &"license-key".parse().unwrap(),
        SecretSource::File("a b".into()),
    );
    let text = wizard.answers_text(&around());
    let file = crate::model::answers::read("x", &text).file.unwrap();
    let again = Wizard::new(prefill(&file, "/site".into()), Some(preset()));
    assert_eq!(again.answers_text(&around()), text);
    let elsewhere = again.answers_text_elsewhere(&around(), "/site".into());
    assert!(
        elsewhere.contains("[\"/site/one.tar\", \"/site/two.tar\"]"),
        "{elsewhere}"
    );
    assert!(
        elsewhere.contains("{ file = \"/site/a b\" }"),
        "{elsewhere}"
    );
}

/// What an operator may do.
#[derive(Debug, Clone)]
enum Deed {
    Say(usize, String),
    SayOfHost(usize, usize, String),
    AddHost,
    Duplicate(usize),
    Remove(usize),
    Role(usize, bool),
    Paste(String),
    Source(bool),
    Go(usize),
    Leave,
}

fn deed() -> impl Strategy<Value = Deed> {
    let text = prop_oneof![
        Just(String::new()),
        Just("external".to_owned()),
        Just("provided".to_owned()),
        Just("3000".to_owned()),
        Just("bundle".to_owned()),
        "[a-z]{1,8}",
        ".{0,12}",
        "(?s).{0,12}",
    ];
    prop_oneof![
        8 => (0..40_usize, text.clone()).prop_map(|(field, text)| Deed::Say(field, text)),
        4 => (0..4_usize, 0..9_usize, text).prop_map(|(host, part, text)| Deed::SayOfHost(host, part, text)),
        2 => Just(Deed::AddHost),
        1 => (0..4_usize).prop_map(Deed::Duplicate),
        1 => (0..4_usize).prop_map(Deed::Remove),
        2 => (0..4_usize, any::<bool>()).prop_map(|(host, web)| Deed::Role(host, web)),
        1 => "[a-z]{1,3} 10.0.0.[1-9]\n[a-z]{1,3} 10.0.0.[1-9]".prop_map(Deed::Paste),
        1 => any::<bool>().prop_map(Deed::Source),
        3 => (0..8_usize).prop_map(Deed::Go),
        3 => Just(Deed::Leave),
    ]
}

/// Everything that was accepted, kept by the test beside the wizard.
#[derive(Debug, Default, PartialEq)]
struct Ledger {
    fields: BTreeMap<Key, String>,
    hosts: Vec<HostDraft>,
}

/// Does one thing to the wizard and writes into the ledger what must hold from then on.
fn act(wizard: &mut Wizard, ledger: &mut Ledger, deed: Deed) {
    let look = wizard.look(&around());
    let in_pages = look.pages.iter().flat_map(|page| &page.fields);
    let open: Vec<Field> = in_pages
        .filter(|field| field.key.host_part().is_none() && field.key.as_secret().is_none())
        .cloned()
        .collect();
    match deed {
        Deed::Say(number, text) => {
            let field = &open[number % open.len()];
            wizard.accept(field, &text);
            let text = text.trim();
            if text.is_empty() || field.default.as_deref() == Some(text) {
                ledger.fields.remove(&field.key);
            } else {
                ledger.fields.insert(field.key.clone(), text.to_owned());
            }
        }
        Deed::SayOfHost(host, part, text) => {
            let part = HostPart::ALL[part];
            if let Some(field) = look.field(&Key::host(host, part)) {
                wizard.accept(field, &text);
                let kept = Some(text.trim()).filter(|text| field.default.as_deref() != Some(text));
                ledger.hosts[host].set(part, kept.map(str::to_owned));
            }
        }
        Deed::AddHost => drop(wizard.add_host()),
        Deed::Duplicate(host) => drop(wizard.duplicate_host(host)),
        Deed::Remove(host) => drop(wizard.remove_host(host)),
        Deed::Role(host, web) => wizard.toggle_role(host, if web { "web" } else { "worker" }),
        Deed::Paste(list) => drop(wizard.add_hosts(read_list(&list).0)),
        Deed::Source(env) => {
            let source = if env {
                SecretSource::Env("X".to_owned())
            } else {
                SecretSource::File("x".into())
            };
            wizard.accept_source(&"license-key".parse().unwrap(), source);
        }
        Deed::Go(page) => wizard.go(PAGES[page]),
        Deed::Leave => {
            let text = wizard.draft().to_text().unwrap();
            *wizard = Wizard::new(Draft::from_text(&text).unwrap(), Some(preset()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_accepted_is_lost(deeds in proptest::collection::vec(deed(), 1..40)) {
        let mut wizard = begun();
        let mut ledger = Ledger::default();
        for deed in deeds {
            let lists = matches!(deed, Deed::AddHost | Deed::Duplicate(_) | Deed::Remove(_) | Deed::Role(..) | Deed::Paste(_));
            let leaves = matches!(deed, Deed::Leave);
            let before = wizard.draft().clone();
            act(&mut wizard, &mut ledger, deed);
            if lists {
                // What happens to the list is told by the list's own tests; what stands in it afterwards must stay.
                ledger.hosts.clone_from(&wizard.draft().hosts);
            }
            if leaves {
                let number = |hosts: &[HostDraft]| hosts.iter().map(|host| HostDraft { slot: 0, ..host.clone() }).collect::<Vec<_>>();
                prop_assert_eq!(number(&before.hosts), number(&wizard.draft().hosts));
                prop_assert_eq!(&before.place, wizard.place());
                prop_assert_eq!(&before.visited, &wizard.draft().visited);
                prop_assert_eq!(&before.secrets, &wizard.draft().secrets);
                ledger.hosts.clone_from(&wizard.draft().hosts);
            }
            prop_assert_eq!(&ledger.fields, &wizard.draft().fields);
            prop_assert_eq!(&ledger.hosts, &wizard.draft().hosts);
        }
    }

    #[test]
    fn whatever_is_typed_is_judged_and_written(deeds in proptest::collection::vec(deed(), 1..25)) {
        let mut wizard = begun();
        for deed in deeds {
            let hosts = wizard.draft().hosts.clone();
            act(&mut wizard, &mut Ledger { hosts, ..Ledger::default() }, deed);
        }
        let look = wizard.look(&around());
        let text = wizard.answers_text(&around());
        let reading = crate::model::answers::read("x", &text);
        // Valid here means valid there: the file that comes out is judged the same.
        let file = reading.file.unwrap();
        let surroundings = crate::model::validate::Surroundings { files: &super::sample::NoFiles, now: jiff::Timestamp::UNIX_EPOCH };
        let valid = reading.faults.is_empty() && crate::model::validate::validate(&file, &preset(), &surroundings).is_ok();
        prop_assert_eq!(look.is_valid(), valid, "{}\n{:?}", text, look.troubles().collect::<Vec<_>>());
    }
}
