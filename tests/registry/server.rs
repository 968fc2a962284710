//! A real registry on a free port of the loopback, and what it says it was asked.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The login that a registry with logins knows.
pub(crate) const USER: &str = "robot";
/// Its password.
pub(crate) const PASSWORD: &str = "right";
/// The same for the registry: bcrypt, which is all it takes.
const HASHED: &str = "$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC";

/// How a registry is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Plain HTTP, open to everybody.
    Open,
    /// TLS by a throw-away authority, with a login.
    Guarded,
}

/// A running registry.
pub(crate) struct Server {
    process: Child,
    port: u16,
    /// Logs, configuration and certificates.
    folder: TempDir,
}

impl Server {
    /// Starts one on a storage folder; several may share it.
    pub(crate) fn start(storage: &Path, door: Door) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\nhttp:\n  addr: 127.0.0.1:{port}\n  secret: test\n",
            storage.display()
        );
        if door == Door::Guarded {
            certificates(folder.path());
            let at = |name: &str| folder.path().join(name).display().to_string();
            config.push_str(&format!(
                "  tls: {{certificate: {}, key: {}}}\nauth:\n  htpasswd: {{realm: test, path: {}}}\n",
                at("server.crt"),
                at("server.key"),
                at("htpasswd")
            ));
            fs_err::write(folder.path().join("htpasswd"), format!("{USER}:{HASHED}\n")).unwrap();
        }
        fs_err::write(folder.path().join("config.yml"), config).unwrap();
        let log = |name: &str| {
            fs_err::File::create(folder.path().join(name))
                .unwrap()
                .into_file()
        };
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdin(Stdio::null())
            .stdout(log("access.log"))
            .stderr(log("errors.log"))
            .spawn()
            .expect("docker-registry is installed (.ci/setup all)");
        let server = Self {
            process,
            port,
            folder,
        };
        server.wait();
        server
    }

    fn wait(&self) {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the registry does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns its name in images.
    pub(crate) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the certificate of its authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Returns how often it was asked for something: method, path, and the bytes of its answer.
    pub(crate) fn asked(&self) -> Vec<(String, String, u64)> {
        let log = fs_err::read_to_string(self.folder.path().join("access.log")).unwrap();
        let line = |line: &str| {
            let (_, rest) = line.split_once('"')?;
            let (request, rest) = rest.split_once('"')?;
            let mut words = request.split(' ');
            let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
            let bytes = rest.split_whitespace().nth(1)?.parse().ok()?;
            Some((method, path, bytes))
        };
        log.lines().filter_map(line).collect()
    }

    /// Returns how many of its requests are of this method and have this in their path.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let asked = self.asked();
        let fits =
            |(asked, path, _): &&(String, String, u64)| asked == method && path.contains(part);
        asked.iter().filter(fits).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Returns a port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Makes an authority and a certificate of it for the loopback.
pub(crate) fn certificates(folder: &Path) {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Test CA' -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj '/CN=registry' -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1,DNS:registry.acme.example\\nextendedKeyUsage=serverAuth\\n' > extensions
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.crt";
    let made = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}
