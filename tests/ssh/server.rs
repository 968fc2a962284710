//! An sshd of one's own, and what connects to it.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use syntho_installer::model::answers::SshSection;
use syntho_installer::model::operator::{Operator, SecretRequest, UnknownHostKey};
use syntho_installer::transport::ssh::{self, SshHost};
use syntho_installer::transport::{ConnectSpec, TransportError};

/// Where Debian and others put it.
const SSHD: &str = "/usr/sbin/sshd";

/// A running sshd; ended on drop, its folder removed.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
}

/// Returns a port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Runs a program that must succeed.
pub(crate) fn must(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
}

/// Makes a key pair.
pub(crate) fn keygen(path: &Path, kind: &str, more: &[&str]) {
    let path = path.to_str().unwrap();
    let mut arguments = vec!["-q", "-t", kind, "-f", path, "-C", "test"];
    if !more.contains(&"-N") {
        arguments.extend(["-N", ""]);
    }
    arguments.extend(more);
    must("ssh-keygen", &arguments);
}

impl Server {
    /// Starts an sshd with an Ed25519 host key and these lines before its defaults.
    pub(crate) fn start(settings: &str) -> Self {
        Self::start_with(settings, &["ed25519"])
    }

    /// Starts an sshd with host keys of these kinds.
    pub(crate) fn start_with(settings: &str, kinds: &[&str]) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "the SSH tests need {SSHD}: `apt-get install openssh-server`"
        );
        fs_err::create_dir_all("/run/sshd").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for kind in kinds {
            keygen(&path(&format!("host_{kind}")), kind, &[]);
        }
        fs_err::create_dir(path("ssh")).unwrap();
        keygen(&path("ssh/id_ed25519"), "ed25519", &[]);
        fs_err::copy(path("ssh/id_ed25519.pub"), path("authorized_keys")).unwrap();
        let port = free_port();
        let mut config = format!(
            "{settings}\nPort {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nAllowStreamLocalForwarding yes\nMaxStartups 100\n\
             AuthorizedKeysFile {}\nSetEnv HOME={}\nLogLevel VERBOSE\n",
            path("authorized_keys").display(),
            // Away from whatever the machine's own root has in its profile.
            folder.path().display()
        );
        for kind in kinds {
            config.push_str("HostKey ");
            config.push_str(path(&format!("host_{kind}")).to_str().unwrap());
            config.push('\n');
        }
        fs_err::write(path("sshd_config"), config).unwrap();
        let process = Command::new(SSHD)
            .arg("-D")
            .arg("-f")
            .arg(path("sshd_config"))
            .arg("-E")
            .arg(path("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            process,
            port,
            folder,
        };
        server.wait();
        server
    }

    /// Waits for the port to answer with a banner.
    pub(crate) fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.port)) {
                let mut first = [0; 4];
                if stream.read_exact(&mut first).is_ok() && &first == b"SSH-" {
                    return;
                }
            }
            std::thread::yield_now();
        }
        panic!("sshd did not come up: {}", self.log());
    }

    /// Returns what sshd wrote.
    pub(crate) fn log(&self) -> String {
        fs_err::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Returns a path in the server's folder; `ssh` in it is the operator's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the process id of the sshd.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns the process ids of the sessions' sshd processes.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let output = Command::new("pgrep")
            .args(["-P", &self.pid().to_string()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Has the sshd read its settings and keys again; its sessions go on.
    pub(crate) fn restart(&self) {
        let listening = || self.log().matches("Server listening").count();
        let before = listening();
        must("kill", &["-HUP", &self.pid().to_string()]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while listening() == before {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::yield_now();
        }
        self.wait();
    }

    /// Kills all sessions, as a reboot or a lost link would.
    pub(crate) fn cut(&self) {
        let sessions = self.sessions();
        for pid in &sessions {
            must("kill", &["-KILL", pid]);
        }
        // The kernel closes their connections before it forgets them.
        let deadline = Instant::now() + Duration::from_secs(10);
        let gone = |pid: &String| !self.sessions().contains(pid);
        while !sessions.iter().all(gone) {
            assert!(Instant::now() < deadline, "{sessions:?} do not die");
            std::thread::yield_now();
        }
    }

    /// Returns how the tests' operator reaches it.
    pub(crate) fn spec(&self) -> ConnectSpec {
        spec(self.port, self.folder.path())
    }

    /// Connects, accepting whatever host key it shows.
    pub(crate) fn host(&self) -> SshHost {
        self.try_host()
            .unwrap_or_else(|error| panic!("{error:?}\n{}", self.log()))
    }

    /// Connects, and may fail.
    pub(crate) fn try_host(&self) -> Result<SshHost, TransportError> {
        ssh::connect(&self.spec(), &Person::accepting())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cut_quietly();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn cut_quietly(&self) {
        for pid in self.sessions() {
            let _ = Command::new("kill").args(["-KILL", &pid]).output();
        }
    }
}

/// An operator who answers as the test says.
#[derive(Default)]
pub(crate) struct Person {
    pub(crate) accepts: bool,
    pub(crate) secret: Option<&'static str>,
    pub(crate) keys: Mutex<Vec<UnknownHostKey>>,
    pub(crate) asked: Mutex<Vec<SecretRequest>>,
}

impl Person {
    /// Accepts every host key and knows no secret.
    pub(crate) fn accepting() -> Self {
        Self {
            accepts: true,
            ..Self::default()
        }
    }

    /// Accepts every host key and gives this answer to every question.
    pub(crate) fn knowing(secret: &'static str) -> Self {
        Self {
            secret: Some(secret),
            ..Self::accepting()
        }
    }
}

impl Operator for Person {
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool {
        self.keys.lock().unwrap().push(key.clone());
        self.accepts
    }

    fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
        self.asked.lock().unwrap().push(request.clone());
        self.secret.map(|secret| secret.to_owned().into())
    }
}

/// Returns how to reach a server on this port, with the operator's files in `ssh` of this folder.
pub(crate) fn spec(port: u16, folder: &Path) -> ConnectSpec {
    ConnectSpec {
        host: "ray-1".parse().unwrap(),
        address: "127.0.0.1".to_owned(),
        login: SshSection {
            user: Some("root".to_owned()),
            port: Some(port),
            ..SshSection::default()
        },
        host_key: None,
        password: None,
        passphrase: None,
        sudo_password: None,
        ssh_folder: Some(folder.join("ssh").try_into().unwrap()),
        limit: Duration::from_secs(10),
    }
}
