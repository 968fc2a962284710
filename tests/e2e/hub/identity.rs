//! Logins by what a company has: a real directory, an identity provider, and GitHub Enterprise as far as a login goes.

use serde_json::{Value as Json, json};
use syntho_installer::rehearsal::{VmSpec, images};
use toml::{Table, Value};

use super::browser;
use super::person::Person;
use super::{answers_for, deploy, images_of_the_hub};
use crate::site::{Site, engine, section, tell};

/// The providers beside the deployment, and the authority that issued their certificates.
struct Identity<'a> {
    site: &'a Site,
    address: String,
    ca: String,
}

impl<'a> Identity<'a> {
    /// Starts them on a VM whose Docker holds their image.
    fn start(site: &'a Site, vm: &str, image: &str) -> Self {
        let address = site.vm(vm).address().to_string();
        let start = format!(
            "docker run -d --name identity --network host -e ADDRESS={address} {image} && \
             timeout 60 sh -c 'until curl -skf https://{address}/ -o /dev/null; do sleep 0.3; done' && \
             docker exec identity cat /certs/ca.crt"
        );
        let said = site.vm(vm).exec_ok(&start).unwrap();
        let ca = said[said.find("-----BEGIN").unwrap()..].to_owned() + "\n";
        fs_err::write(site.home.join("identity-ca.crt"), &ca).unwrap();
        Self { site, address, ca }
    }

    /// Registers the hub as the provider's administrator does; returns the client's id and secret.
    fn register(&self, callback: &str) -> (String, String) {
        let client = json!({"redirect_uris": [callback], "token_endpoint_auth_method": "client_secret_post"});
        let ask = format!(
            "curl -skf -H 'Content-Type: application/json' -d '{client}' https://{}/oauth2/clients",
            self.address
        );
        let said = self.site.vm("hub").exec_ok(&ask).unwrap();
        let client: Json = serde_json::from_str(&said).unwrap();
        let part = |name: &str| client[name].as_str().unwrap().to_owned();
        (part("client_id"), part("client_secret"))
    }

    /// Answers that are the same for every way to log in by it.
    fn answers(&self, who: &str) -> Table {
        let who: Table = who.replace("ADDRESS", &self.address).parse().unwrap();
        let mut given: Vec<(&str, Value)> = vec![
            ("tls", "self-signed".into()),
            ("protocol", "https".into()),
            ("identity-ca", "identity-ca.crt".into()),
        ];
        given.extend(who.iter().map(|(id, value)| (id.as_str(), value.clone())));
        let hosts: [(&str, &[&str]); 2] =
            [("hub", &["hub", "ray-head"]), ("ray-2", &["ray-worker"])];
        answers_for(self.site, &hosts, &given)
    }

    /// The authority of the deployment, as the operator hands it on.
    fn authority(&self) -> String {
        fs_err::read_to_string(self.site.home.join("state/deployments/acme/ca.crt")).unwrap()
    }

    /// What a browser at this company trusts, once its administrators have spread that.
    fn trusted(&self) -> String {
        self.authority() + &self.ca
    }
}

/// Who must get in, who must not, and that only `alice` is an administrator.
fn logins(identity: &Identity<'_>, way: &str, password: &str, let_in: &str, refused: &str) {
    let url = format!("https://{}", identity.site.vm("hub").address());
    let ca = identity.trusted();
    for (name, gets_in, admin) in [
        (let_in, true, 403),
        (refused, false, 0),
        ("alice", true, 200),
    ] {
        let password = format!("{name} {password}");
        let person = Person {
            url: &url,
            ca: Some(&ca),
            name,
            password: &password,
        };
        let mut steps = vec![(json!([way]), json!(gets_in))];
        if gets_in {
            steps.push((json!(["status", "/hub/admin"]), json!(admin)));
            steps.push((json!(["logout"]), json!(false)));
        }
        let got = std::panic::catch_unwind(|| person.expect(&steps));
        if got.is_err() {
            let log = identity
                .site
                .vm("hub")
                .exec_ok("docker logs --tail 90 acme-hub-hub-1 2>&1");
            panic!("{}", log.unwrap());
        }
    }
}

