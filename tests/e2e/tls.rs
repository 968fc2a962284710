//! Certificates of the deployment's own and of the customer's, as `curl` and `openssl` see them, and replaced while everything else goes on.

use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::program::{Ended, Running, is};
use crate::site::{Site, section, vm};

/// Makes an authority and a certificate by it for `$1`, good for `$2` days: `ca.crt`, `new.crt`, `new.key`.
const MAKE: &str = r#"
set -eu
printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n' "$1" >ext
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $curve -keyout ca.key -out ca.crt -days 3650 -subj '/CN=Acme authority'
openssl req $curve -keyout new.key -out new.csr -subj '/CN=syntho'
openssl x509 -req -in new.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days "$2" -extfile ext -out leaf.crt
cat leaf.crt ca.crt >new.crt
"#;

fn sh(folder: &Utf8Path, script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", script, "sh"]);
    command.args(arguments).output().unwrap()
}

/// Returns an empty folder with a new pair in it.
fn pair(site: &Site, name: &str, days: &str) -> Utf8PathBuf {
    let folder = site.home.join(name);
    fs_err::create_dir(&folder).unwrap();
    let address = site.vm("one").address().to_string();
    let made = sh(&folder, MAKE, &[&address, days]);
    assert!(made.status.success(), "{made:?}");
    folder
}

/// What `curl` says of a page: its exit code, and status and target of the answer.
fn curl(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new("curl");
    command.args(["-s", "-o", "/dev/null", "--max-time", "20"]);
    command.args(["-w", "%{http_code} %{redirect_url}"]);
    let said = command.args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    (said.status.code().unwrap(), text)
}

/// Returns the serial number of the certificate that is served, once `openssl` has verified it.
fn serial(site: &Site, authority: &Utf8Path) -> String {
    let script = r#"
        echo | openssl s_client -connect "$1:443" -CAfile "$2" -verify_return_error -verify_ip "$1" 2>/dev/null >session || exit 1
        grep -q 'Verify return code: 0 (ok)' session && openssl x509 -noout -serial <session"#;
    let address = site.vm("one").address().to_string();
    let said = sh(&site.home, script, &[&address, authority.as_str()]);
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Containers with the moment at which each was started.
fn containers(site: &Site) -> String {
    let look =
        "docker ps -q | sort | xargs docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}'";
    site.vm("one").exec_ok(look).unwrap()
}

fn certificate(site: &Site, more: &[&str]) -> Ended {
    let arguments = ["certificate", "acme", "--yes", "--json"];
    site.run(&[&arguments, more].concat())
}

fn replace(site: &Site, certificate_file: &Utf8Path, key: &Utf8Path) -> Ended {
    certificate(
        site,
        &["--cert", certificate_file.as_str(), "--key", key.as_str()],
    )
}

/// Returns the judgement of the certificate among events.
fn judgement(events: &[Value]) -> &Value {
    let title = "Browsers trust the certificate";
    let found = events.iter().filter(|event| is(event, "check-ended"));
    let mut found = found.map(|event| &event["check"]);
    found
        .find(|check| check["title"] == title)
        .unwrap_or_else(|| panic!("no judgement in {events:#?}"))
}

#[test]
fn a_certificate_is_made_renewed_and_replaced_while_everything_else_goes_on() {
    let site = Site::with(&[vm("one")]);
    let mut answers = site.answers_for(&[("one", &["ui"])]);
    answers.insert("preset".into(), "syntho-one-node".into());
    for key in ["protocol", "tls"] {
        section(&mut answers, "answers").remove(key);
    }
    site.deploy(&answers).expect_code(0);
    let address = site.vm("one").address().to_string();
    let (page, plain) = (format!("https://{address}/"), format!("http://{address}/"));
    let own = site.home.join("state/deployments/acme/ca.crt");
    let trusting = |authority: &Utf8Path| curl(&["--cacert", authority.as_str(), &page]);

    // The one that was made: trusted by those who were told to, and nobody else; plain http leads there; old protocols are refused.
    assert_eq!(trusting(&own), (0, "200".to_owned()));
    assert_eq!(curl(&[&page]).0, 60);
    assert_eq!(curl(&[&plain]), (0, format!("301 {page}")));
    assert_eq!(curl(&["-k", "--tls-max", "1.1", &page]).0, 35);
    let first = serial(&site, &own);
    let before = containers(&site);

    // Renewed: another certificate by the same authority, and no container was touched.
    certificate(&site, &["--renew"]).expect_code(0);
    let second = serial(&site, &own);
    assert_ne!(first, second);
    assert_eq!(trusting(&own), (0, "200".to_owned()));
    assert_eq!(containers(&site), before);

    let (good, other) = (pair(&site, "good", "90"), pair(&site, "other", "20"));
    refuses_what_cannot_be_served(&site, &good, &other);
    assert_eq!(serial(&site, &own), second);

    // The customer's own, killed while it is put there, and once more.
    let mut command = site.program();
    command.args(["certificate", "acme", "--yes", "--json", "--cert"]);
    command.args([good.join("new.crt"), "--key".into(), good.join("new.key")]);
    let mut run = Running::start(command);
    run.must_see("a step", |event| {
        is(event, "step-ended") && event["result"]["result"] == "changed"
    });
    run.kill();
    let ended = replace(&site, &good.join("new.crt"), &good.join("new.key")).expect_code(0);
    let events = ended.events();
    let judged = judgement(&events);
    assert_eq!(judged["verdict"], "pass", "{judged}");
    serial(&site, &good.join("ca.crt"));
    assert_eq!(trusting(&good.join("ca.crt")), (0, "200".to_owned()));
    assert_eq!(trusting(&own).0, 60);
    assert_eq!(without_proxy(&containers(&site)), without_proxy(&before));
    certificate(&site, &["--renew"])
        .expect_code(2)
        .says(&["was given", "--cert FILE --key FILE"]);

    // One that ends soon is served, and said to end soon from then on.
    let ended = replace(&site, &other.join("new.crt"), &other.join("new.key")).expect_code(0);
    let events = ended.events();
    let judged = judgement(&events);
    assert_eq!(judged["verdict"], "warn", "{judged}");
    serial(&site, &other.join("ca.crt"));
    let ended = site.run(&["status", "acme"]).expect_code(0);
    ended.says(&["19 days"]);
    let events = site.deploy_known().expect_code(0).events();
    assert_eq!(
        events.last().unwrap()["outcome"]["outcome"],
        "nothing-to-do"
    );
}

/// Returns containers without the proxy's, which serves the certificate.
fn without_proxy(containers: &str) -> Vec<&str> {
    let lines = containers.lines();
    lines.filter(|line| !line.contains("proxy")).collect()
}

/// What cannot be served is refused before anything is touched, and what was accepted stays accepted.
fn refuses_what_cannot_be_served(site: &Site, good: &Utf8Path, other: &Utf8Path) {
    let accepted = site.home.join("state/deployments/acme/answers.toml");
    let text = fs_err::read_to_string(&accepted).unwrap();
    replace(site, &good.join("new.crt"), &other.join("new.key"))
        .expect_code(2)
        .says(&["tls-key", "does not belong to the certificate"]);
    replace(site, &good.join("none.crt"), &good.join("new.key"))
        .expect_code(2)
        .says(&["none.crt"]);
    assert_eq!(fs_err::read_to_string(&accepted).unwrap(), text);
}
