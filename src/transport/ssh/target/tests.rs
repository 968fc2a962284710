//! Where connections go for settings and files of many kinds.

use std::time::Duration;

use super::*;
use crate::model::answers::SshSection;
use rstest::rstest;

/// A home folder with an SSH configuration.
struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join(".ssh")).unwrap();
        fs_err::write(folder.path().join(".ssh/config"), config).unwrap();
        Self(folder)
    }

    fn path(&self, rest: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().join(rest)
    }

    fn spec(&self, address: &str, login: SshSection) -> ConnectSpec {
        ConnectSpec {
            host: "ray-1".parse().unwrap(),
            address: address.to_owned(),
            login,
            host_key: None,
            password: None,
            passphrase: None,
            sudo_password: None,
            ssh_folder: Some(self.path(".ssh")),
            limit: Duration::from_secs(1),
        }
    }

    fn route(&self, address: &str, login: SshSection) -> Result<Route, TransportError> {
        route(&self.spec(address, login), "me")
    }
}

fn where_to(target: &Target) -> String {
    format!("{}@{}", target.user, target.address())
}

fn jumps(route: &Route) -> Vec<String> {
    route.hops.iter().map(where_to).collect()
}

#[test]
fn without_settings_the_operator_logs_in_on_port_22_with_the_default_keys() {
    let home = Home::new("");
    let route = home.route("10.0.0.1", SshSection::default()).unwrap();
    assert_eq!(where_to(&route.target), "me@10.0.0.1:22");
    let keys: Vec<_> = route
        .target
        .keys
        .iter()
        .map(|key| key.path.file_name().unwrap())
        .collect();
    assert_eq!(keys, DEFAULT_KEYS);
    assert!(route.target.keys.iter().all(|key| !key.named));
}

#[test]
fn an_alias_is_what_the_file_says() {
    let home = Home::new(
        "Host ray\n  HostName %h.example\n  User deploy\n  Port 2222\n  IdentityFile ~/.ssh/%r_key\nHost *\n  ServerAliveInterval 5\n  User other\n",
    );
    let route = home.route("ray", SshSection::default()).unwrap();
    assert_eq!(where_to(&route.target), "deploy@ray.example:2222");
    let key = KeyFile {
        path: home.path(".ssh/deploy_key"),
        named: true,
    };
    assert_eq!(route.target.keys, [key]);
}

#[test]
fn the_deployments_login_goes_before_the_file() {
    let home = Home::new(
        "Host ray\n  HostName ray.example\n  User deploy\n  Port 2222\n  ProxyJump bastion\n",
    );
    let login = SshSection {
        user: Some("admin".to_owned()),
        port: Some(23),
        key: Some("~/keys/k".into()),
        jump: Some("none".to_owned()),
        sudo: None,
    };
    let route = home.route("ray", login).unwrap();
    assert_eq!(where_to(&route.target), "admin@ray.example:23");
    assert_eq!(route.target.keys[0].path, home.path("keys/k"));
    assert!(route.hops.is_empty());
}

#[rstest]
#[case("bastion.example", &["me@bastion.example:22"])]
#[case("joe@bastion.example:2200", &["joe@bastion.example:2200"])]
#[case("joe@[fd00::1]:2200", &["joe@[fd00::1]:2200"])]
#[case("fd00::1", &["me@[fd00::1]:22"])]
#[case("outer,inner", &["me@outer:22", "me@inner:22"])]
#[case("gate", &["guard@gate.example:2022"])]
#[case("deep", &["guard@gate.example:2022", "me@deep.example:22"])]
fn jump_hosts(#[case] jump: &str, #[case] expected: &[&str]) {
    let home = Home::new(
        "Host gate\n  HostName gate.example\n  User guard\n  Port 2022\nHost deep\n  HostName deep.example\n  ProxyJump gate\n",
    );
    let login = SshSection {
        jump: Some(jump.to_owned()),
        ..SshSection::default()
    };
    assert_eq!(jumps(&home.route("ray", login).unwrap()), expected);
}

#[test]
fn the_file_names_jump_hosts_too() {
    let home = Home::new("Host ray\n  ProxyJump a,joe@b:23\n");
    let route = home.route("ray", SshSection::default()).unwrap();
    assert_eq!(jumps(&route), ["me@a:22", "joe@b:23"]);
}

#[rstest]
#[case("bastion:x")]
#[case("bastion:70000")]
#[case("@bastion")]
#[case("joe@")]
#[case("loop")]
fn misspelt_jump_hosts_are_refused(#[case] jump: &str) {
    let home = Home::new("Host loop\n  ProxyJump pool\nHost pool\n  ProxyJump loop\n");
    let login = SshSection {
        jump: Some(jump.to_owned()),
        ..SshSection::default()
    };
    assert!(matches!(
        home.route("ray", login),
        Err(TransportError::Config { .. })
    ));
}

#[test]
fn a_file_that_makes_no_sense_is_named() {
    let home = Home::new("Host ray\n  Port many\n");
    let error = home.route("ray", SshSection::default()).unwrap_err();
    let TransportError::Config { path, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(path, home.path(".ssh/config"));
}