/// A site with the hub and a Ray node on two VMs, and the name of the providers' image, which the second holds.
fn site() -> (Site, String) {
    let image = images::ensure_identity(engine(), &tell)
        .unwrap()
        .to_string();
    let hub = VmSpec::new("hub").images(images_of_the_hub());
    let mut beside = images_of_the_hub();
    beside.push(image.clone());
    let site = Site::with(&[hub, VmSpec::new("ray-2").images(beside)]);
    (site, image)
}

#[test]
fn people_log_in_by_their_companys_directory_and_work_in_a_real_browser() {
    let (site, image) = site();
    let identity = Identity::start(&site, "ray-2", &image);
    by_a_group_of_the_directory(&identity);
    by_a_search_in_the_directory(&identity);
    // The deployment's own authority is all that this browser is told of.
    let url = format!("http://{}/", site.vm("hub").address());
    let password = "carol in the directory";
    browser::opens_a_notebook(&url, &identity.authority(), "carol", password);
}

#[test]
fn people_log_in_by_their_companys_identity_provider() {
    let (site, image) = site();
    let identity = Identity::start(&site, "ray-2", &image);
    let callback = format!("https://{}/hub/oauth_callback", site.vm("hub").address());
    let client = identity.register(&callback);
    by_openid_connect(&identity, &client);
    by_github(&identity, &client);
}

fn by_a_group_of_the_directory(identity: &Identity<'_>) {
    let answers = identity.answers(
        r#"
        authenticator = "ldap"
        ldap-server = "ADDRESS"
        ldap-bind-template = "uid={username},ou=people,dc=acme,dc=example"
        ldap-group = "cn=data-science,ou=groups,dc=acme,dc=example"
        "#,
    );
    deploy(identity.site, &answers).expect_code(0);
    logins(identity, "login", "in the directory", "bob", "carol");
}

fn by_a_search_in_the_directory(identity: &Identity<'_>) {
    let answers = identity.answers(
        r#"
        authenticator = "ldap"
        ldap-server = "ADDRESS"
        ldap-tls = "tls"
        ldap-bind = "lookup"
        ldap-search-base = "ou=people,dc=acme,dc=example"
        ldap-search-user = "cn=hub,ou=services,dc=acme,dc=example"
        allowed-users = ["carol"]
        "#,
    );
    let site = identity.site;
    let with = |password: &'static str| {
        site.deploy_with(&answers, |command| {
            command.env("SYNTHO_SECRET_LDAP_BIND_PASSWORD", password);
        })
    };
    // Tried from the hub's host before anything is changed.
    with("not this one")
        .expect_code(3)
        .says(&["refuses cn=hub", "wrong name or password"]);
    with("the hub searches").expect_code(0);
    logins(identity, "login", "in the directory", "carol", "bob");
}

fn by_openid_connect(identity: &Identity<'_>, client: &(String, String)) {
    let mut answers = identity.answers(
        r#"
        authenticator = "generic-oauth"
        oauth-issuer = "https://ADDRESS"
        oauth-authorize-url = "https://ADDRESS/oauth2/authorize"
        oauth-token-url = "https://ADDRESS/oauth2/token"
        oauth-userdata-url = "https://ADDRESS/userinfo"
        allowed-groups = ["data-science"]
        "#,
    );
    sign_on(identity, &mut answers, client);
}

fn by_github(identity: &Identity<'_>, client: &(String, String)) {
    let mut answers = identity.answers(
        r#"
        authenticator = "github"
        github-url = "https://ADDRESS"
        github-organizations = ["acme"]
        "#,
    );
    sign_on(identity, &mut answers, client);
}

fn sign_on(identity: &Identity<'_>, answers: &mut Table, (id, secret): &(String, String)) {
    section(answers, "answers").insert("oauth-client-id".into(), id.as_str().into());
    let deployed = identity.site.deploy_with(answers, |command| {
        command.env("SYNTHO_SECRET_OAUTH_CLIENT_SECRET", secret);
    });
    deployed.expect_code(0);
    logins(identity, "sign_on", "", "bob", "carol");
}
