//! A registry that does not give what it is asked for: each reason is told apart, with what to do about it, in words that Docker's own do not say.

use secrecy::SecretString;
use syntho_installer::engine::action::{Action, ActionError, Context, Material, Materials};
use syntho_installer::model::failure::Hinted;
use syntho_installer::model::ids::{HostName, StackId};
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::{Vm, VmSpec};
use syntho_installer::transport::{Host, RegistryLogin};

use crate::bundle_engines::{Alone, Ear, delivery_of, reach};
use crate::shop::Shop;
use crate::site::Site;

/// A registry that serves nobody: it knows the protocol and says that it was asked too often.
const BUSY: &str = r#"cat > /tmp/busy.py <<'END'
import http.server
class Busy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        version = self.path == "/v2/"
        body = b"{}" if version else b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
        self.send_response(200 if version else 429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
http.server.HTTPServer(("127.0.0.1", 5555), Busy).serve_forever()
END
systemd-run --quiet --unit busy-registry python3 /tmp/busy.py
timeout 10 sh -c 'until ss -Hltn "sport = :5555" | grep -q .; do sleep 0.05; done'"#;

const PROXY: &str = "mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nEnvironment=HTTPS_PROXY=http://127.0.0.1:9\\n' > /etc/systemd/system/docker.service.d/proxy.conf && systemctl daemon-reload && systemctl restart docker";

/// Who asks, and with which password.
struct Asking {
    registry: String,
    password: &'static str,
}

impl Materials for Asking {
    fn file(&self, _: &HostName, _: &StackId, _: &str) -> Option<Material> {
        None
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        Some(RegistryLogin {
            registry: self.registry.clone(),
            username: Shop::USER.to_owned(),
            password: SecretString::from(self.password),
        })
    }

    fn environment(&self, _: &HostName, _: &StackId) -> Option<Vec<(String, SecretString)>> {
        None
    }
}

/// Pulls an image as the step of a run does.
fn pull(host: &dyn Host, reference: &str, password: &'static str) -> Result<(), ActionError> {
    let reference = ImageRef::parse(reference).unwrap();
    let asking = Asking {
        registry: reference.registry().unwrap().to_owned(),
        password,
    };
    let ear = Ear::default();
    let cx = Context {
        host,
        materials: &asking,
        progress: &ear,
        peers: &Alone,
    };
    delivery_of(reference).execute(&cx)
}

#[track_caller]
fn refused(pulled: Result<(), ActionError>, says: &str, advises: &str) {
    let error = pulled.unwrap_err();
    let told = format!("{error}: {:?}", error.evidence());
    let hint = error.hint().unwrap_or_default();
    assert!(told.contains(says), "`{says}` was not said: {told}");
    assert!(
        hint.contains(advises),
        "`{advises}` was not advised: {hint}"
    );
}

fn without_trust(vm: &Vm, work: impl FnOnce()) {
    let folder = "/etc/docker/certs.d";
    vm.exec_ok(&format!("mv {folder} {folder}.aside")).unwrap();
    work();
    vm.exec_ok(&format!("mv {folder}.aside {folder}")).unwrap();
}

#[test]
fn why_a_registry_gives_nothing_is_told_apart() {
    let site = Site::with(&[VmSpec::new("ui")]);
    let shop = Shop::open(&site);
    let (vm, host) = (site.vm("ui"), reach(&site, "ui"));
    let image = shop.image("redis");
    let ask = |reference: &str, password| pull(host.as_ref(), reference, password);

    refused(
        ask(&image, "not-it"),
        "the registry refuses the login",
        "registry-password",
    );
    let (name, _) = image.rsplit_once(':').unwrap();
    refused(
        ask(&format!("{name}:9.9.9"), Shop::PASSWORD),
        "the registry has no such image",
        "`tag`",
    );
    without_trust(vm, || {
        refused(
            ask(&image, Shop::PASSWORD),
            "the registry's certificate is not trusted",
            "/etc/docker/certs.d/",
        );
    });
    vm.exec_ok(BUSY).unwrap();
    refused(
        ask("127.0.0.1:5555/busy:1", Shop::PASSWORD),
        "the registry limits how often it may be asked",
        "use a bundle",
    );
    vm.exec_ok(PROXY).unwrap();
    refused(
        ask(&image, Shop::PASSWORD),
        "the proxy does not answer",
        "proxy of the host's Docker",
    );
    vm.exec_ok("rm /etc/systemd/system/docker.service.d/proxy.conf && systemctl daemon-reload && systemctl restart docker")
        .unwrap();

    // Nothing of all this is in the way of the right thing.
    ask(&image, Shop::PASSWORD).unwrap();
    let found = vm.exec_ok(&format!(
        "docker image inspect --format '{{{{.Id}}}}' {image}"
    ));
    assert!(found.unwrap().starts_with("sha256:"));
}
