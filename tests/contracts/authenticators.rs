//! Who may log in to a hub: what each authenticator's answers become.

use std::collections::BTreeSet;

use rstest::rstest;
use secrecy::ExposeSecret;

use crate::support::{Variant, file, placed};

/// Answers beyond the defaults.
pub(crate) type Choices = &'static [(&'static str, &'static str)];

/// Every authenticator with what it needs, each of its ways once.
pub(crate) const AUTHENTICATORS: [(&str, Choices); 10] = [
    (
        "azuread",
        &[
            ("authenticator", "azuread"),
            ("allowed-groups", "5f0c1a52-7e0b-4f1e-9a57-0a5f3f1a9a01"),
        ],
    ),
    (
        "github",
        &[("authenticator", "github"), ("allow-all", "true")],
    ),
    (
        "github-enterprise",
        &[
            ("authenticator", "github"),
            ("github-url", "https://github.acme.example"),
            ("github-organizations", "acme, acme:data-science"),
            ("identity-ca", "certs/acme-ca.crt"),
        ],
    ),
    (
        "generic-oauth",
        &[
            ("authenticator", "generic-oauth"),
            ("allowed-users", "bob, carol"),
        ],
    ),
    (
        "generic-oauth-groups",
        &[
            ("authenticator", "generic-oauth"),
            ("oauth-issuer", "https://login.acme.example/realms/acme"),
            ("allowed-groups", "data-science"),
            ("oauth-groups-claim", "realm_access.roles"),
            ("identity-ca", "certs/acme-ca.crt"),
        ],
    ),
    (
        "ldap",
        &[
            ("authenticator", "ldap"),
            ("ldap-group", "cn=data-science,ou=groups,dc=acme,dc=example"),
        ],
    ),
    (
        "ldap-lookup",
        &[
            ("authenticator", "ldap"),
            ("ldap-tls", "tls"),
            ("ldap-bind", "lookup"),
            ("ldap-user-attribute", "sAMAccountName"),
            ("ldap-search-user", "cn=hub,ou=services,dc=acme,dc=example"),
            ("allowed-users", "bob"),
            ("identity-ca", "certs/acme-ca.crt"),
        ],
    ),
    (
        "ldap-anonymous",
        &[
            ("authenticator", "ldap"),
            ("ldap-tls", "none"),
            ("ldap-bind", "lookup"),
            ("allow-all", "true"),
        ],
    ),
    ("native", &[("admin-users", "alice, dave")]),
    (
        "shared-password",
        &[
            ("authenticator", "shared-password"),
            ("allowed-users", "bob"),
            ("shared-user-password", "everybody's own"),
        ],
    ),
];

pub(crate) fn variant(choices: Choices) -> Variant {
    variant_of("jupyterhub-ray", choices)
}

pub(crate) fn variant_of(preset: &str, choices: Choices) -> Variant {
    let mut all = vec![("tls", "external")];
    all.extend(choices);
    Variant::chosen(preset, &all)
}

#[test]
fn each_authenticator_has_its_file_and_no_secret_is_in_it() {
    for (name, choices) in AUTHENTICATORS {
        let resolved = variant(choices).resolve();
        let hub = placed(&resolved, "hub", "hub");
        let written = file(hub, "authenticator.py");
        assert!(!written.secret, "{name}");
        insta::assert_snapshot!(
            format!("authenticator@{name}"),
            written.content.expose_secret()
        );
    }
}

#[test]
fn each_authenticator_has_the_variables_that_its_file_asks_for_and_no_others() {
    let asked = regex::Regex::new(r#""((?:OAUTH|AAD|LDAP|NATIVE|SHARED)_[A-Z_]+)""#).unwrap();
    let own = regex::Regex::new("^(OAUTH|AAD|LDAP|NATIVE|SHARED)_").unwrap();
    for (name, choices) in AUTHENTICATORS {
        let resolved = variant(choices).resolve();
        let hub = placed(&resolved, "hub", "hub");
        let python = file(hub, "authenticator.py").content.expose_secret();
        let wanted: BTreeSet<&str> = asked
            .captures_iter(python)
            .map(|found| found.get(1).unwrap().as_str())
            .collect();
        let variables = hub
            .environment
            .iter()
            .map(|(variable, _)| variable.as_str());
        let given: BTreeSet<&str> = variables
            .filter(|variable| own.is_match(variable))
            .collect();
        assert_eq!(given, wanted, "{name}");
        let compose = file(hub, "docker-compose.yaml").content.expose_secret();
        for variable in given {
            assert!(
                compose.contains(&format!("      {variable}: ${{{variable}:?")),
                "{name}: {variable}"
            );
        }
    }
}

/// What a person typed is a literal in Python, whatever it holds.
#[rstest]
#[case("cn=a\"b,dc=x", r#"allowed_groups = ["cn=a\"b,dc=x"]"#)]
#[case("cn={{ 7 * 7 }},dc=x", r#"allowed_groups = ["cn={{ 7 * 7 }},dc=x"]"#)]
#[case("cn=a\\,b,dc=x", r#"allowed_groups = ["cn=a\\,b,dc=x"]"#)]
fn what_was_typed_cannot_become_code(#[case] group: &'static str, #[case] line: &str) {
    let choices = [
        ("authenticator", "ldap"),
        ("tls", "external"),
        ("ldap-group", group),
    ];
    let resolved = Variant::chosen("jupyterhub-ray", &choices).resolve();
    let hub = placed(&resolved, "hub", "hub");
    let text = file(hub, "authenticator.py").content.expose_secret();
    assert!(text.contains(line), "{text}");
}
