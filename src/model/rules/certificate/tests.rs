//! Certificates made on the spot with OpenSSL.

use super::*;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use rstest::rstest;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(NOW).unwrap()
}

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn ed25519() -> PKey<Private> {
    PKey::generate_ed25519().unwrap()
}

fn name(text: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_text("CN", text).unwrap();
    builder.build()
}

struct Issue<'a> {
    subject: &'a str,
    issuer: &'a str,
    key: &'a PKey<Private>,
    by: &'a PKey<Private>,
    names: &'a [&'a str],
    valid: (i64, i64),
}

impl Issue<'_> {
    fn build(&self) -> X509 {
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_subject_name(&name(self.subject)).unwrap();
        builder.set_issuer_name(&name(self.issuer)).unwrap();
        builder.set_pubkey(self.key).unwrap();
        builder
            .set_not_before(&Asn1Time::from_unix(self.valid.0).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(self.valid.1).unwrap())
            .unwrap();
        if self.names.is_empty() {
            builder
                .append_extension(BasicConstraints::new().ca().build().unwrap())
                .unwrap();
        } else {
            let mut alternatives = SubjectAlternativeName::new();
            for name in self.names {
                if name.parse::<IpAddr>().is_ok() {
                    alternatives.ip(name);
                } else {
                    alternatives.dns(name);
                }
            }
            let extension = alternatives
                .build(&builder.x509v3_context(None, None))
                .unwrap();
            builder.append_extension(extension).unwrap();
        }
        let digest = if self.by.id() == openssl::pkey::Id::ED25519 {
            MessageDigest::null()
        } else {
            MessageDigest::sha256()
        };
        builder.sign(self.by, digest).unwrap();
        builder.build()
    }
}

fn leaf(key: &PKey<Private>, names: &[&str], valid: (i64, i64)) -> Vec<u8> {
    let issue = Issue {
        subject: "leaf",
        issuer: "leaf",
        key,
        by: key,
        names,
        valid,
    };
    issue.build().to_pem().unwrap()
}

const VALID: (i64, i64) = (NOW - DAY, NOW + DAY);

#[rstest]
#[case::rsa(rsa())]
#[case::ec(ec())]
fn a_key_belongs_to_its_certificate_only(#[case] key: PKey<Private>) {
    let certificate = leaf(&key, &["syntho.acme.example"], VALID);
    let pem = key.private_key_to_pem_pkcs8().unwrap();
    assert_eq!(
        check_certificate(&certificate, &["syntho.acme.example".to_owned()], now()),
        Ok(())
    );
    assert_eq!(check_key(&pem, Some(&certificate)), Ok(()));
    let other = ec().private_key_to_pem_pkcs8().unwrap();
    assert_eq!(
        check_key(&other, Some(&certificate)),
        Err(CertificateProblem::Strangers)
    );
}

#[rstest]
#[case(&["syntho.acme.example"], "SYNTHO.acme.example", true)]
#[case(&["*.acme.example"], "syntho.acme.example", true)]
#[case(&["*.acme.example"], "acme.example", false)]
#[case(&["*.acme.example"], "a.b.acme.example", false)]
#[case(&["10.0.0.11"], "10.0.0.11", true)]
#[case(&["other.example"], "syntho.acme.example", false)]
fn names_it_covers(#[case] own: &[&str], #[case] wanted: &str, #[case] good: bool) {
    let certificate = leaf(&ec(), own, VALID);
    let result = check_certificate(&certificate, &[wanted.to_owned()], now());
    assert_eq!(result.is_ok(), good, "{result:?}");
}

#[rstest]
#[case((NOW + DAY, NOW + 2 * DAY), "is not valid before 2027-01-16")]
#[case((NOW - 2 * DAY, NOW - DAY), "expired on 2027-01-14")]
fn dates_with_the_clock_given(#[case] valid: (i64, i64), #[case] message: &str) {
    let problem = check_certificate(&leaf(&ec(), &["a.example"], valid), &[], now()).unwrap_err();
    assert_eq!(problem.to_string(), message);
}

#[test]
fn a_chain_stands_leaf_first() {
    let (root_key, key) = (ec(), rsa());
    let root = Issue {
        subject: "root",
        issuer: "root",
        key: &root_key,
        by: &root_key,
        names: &[],
        valid: VALID,
    };
    let leaf = Issue {
        subject: "leaf",
        issuer: "root",
        key: &key,
        by: &root_key,
        names: &["a.example"],
        valid: VALID,
    };
    let (root, leaf) = (
        root.build().to_pem().unwrap(),
        leaf.build().to_pem().unwrap(),
    );
    assert_eq!(
        check_certificate(
            &[leaf.clone(), root.clone()].concat(),
            &["a.example".to_owned()],
            now()
        ),
        Ok(())
    );
    let wrong = check_certificate(&[root, leaf].concat(), &[], now()).unwrap_err();
    assert!(wrong.to_string().contains("is not in order"), "{wrong}");
}

