//! A certificate of the customer's: from the answers file to the proxy's folder on the host, and refused for the right reason.

use crate::support::Variant;
use camino::Utf8Path;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509Builder, X509NameBuilder};
use rstest::rstest;
use secrecy::ExposeSecret;
use syntho_installer::model::failure::Failure;
use syntho_installer::model::ids::{HostName, StackId};
use syntho_installer::model::resolved::Resolved;
use syntho_installer::model::{resolve::resolve, sample};
use syntho_installer::presets::{Presets, answers_example};
use syntho_installer::settings::{Loaded, SettingsError, Surroundings, load_text};

const NOW: i64 = 1_800_000_000;

fn certificate(key: &PKey<Private>, name: &str, days: i64) -> Vec<u8> {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", "leaf").unwrap();
    let subject = subject.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(NOW - 90 * 86_400).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(NOW + days * 86_400).unwrap())
        .unwrap();
    let names = SubjectAlternativeName::new()
        .dns(name)
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// Loads an answers file that provides `certificate` and `key`.
fn load(folder: &Utf8Path, certificate: &[u8], key: &[u8]) -> Result<Loaded, SettingsError> {
    fs_err::write(folder.join("site.crt"), certificate).unwrap();
    fs_err::write(folder.join("site.key"), key).unwrap();
    let presets = Presets::default();
    let text = answers_example(&presets.load(&"syntho-app-ray".parse().unwrap()).unwrap());
    let provided =
        "[answers]\ntls = \"provided\"\ntls-cert = \"site.crt\"\ntls-key = \"./site.key\"\n";
    let text = text.replacen("[answers]\n", provided, 1);
    let given = |name: &str| {
        let known = ["SYNTHO_SECRET_LICENSE_KEY", "SYNTHO_SECRET_ADMIN_PASSWORD"];
        known.contains(&name).then(|| "correct horse".to_owned())
    };
    let around = Surroundings {
        environment: &given,
        home: None,
        now: jiff::Timestamp::from_second(NOW).unwrap(),
    };
    load_text("acme.toml", &text, folder, &presets, &around)
}

#[test]
fn a_good_pair_reaches_the_proxys_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let key = key();
    let certificate = certificate(&key, "*.acme.example", 30);
    let pem = key.private_key_to_pem_pkcs8().unwrap();
    let deployment = load(folder, &certificate, &pem)
        .unwrap()
        .complete()
        .unwrap();
    let facts = sample::facts_of(&deployment);
    let resolved = resolve(
        &deployment,
        &facts,
        &|_, _, _| None,
        &Presets::default().assets(),
        sample::making(),
    );
    let resolved = resolved.unwrap();
    let stack = crate::support::placed(&resolved, "application", "ui");
    let server_key = crate::support::file(stack, "proxy/tls/server.key");
    assert_eq!(server_key.content.expose_secret().as_bytes(), pem);
    assert_eq!(
        (server_key.mode, server_key.masked.as_str()),
        (0o600, "‹tls-key›")
    );
    assert_eq!(
        crate::support::file(stack, "proxy/tls/server.crt")
            .content
            .expose_secret()
            .as_bytes(),
        certificate
    );
    assert_eq!(
        crate::support::variable(stack, "FRONTEND_HOST"),
        "syntho.acme.example"
    );
    assert_eq!(
        crate::support::variable(stack, "FRONTEND_PROTOCOL"),
        "https"
    );
    assert_eq!(crate::support::variable(stack, "SECURED_COOKIES"), "True");
    assert_eq!(resolved.endpoints[0].url, "https://syntho.acme.example/");
    let yaml = crate::support::compose(stack);
    assert_eq!(
        yaml["services"]["frontend"]["ports"][0],
        "127.0.0.1:${FRONTEND_PORT:?}:3000"
    );
}

#[rstest]
#[case::name(
    "other.example",
    30,
    true,
    "does not cover `syntho.acme.example`: it is for other.example"
)]
#[case::expired("*.acme.example", -1, true, "expired on 2027-01-14")]
#[case::stranger(
    "*.acme.example",
    30,
    false,
    "`answers.tls-key`: `./site.key` does not belong to the certificate"
)]
fn a_bad_pair_is_refused_before_anything_connects(
    #[case] name: &str,
    #[case] days: i64,
    #[case] pair: bool,
    #[case] message: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let own = key();
    let given = if pair { own.clone() } else { key() };
    let certificate = certificate(&own, name, days);
    let error = load(
        folder,
        &certificate,
        &given.private_key_to_pem_pkcs8().unwrap(),
    )
    .unwrap_err();
    let text = Failure::from_error(&error).causes.join("\n");
    assert!(text.contains(message), "{text}");
    assert!(!text.contains("PRIVATE KEY--"), "{text}");
}

/// The application with a certificate of the installer's own, as it would stand on a host that keeps `kept`.
fn self_signed(kept: &dyn Fn(&str) -> Option<String>) -> Resolved {
    let variant = Variant::chosen("syntho-app-ray", &[("tls", "self-signed")]);
    let keeper = |host: &HostName, stack: &StackId, name: &str| {
        assert_eq!((host.as_str(), stack.as_str()), ("ui", "application"));
        kept(name).map(Into::into)
    };
    variant.try_resolve_with(&keeper).unwrap()
}

#[test]
fn a_certificate_of_our_own_is_made_once_and_read_back_from_the_host() {
    let first = self_signed(&|_| None);
    let stack = crate::support::placed(&first, "application", "ui");
    let content = |path: &str| {
        let file = stack.files.iter().find(|file| file.path == path);
        file.map(|file| file.content.expose_secret().to_owned())
    };
    let again = self_signed(&content);
    for path in [
        "tls/server.crt",
        "tls/server.key",
        "authority/ca.crt",
        "authority/ca.key",
    ] {
        let path = format!("proxy/{path}");
        let again = crate::support::placed(&again, "application", "ui");
        let again = crate::support::file(again, &path);
        assert_eq!(
            Some(again.content.expose_secret().to_owned()),
            content(&path),
            "{path}"
        );
        let is_key = path.ends_with("key");
        assert_eq!(again.secret, is_key, "{path}");
        assert_eq!(again.mode, if is_key { 0o600 } else { 0o644 }, "{path}");
        assert_eq!(again.reload.as_deref(), Some("proxy"));
    }
    let authority = &first.authorities[0];
    assert_eq!(authority.names, ["syntho.acme.example", "10.0.0.11"]);
    assert_eq!(
        authority.path,
        "/opt/syntho/sample/application/proxy/authority/ca.crt"
    );
    // Keys are taken out of whatever is told.
    let key = content("proxy/authority/ca.key").unwrap();
    assert!(first.secrets.appear_in(&key));
}
