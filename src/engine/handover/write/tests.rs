use std::collections::BTreeMap;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::{X509Builder, X509NameBuilder};

use super::*;
use crate::engine::sample::resolved;
use crate::model::check::CheckResult;
use crate::model::docker::{ContainerFacts, ImageFacts};
use crate::model::ids::RunId;
use crate::model::resolved::{PlacedEndpoint, RenderedFile, Resolved};
use crate::model::sample;
use crate::presets::Presets;

fn stands(host: &str) -> (HostName, Stands) {
    let image = ImageFacts {
        id: "sha256:1111".to_owned(),
        tags: vec!["x:1".to_owned()],
        digests: vec!["x@sha256:9f2c".to_owned()],
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        size: 1,
        created: None,
        layers: Vec::new(),
    };
    let label = |project: &str| BTreeMap::from([(PROJECT_LABEL.to_owned(), project.to_owned())]);
    let container = ContainerFacts {
        id: "c".to_owned(),
        name: "acme-application-x-1".to_owned(),
        image: "x:1".to_owned(),
        image_id: "sha256:1111".to_owned(),
        labels: label("acme-application"),
        state: "running".to_owned(),
        health: None,
        exit_code: None,
        restarts: 0,
        started_at: None,
        oom_killed: false,
        published: vec!["0.0.0.0:3000".to_owned()],
        health_check: Vec::new(),
    };
    let volume = VolumeFacts {
        name: "acme-application_data".to_owned(),
        labels: label("acme-application"),
    };
    let stands = Stands {
        root: "/var/lib/docker".to_owned(),
        images: vec![image],
        containers: vec![container],
        volumes: vec![volume],
    };
    (host.parse().unwrap(), stands)
}

fn written() -> String {
    let mut resolved = resolved("/opt/syntho");
    resolved.endpoints.push(PlacedEndpoint {
        title: "Application".to_owned(),
        url: "https://acme.example".to_owned(),
        audience: "everybody".to_owned(),
    });
    record_of(&resolved, &BTreeMap::from([stands("ui")]))
}

fn record_of(resolved: &Resolved, stands: &BTreeMap<HostName, Stands>) -> String {
    let presets = Presets::new(None);
    let preset = presets.load(&presets.ids().remove(0)).unwrap();
    let deployment = sample::deployment(&preset, &BTreeMap::new()).unwrap();
    let checks = [CheckResult {
        id: "answers".to_owned(),
        host: None,
        title: "The application answers".to_owned(),
        verdict: Verdict::Pass,
        found: "status 200 | fine".to_owned(),
        cause: None,
        remedy: None,
        command: None,
        opening: None,
        mends: false,
    }];
    record(&HandOver {
        deployment: &deployment,
        resolved,
        stands,
        checks: &checks,
        run: &RunId("20261120T120000Z-4f2a".to_owned()),
        judged: "2026-11-20T12:31:00Z".parse().unwrap(),
    })
}

#[test]
fn the_record_says_what_stands_where() {
    insta::assert_snapshot!(written());
}

#[test]
fn no_secret_is_in_it() {
    let text = written();
    assert!(!text.contains(crate::engine::sample::SECRET));
    assert!(!text.contains("Sample-value-of-a-secret"));
}

#[test]
fn a_certificate_is_told_with_its_end() {
    let mut resolved = resolved("/opt/syntho");
    resolved.stacks[0].files.push(RenderedFile {
        path: "proxy/server.crt".to_owned(),
        mode: 0o644,
        content: String::from_utf8(certificate()).unwrap().into(),
        masked: String::new(),
        secret: false,
        reload: None,
    });
    let text = record_of(&resolved, &BTreeMap::new());
    let row = text
        .lines()
        .find(|line| line.contains("server.crt"))
        .unwrap();
    assert!(
        row.ends_with("| acme.example | acme.example | Jan  1 00:00:00 2030 GMT |"),
        "{row}"
    );
}

#[test]
fn an_authority_of_our_own_comes_with_its_fingerprint_and_the_ways_to_trust_it() {
    use crate::model::resolved::PlacedAuthority;
    let mut resolved = resolved("/opt/syntho");
    resolved.authorities.push(PlacedAuthority {
        title: "Proxy".to_owned(),
        names: vec!["acme.example".to_owned(), "10.0.0.11".to_owned()],
        pem: String::from_utf8(certificate()).unwrap(),
        host: "ui".parse().unwrap(),
        path: "/opt/syntho/acme/application/proxy/authority/ca.crt".to_owned(),
    });
    resolved.stacks[0].files.push(RenderedFile {
        path: "proxy/server.crt".to_owned(),
        mode: 0o644,
        content: String::from_utf8(certificate()).unwrap().into(),
        masked: String::new(),
        secret: false,
        reload: None,
    });
    let text = record_of(&resolved, &BTreeMap::new());
    let begin = text.find("### How browsers").unwrap();
    let end = begin + text[begin..].find("## Accounts").unwrap();
    let fingerprint = regex::Regex::new("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}").unwrap();
    insta::assert_snapshot!(fingerprint.replace(&text[begin..end], "FINGERPRINT"));
}

/// Returns a certificate that ends with the year 2029.
fn certificate() -> Vec<u8> {
    use openssl::asn1::Asn1Time;
    let key = PKey::generate_ed25519().unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "acme.example")
        .unwrap();
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    let begin = Asn1Time::from_unix(1_700_000_000).unwrap();
    let end = Asn1Time::from_unix(1_893_456_000).unwrap();
    builder.set_not_before(&begin).unwrap();
    builder.set_not_after(&end).unwrap();
    builder.sign(&key, MessageDigest::null()).unwrap();
    builder.build().to_pem().unwrap()
}
