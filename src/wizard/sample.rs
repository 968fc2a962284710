//! A small preset with every kind of question, for tests.

use std::sync::Arc;

use super::{Around, Wizard};
use crate::model::preset::{Preset, PresetFile};
use crate::model::rules::Files;

/// The preset.
pub(crate) const PRESET: &str = r#"
id = "shop"
title = "Shop on several hosts"
summary = "A shop with a database and any number of workers."
needs = "1 host or more"
guide = "The shop's guide"

[[role]]
id = "web"
title = "Web"
help = "Serves the shop"
count = "1"

[[role]]
id = "worker"
title = "Worker"
help = "Works in the back"
count = "0.."

[[question]]
id = "worker-memory"
page = "sizing"
kind = "size"
optional = true
prompt = "Memory of the workers"
help = "Left empty, half of the host's"
example = "4gb"

[question.propose]
value = "{{ megabytes(hosts('web')[0].memory // 2) }}"
because = "half of the host's {{ amount(hosts('web')[0].memory) }}"
warning = "{% if hosts('web')[0].memory < size('4gb') %}4 GB are recommended{% endif %}"

[[question]]
id = "public-host"
page = "application"
kind = "host"
prompt = "Host name for browsers"
help = "The name under which people open the shop"
example = "shop.acme.example"

[[question]]
id = "web-port"
page = "application"
kind = "port"
default = "3000"
prompt = "Port of the shop"
help = "On its host"

[[question]]
id = "license-key"
page = "application"
kind = "secret"
trim = true
min = 8
prompt = "Licence key"
help = "The signed licence"

[[question]]
id = "database"
page = "application"
kind = "choice"
choices = ["bundled", "external"]
default = "bundled"
prompt = "Database"
help = "bundled: in a container beside the shop. external: a server of yours"

[[question]]
id = "database-host"
page = "application"
kind = "host"
when = "database == 'external'"
prompt = "Host of the database"
help = "Reached from the shop"
example = "db.acme.example"

[[question]]
id = "store-key"
page = "application"
kind = "secret"
generate = "text64"
kept = [{ stack = "shop", variable = "STORE_KEY" }]
prompt = "Key of the store"
help = "Encrypts what is stored"

[[question]]
id = "admin-email"
page = "auth"
kind = "email"
prompt = "E-mail address of the administrator"
help = "One logs in with it"
example = "admin@acme.example"

[[question]]
id = "allowed"
page = "auth"
kind = "list"
optional = true
prompt = "Who may log in"
help = "Left empty, everybody with an account"
example = "ann, bob"

[[question]]
id = "tls"
page = "tls"
kind = "choice"
choices = ["none", "provided"]
default = "none"
prompt = "Certificate"
help = "none: plain http. provided: your certificate"

[[question]]
id = "protocol"
page = "tls"
kind = "choice"
choices = ["http", "https"]
default = "{{ 'http' if tls == 'none' else 'https' }}"
prompt = "Protocol that browsers use"
help = "Follows the certificate"

[[question]]
id = "tls-cert"
page = "tls"
kind = "certificate"
when = "tls == 'provided'"
names = ["{{ public_host }}"]
prompt = "Certificate file"
help = "PEM, the server's own certificate first"
example = "certs/shop.crt"

[[question]]
id = "tls-key"
page = "tls"
kind = "private-key"
when = "tls == 'provided'"
matches = "tls-cert"
prompt = "Private key file"
help = "PEM, without a passphrase"
example = "certs/shop.key"

[[rule]]
holds = "(protocol == 'https') == (tls != 'none')"
message = "`protocol` is `{{ protocol }}`, and the certificate says otherwise"
example = "protocol = \"{{ 'http' if tls == 'none' else 'https' }}\""
about = ["protocol"]

[[image]]
id = "web"
title = "Shop"
reference = "{{ registry or 'vendor.example' }}/shop:{{ tag }}"
unpacked = "1gb"

[[need]]
role = "web"
cpus = 2
cpus-recommended = 4
memory = "2gb"
memory-recommended = "8gb"
"#;

/// Files that are not there.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn locate(&self, path: &str) -> String {
        format!("/site/{path}")
    }

    fn read(&self, _located: &str) -> Result<Vec<u8>, String> {
        Err("there is no such file".to_owned())
    }
}

/// Returns the preset.
pub(crate) fn preset() -> Arc<Preset> {
    let file: PresetFile = toml::from_str(PRESET).unwrap();
    Arc::new(file.into_preset(Vec::new()).unwrap())
}

/// Returns surroundings without files and variables.
pub(crate) fn around() -> Around<'static> {
    Around {
        files: &NoFiles,
        now: jiff::Timestamp::UNIX_EPOCH,
        is_set: &|_| false,
    }
}

/// Returns a wizard that has chosen the preset and nothing else.
pub(crate) fn begun() -> Wizard {
    let mut wizard = Wizard::default();
    wizard.choose(preset());
    wizard
}

/// Accepts a text for a field that is asked now.
pub(crate) fn say(wizard: &mut Wizard, key: &str, text: &str) {
    let key = super::Key::new(key);
    let look = wizard.look(&around());
    let field = look
        .field(&key)
        .unwrap_or_else(|| panic!("{key} is not asked"));
    wizard.accept(field, text);
}

/// Returns a wizard whose answers are whole.
pub(crate) fn whole() -> Wizard {
    let mut wizard = begun();
    let host = wizard.add_host();
    wizard.toggle_role(host, "web");
    for (key, text) in [
        ("name", "acme"),
        ("images.tag", "1.9.0"),
        ("ssh.user", "deploy"),
        ("hosts[0].name", "web"),
        ("hosts[0].address", "10.0.0.11"),
        ("answers.public-host", "shop.acme.example"),
        ("answers.admin-email", "admin@acme.example"),
    ] {
        say(&mut wizard, key, text);
    }
    wizard
}