#[test]
fn what_is_no_certificate_is_said() {
    let key = ec().private_key_to_pem_pkcs8().unwrap();
    assert_eq!(
        check_certificate(b"hello", &[], now()),
        Err(CertificateProblem::NoCertificate)
    );
    assert_eq!(
        check_certificate(&key, &[], now()),
        Err(CertificateProblem::KeyInstead)
    );
    let broken = b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        check_certificate(broken, &[], now()),
        Err(CertificateProblem::Unreadable { number: 1, .. })
    ));
}

fn issued_by(key: &PKey<Private>, digest: MessageDigest, purpose: &ExtendedKeyUsage) -> Vec<u8> {
    let by = ec();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name("leaf")).unwrap();
    builder.set_issuer_name(&name("root")).unwrap();
    builder.set_pubkey(key).unwrap();
    let (from, until) = VALID;
    builder
        .set_not_before(&Asn1Time::from_unix(from).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(until).unwrap())
        .unwrap();
    builder.append_extension(purpose.build().unwrap()).unwrap();
    builder.sign(&by, digest).unwrap();
    builder.build().to_pem().unwrap()
}

fn short_rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap()
}

fn short_curve() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::SECP224R1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn server() -> ExtendedKeyUsage {
    let mut purpose = ExtendedKeyUsage::new();
    purpose.server_auth();
    purpose
}

fn client() -> ExtendedKeyUsage {
    let mut purpose = ExtendedKeyUsage::new();
    purpose.client_auth();
    purpose
}

#[rstest]
#[case::short_rsa(
    short_rsa(),
    MessageDigest::sha256(),
    server(),
    "RSA with 1024 bits; have it issued anew"
)]
#[case::short_curve(
    short_curve(),
    MessageDigest::sha256(),
    server(),
    "an elliptic curve of 224 bits; have"
)]
#[case::unknown_to_browsers(
    ed25519(),
    MessageDigest::sha256(),
    server(),
    "Ed25519, which browsers do not know"
)]
#[case::old_digest(
    rsa(),
    MessageDigest::sha1(),
    server(),
    "is signed with SHA-1 (certificate 1 in it)"
)]
#[case::for_clients(rsa(), MessageDigest::sha256(), client(), "is not for servers")]
fn what_browsers_refuse_is_refused(
    #[case] key: PKey<Private>,
    #[case] digest: MessageDigest,
    #[case] purpose: ExtendedKeyUsage,
    #[case] message: &str,
) {
    let pem = issued_by(&key, digest, &purpose);
    let problem = check_certificate(&pem, &[], now()).unwrap_err();
    assert!(problem.to_string().contains(message), "{problem}");
}

#[test]
fn what_browsers_take_is_taken() {
    for key in [rsa(), ec()] {
        let pem = issued_by(&key, MessageDigest::sha256(), &server());
        assert_eq!(check_certificate(&pem, &[], now()), Ok(()));
    }
}

#[test]
fn an_old_signature_of_a_root_is_nobodys_concern() {
    let key = rsa();
    let root = Issue {
        subject: "root",
        issuer: "root",
        key: &key,
        by: &key,
        names: &[],
        valid: VALID,
    };
    let mut builder = X509Builder::new().unwrap();
    let like = root.build();
    builder.set_version(2).unwrap();
    builder.set_subject_name(like.subject_name()).unwrap();
    builder.set_issuer_name(like.issuer_name()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(like.not_before()).unwrap();
    builder.set_not_after(like.not_after()).unwrap();
    builder.sign(&key, MessageDigest::sha1()).unwrap();
    let pem = builder.build().to_pem().unwrap();
    assert_eq!(check_certificate(&pem, &[], now()), Ok(()));
}

#[test]
fn other_forms_are_told_with_the_way_to_pem() {
    let key = rsa();
    let certificate = X509::from_pem(&leaf(&key, &["a.example"], VALID)).unwrap();
    let both = Pkcs12::builder()
        .pkey(&key)
        .cert(&certificate)
        .build2("sesame")
        .unwrap()
        .to_der()
        .unwrap();
    let mut extra = Stack::new().unwrap();
    extra.push(certificate.clone()).unwrap();
    let bundle = Pkcs7::sign(&certificate, &key, &extra, b"", Pkcs7Flags::empty()).unwrap();
    let said = |bytes: &[u8]| {
        let problem = check_certificate(bytes, &[], now()).unwrap_err();
        problem.to_string()
    };
    let der = said(&certificate.to_der().unwrap());
    assert!(der.contains("`openssl x509 -inform DER -in OLD"), "{der}");
    assert!(said(&both).contains("is a PKCS#12 file"));
    let pkcs7 = said(&bundle.to_pem().unwrap());
    assert!(
        pkcs7.contains("`openssl pkcs7 -in OLD -print_certs"),
        "{pkcs7}"
    );
    let problem = check_key(&key.private_key_to_der().unwrap(), None).unwrap_err();
    let der = problem.to_string();
    assert!(der.contains("`openssl pkey -inform DER -in OLD"), "{der}");
    assert_eq!(check_key(&both, None), Err(CertificateProblem::Pkcs12));
}

#[test]
fn a_key_with_a_passphrase_or_no_key_is_refused() {
    let locked = ec()
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"sesame")
        .unwrap();
    assert_eq!(check_key(&locked, None), Err(CertificateProblem::Encrypted));
    assert_eq!(check_key(b"hello", None), Err(CertificateProblem::NoKey));
}
