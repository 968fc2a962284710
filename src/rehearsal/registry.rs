//! The customer's own registry in the rehearsal: logins, TLS by a certificate authority of its own, trusted by the VMs.

mod stock;

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use secrecy::{ExposeSecret, SecretString};

use super::engine::Docker;
use super::error::RehearsalError;
use super::fleet::Fleet;
use super::network;
use super::recipes::Recipe;
use super::vm::{Vm, wait};

/// The name that the VMs know it by.
pub(crate) const HOST: &str = "registry.rehearsal";
/// The port that it serves.
const PORT: u16 = 5000;
/// How long it may take to make its certificates and answer.
const START: Duration = Duration::from_mins(1);
/// How long one push may take.
const PUSH: Duration = Duration::from_mins(10);

/// A running registry; it goes down with its fleet.
#[derive(Debug)]
pub struct Registry {
    docker: Docker,
    image: String,
    container: String,
    labels: Vec<String>,
    address: Ipv4Addr,
    ca: Utf8PathBuf,
    username: String,
    password: SecretString,
}

impl Fleet {
    /// Starts the registry from `image`, the stand-in registry image, and makes every VM's Docker trust it.
    ///
    /// # Errors
    /// When it does not start, or runs already.
    pub fn registry(
        &self,
        image: &str,
        username: &str,
        password: SecretString,
    ) -> Result<Registry, RehearsalError> {
        let registry = Registry {
            docker: self.docker.clone(),
            image: image.to_owned(),
            container: format!("rehearsal-{}-registry", self.name),
            labels: self.labels.clone(),
            address: network::registry(self.subnet),
            ca: self.folder.join("registry-ca.crt"),
            username: username.to_owned(),
            password,
        };
        registry.start(self)?;
        for vm in &self.vms {
            registry.trust(vm)?;
        }
        Ok(registry)
    }
}

impl Registry {
    /// Returns the name and port that image names start with.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{HOST}:{PORT}")
    }

    /// Returns its address; port 5000.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Returns the file with the certificate of its authority.
    #[must_use]
    pub fn ca(&self) -> &Utf8Path {
        &self.ca
    }

    /// Returns who may log in.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the password.
    #[must_use]
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    fn start(&self, fleet: &Fleet) -> Result<(), RehearsalError> {
        let recipe = Recipe::write_out(&fleet.cache, "engine")?;
        let script = fs::read_to_string(recipe.folder.join("registry.sh"))?;
        let volume = self.volume();
        let labels = || self.labels.iter().flat_map(|label| ["--label", label]);
        self.docker
            .call(["volume", "create"])
            .args(labels())
            .arg(&volume)
            .output()?;
        self.docker
            .call([
                "run",
                "--detach",
                "--name",
                &self.container,
                "--restart",
                "on-failure",
            ])
            .args([
                "--network",
                &network::name(&fleet.name),
                "--ip",
                &self.address.to_string(),
            ])
            .args(labels())
            .args([
                "--volume",
                &format!("{volume}:/var/lib/registry"),
                "--env",
                "REGISTRY_USER",
                "--env",
                "REGISTRY_PASSWORD",
            ])
            .args([
                "--env",
                &format!("REGISTRY_NAME={HOST}"),
                "--env",
                &format!("REGISTRY_ADDRESS={}", self.address),
            ])
            .args(["--entrypoint", "sh", &self.image, "-c", &script])
            // Without a value on the command line, Docker takes it from our environment.
            .env("REGISTRY_USER", &self.username)
            .env("REGISTRY_PASSWORD", self.password.expose_secret())
            .output()?;
        self.answers(self.address, PORT)?;
        let ca = self
            .docker
            .call(["exec", &self.container, "cat", "/certs/ca.crt"])
            .output()?;
        fs::write(&self.ca, ca + "\n")?;
        Ok(())
    }

    /// Puts the authority where a VM's Docker looks for it; a running Docker needs no restart for that.
    fn trust(&self, vm: &Vm) -> Result<(), RehearsalError> {
        let folder = format!("/etc/docker/certs.d/{}", self.name());
        let script = format!("mkdir -p '{folder}' && cat > '{folder}/ca.crt'");
        vm.exec_with(&script, &fs::read(&self.ca)?).map(drop)
    }

    /// Puts an image of the rehearsal's engine into the registry as `name`, such as `syntho-ray:1.9.0`.
    ///
    /// The engine pushes to a second server on the same storage that listens on loopback only, where Docker needs neither TLS nor
    /// a login.
    ///
    /// # Errors
    /// When the engine does not hold the image or cannot push it.
    pub fn push(&self, image: &str, name: &str) -> Result<(), RehearsalError> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let door = format!("{}-door-{port}", self.container);
        let local = format!("127.0.0.1:{port}/{name}");
        self.docker
            .call([
                "run",
                "--detach",
                "--rm",
                "--name",
                &door,
                "--network",
                "host",
            ])
            .args(self.labels.iter().flat_map(|label| ["--label", label]))
            .args(["--volume", &format!("{}:/var/lib/registry", self.volume())])
            .args([
                "--env",
                &format!("REGISTRY_HTTP_ADDR=127.0.0.1:{port}"),
                &self.image,
            ])
            .output()?;
        let pushed = self.answers(Ipv4Addr::LOCALHOST, port).and_then(|()| {
            self.docker.call(["tag", image, &local]).output()?;
            let pushed = self
                .docker
                .call(["push", "--quiet", &local])
                .limit(PUSH)
                .output();
            self.docker.call(["rmi", "--no-prune", &local]).output()?;
            pushed
        });
        self.docker.call(["rm", "--force", &door]).run()?;
        pushed.map(drop)
    }

    fn volume(&self) -> String {
        format!("{}-data", self.container)
    }

    fn answers(&self, address: Ipv4Addr, port: u16) -> Result<(), RehearsalError> {
        let what = format!("the registry at {address}:{port} ({})", self.container);
        wait(&what, START, || {
            Ok(std::net::TcpStream::connect((address, port)).is_ok())
        })
    }
}
