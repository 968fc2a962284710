//! Certificates made, kept, renewed, and held against OpenSSL's own judgement.

use super::*;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509StoreContext};
use rstest::rstest;

const HOST: &str = "syntho.acme.example";

fn now() -> Timestamp {
    Timestamp::now()
}

fn after(days: i64) -> Timestamp {
    now() + (days * 24).hours()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn made(names: &[String], kept: &KeptParts, now: Timestamp) -> Issued {
    let wanted = Wanted {
        owner: "acme-prod",
        names,
    };
    settle(wanted, kept, now).unwrap()
}

fn kept(issued: &Issued) -> KeptParts {
    KeptParts {
        authority: Some(issued.authority.clone().into()),
        authority_key: Some(issued.authority_key.clone()),
        certificate: Some(issued.certificate.clone().into()),
        key: Some(issued.key.clone()),
    }
}

/// Judges as a browser does that trusts the authority.
fn is_trusted(authority: &str, certificate: &str, name: &str) -> bool {
    let mut store = X509StoreBuilder::new().unwrap();
    store
        .add_cert(X509::from_pem(authority.as_bytes()).unwrap())
        .unwrap();
    let mut param = X509VerifyParam::new().unwrap();
    match name.parse() {
        Ok(address) => param.set_ip(address).unwrap(),
        Err(_) => param.set_host(name).unwrap(),
    }
    store.set_param(&param).unwrap();
    let leaf = X509::from_pem(certificate.as_bytes()).unwrap();
    let mut context = X509StoreContext::new().unwrap();
    let chain = Stack::new().unwrap();
    context
        .init(
            &store.build(),
            &leaf,
            &chain,
            openssl::x509::X509StoreContextRef::verify_cert,
        )
        .unwrap()
}

#[rstest]
#[case::a_name(&[HOST, "10.0.0.11"])]
#[case::an_address(&["10.0.0.11"])]
#[case::addresses(&["10.0.0.11", "fd00::11"])]
fn it_is_trusted_for_its_names_by_whoever_trusts_the_authority(#[case] wanted: &[&str]) {
    let issued = made(&names(wanted), &KeptParts::default(), now());
    for name in wanted {
        assert!(
            is_trusted(&issued.authority, &issued.certificate, name),
            "{name}"
        );
    }
    for other in ["other.example", "10.9.9.9"] {
        assert!(!is_trusted(&issued.authority, &issued.certificate, other));
    }
    assert!(
        check_key(
            issued.key.expose_secret().as_bytes(),
            Some(issued.certificate.as_bytes())
        )
        .is_ok()
    );
}

#[rstest]
#[case::by_name(&[HOST, "10.0.0.11"], "bank.example")]
#[case::by_name_of_an_address(&["10.0.0.11"], "bank.example")]
#[case::by_address(&[HOST], "10.9.9.9")]
#[case::by_address_of_an_address(&["10.0.0.11"], "10.9.9.9")]
fn a_stolen_authority_is_good_for_nothing_else(#[case] wanted: &[&str], #[case] other: &str) {
    let issued = made(&names(wanted), &KeptParts::default(), now());
    let mut params = CertificateParams::new(vec![other.to_owned()]).unwrap();
    set_validity(&mut params, day(now()), day(after(30)));
    let thief = KeyPair::from_pem(issued.authority_key.expose_secret()).unwrap();
    let thief = Issuer::from_ca_cert_pem(&issued.authority, thief).unwrap();
    let forged = params
        .signed_by(&KeyPair::generate().unwrap(), &thief)
        .unwrap();
    assert!(!is_trusted(&issued.authority, &forged.pem(), other));
    assert!(!permits(issued.authority.as_bytes(), other));
    assert!(permits(issued.authority.as_bytes(), wanted[0]));
}

#[test]
fn what_is_kept_is_used_again_until_thirty_days_before_its_end() {
    let wanted = names(&[HOST, "10.0.0.11"]);
    let first = made(&wanted, &KeptParts::default(), now());
    let same = made(&wanted, &kept(&first), after(DAYS - RENEW - 2));
    assert_eq!(same.certificate, first.certificate);
    assert_eq!(same.authority, first.authority);
    let renewed = made(&wanted, &kept(&first), after(DAYS - RENEW + 1));
    assert_eq!(
        renewed.authority, first.authority,
        "browsers go on trusting"
    );
    assert_ne!(renewed.certificate, first.certificate);
    assert_ne!(renewed.key.expose_secret(), first.key.expose_secret());
    let left = read_certificate(renewed.certificate.as_bytes(), after(DAYS - RENEW + 1)).unwrap();
    assert!((DAYS - 2..=DAYS).contains(&left.days_left), "{left:?}");
}

#[test]
fn near_the_authoritys_end_both_are_made_anew_and_none_outlives_it() {
    let wanted = names(&[HOST]);
    let first = made(&wanted, &KeptParts::default(), now());
    let last_year = after(YEARS * 365 - 200);
    let short = made(&wanted, &kept(&first), last_year);
    assert_eq!(short.authority, first.authority);
    let ends = |pem: &str| {
        read_certificate(pem.as_bytes(), last_year)
            .unwrap()
            .days_left
    };
    assert!(ends(&short.certificate) <= ends(&short.authority));
    let other = made(&wanted, &kept(&first), after(YEARS * 365));
    assert_ne!(other.authority, first.authority);
}

#[test]
fn another_address_of_the_host_asks_no_browser_for_its_trust_again_and_another_name_does() {
    let first = made(&names(&[HOST, "10.0.0.11"]), &KeptParts::default(), now());
    let moved = made(&names(&[HOST, "10.0.0.99"]), &kept(&first), now());
    assert_eq!(moved.authority, first.authority);
    assert_eq!(
        moved.certificate,
        made(&names(&[HOST, "10.0.0.99"]), &kept(&moved), now()).certificate
    );
    let renamed = made(&names(&["other.example"]), &kept(&first), now());
    assert_ne!(renamed.authority, first.authority);
}

#[rstest]
#[case::key_gone(|kept: &mut KeptParts| kept.key = None, true)]
#[case::certificate_of_another(|kept: &mut KeptParts| kept.certificate = kept.authority.clone(), true)]
#[case::truncated(|kept: &mut KeptParts| kept.certificate = Some("-----BEGIN CERT".into()), true)]
#[case::authority_key_gone(|kept: &mut KeptParts| kept.authority_key = None, false)]
#[case::authority_key_of_another(|kept: &mut KeptParts| kept.authority_key = kept.key.clone(), false)]
#[case::all_gone(|kept: &mut KeptParts| *kept = KeptParts::default(), false)]
fn what_is_broken_is_made_anew(#[case] harm: fn(&mut KeptParts), #[case] same_authority: bool) {
    let wanted = names(&[HOST]);
    let first = made(&wanted, &KeptParts::default(), now());
    let mut harmed = kept(&first);
    harm(&mut harmed);
    let mended = made(&wanted, &harmed, now());
    assert_eq!(mended.authority == first.authority, same_authority);
    assert!(is_trusted(&mended.authority, &mended.certificate, HOST));
}

#[test]
fn a_name_that_cannot_be_certified_is_refused() {
    let wanted = names(&["bücher.example"]);
    let wanted = Wanted {
        owner: "acme",
        names: &wanted,
    };
    let error = settle(wanted, &KeptParts::default(), now()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no certificate can be made for bücher.example"),
        "{error}"
    );
}
