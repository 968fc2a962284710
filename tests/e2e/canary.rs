//! No secret leaks: every secret of a deployment, in every spelling it may have on the way, is hunted in the process lists of all machines
//! while they work, in every file that was written, and in everything that was said.
//!
//! Where a secret may stand: files of mode 0600 in the deployment's folder, and Docker's and containerd's own records of containers, because a
//! container's environment is what the software reads its secrets from.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use toml::{Table, Value};

use crate::shop::Shop;
use crate::site::{ADMIN_PASSWORD, LICENSE, OPERATOR, Site, change_host, section};

#[test]
fn no_secret_is_found_anywhere_it_does_not_belong() {
    let site = Site::with(&[
        syntho_installer::rehearsal::VmSpec::new("ui"),
        syntho_installer::rehearsal::VmSpec::new("ray-1"),
    ]);
    let shop = Shop::open(&site);
    let mut answers = site.answers_for(&[("ui", &["ui"]), ("ray-1", &["ray-head"])]);
    shop.put_into(&mut answers);
    use_every_secret(&site, &mut answers);

    let given = [LICENSE, ADMIN_PASSWORD, Shop::PASSWORD, OPERATOR];
    let watch = Watch::begin(&site);
    let ended = site.deploy_with(&answers, without_secrets).expect_code(0);
    let again = site.deploy_with(&answers, without_secrets).expect_code(0);
    let mut said = ended.all() + &again.all();
    said += &looks(&site, &answers);
    let processes = watch.end();

    let secrets: Vec<String> = given
        .into_iter()
        .map(str::to_owned)
        .chain(generated(&site))
        .collect();
    assert_eq!(secrets.len(), given.len() + 3);
    let needles = Needles::of(&secrets);
    assert_eq!(
        needles.found_in(&said),
        Vec::<String>::new(),
        "on the screen"
    );
    assert!(
        processes.lines().count() > 1000,
        "the watch saw next to nothing"
    );
    assert_eq!(
        needles.found_in(&processes),
        Vec::<String>::new(),
        "in process lists"
    );
    assert_eq!(
        at_home(&site, &needles),
        Vec::<String>::new(),
        "on the operator's machine"
    );
    for vm in site.fleet.vms() {
        let (files, journal) = (needles.files_on(vm), needles.journal_of(vm));
        assert_eq!(files, Vec::<String>::new(), "in files on {}", vm.name());
        assert_eq!(journal, "", "in the journal of {}", vm.name());
    }
    // The hunt finds what is there: the one place where the licence belongs.
    let intended = needles.all_files_on(site.vm("ui"), "/opt/syntho");
    assert_eq!(intended, ["/opt/syntho/acme/application/.env"]);
}

/// Runs everything that only looks, and returns what it said and wrote.
fn looks(site: &Site, answers: &toml::Table) -> String {
    let path = site.write(answers);
    let book = path.with_extension("md");
    let mut said = String::new();
    for command in [
        &["check", "--answers", path.as_str()][..],
        &[
            "plan",
            "--answers",
            path.as_str(),
            "--runbook",
            book.as_str(),
        ],
        &["verify", "acme", "-v"],
        &["status", "acme"],
    ] {
        let mut program = site.program();
        without_secrets(&mut program);
        program.args(command);
        said += &crate::program::run(program).expect_code(0).all();
    }
    said += &fs_err::read_to_string(&book).unwrap();
    said
}

/// Makes the way to the hosts need a password at each turn, and every secret come from a file.
fn use_every_secret(site: &Site, answers: &mut Table) {
    let ssh = section(answers, "ssh");
    ssh.insert("user".into(), "operator".into());
    ssh.remove("key");
    // One host with a key as well: both ways in are watched.
    let key = site.fleet.private_key();
    change_host(answers, "ray-1").insert("key".into(), key.as_str().into());
    let secrets = section(answers, "secrets");
    for (id, value) in [
        ("license-key", LICENSE),
        ("admin-password", ADMIN_PASSWORD),
        ("registry-password", Shop::PASSWORD),
        ("ssh-password", OPERATOR),
        ("sudo-password", OPERATOR),
    ] {
        let file = format!("{id}.secret");
        let path = site.home.join(&file);
        fs_err::write(&path, value).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs_err::set_permissions(&path, mode).unwrap();
        secrets.insert(
            id.into(),
            Value::Table(Table::from_iter([("file".to_owned(), file.into())])),
        );
    }
}

/// Keeps the secrets out of the program's environment, where a process list of this machine would show them.
fn without_secrets(command: &mut Command) {
    command
        .env_remove("SYNTHO_SECRET_LICENSE_KEY")
        .env_remove("SYNTHO_SECRET_ADMIN_PASSWORD");
}

/// Returns the secrets that were made, read behind the program's back.
fn generated(site: &Site) -> Vec<String> {
    let text = site
        .vm("ui")
        .exec_ok("cat /opt/syntho/acme/application/.env")
        .unwrap();
    let wanted = ["DATABASE_PASSWORD", "CORE_SECRET_KEY", "BACKEND_SECRET_KEY"];
    let values = text.lines().filter_map(|line| line.split_once('='));
    let values = values.filter(|(name, _)| wanted.contains(name));
    values
        .map(|(_, value)| value.trim_matches(['\'', '"']).to_owned())
        .collect()
}

/// Looks at the processes of all machines again and again.
struct Watch<'a> {
    site: &'a Site,
    here: thread::JoinHandle<String>,
}

/// Whether the process lists of this machine are still wanted.
static WATCHING: AtomicBool = AtomicBool::new(false);

impl<'a> Watch<'a> {
    fn begin(site: &'a Site) -> Self {
        // Arguments of all processes, and the environment of those that are not in a container: theirs is the software's own.
        let script = "touch /run/canary-begin; own=$(readlink /proc/1/ns/pid | tr -dc 0-9); \
            while [ ! -e /run/canary-end ]; do \
                ps -ww -eo pidns,pid,args > /run/canary-now; cat /run/canary-now; \
                for pid in $(awk -v own=\"$own\" '$1 == own { print $2 }' /run/canary-now); do \
                    [ \"$pid\" = 1 ] || [ ! -r \"/proc/$pid/environ\" ] || cat \"/proc/$pid/environ\" 2>/dev/null; \
                done | tr '\\0' '\\n'; \
                sleep 0.1; \
            done >> /run/canary-seen";
        for vm in site.fleet.vms() {
            vm.exec_ok(&format!(
                "systemd-run --quiet --unit canary sh -c '{}'",
                script.replace('\'', r"'\''")
            ))
            .unwrap();
            vm.wait_until(
                "the watch",
                Duration::from_secs(10),
                "[ -s /run/canary-seen ]",
            )
            .unwrap();
        }
        WATCHING.store(true, Ordering::SeqCst);
        let here = thread::spawn(|| {
            let mut seen = BTreeSet::new();
            while WATCHING.load(Ordering::SeqCst) {
                seen.extend(our_processes());
                thread::sleep(Duration::from_millis(50));
            }
            seen.into_iter().collect::<Vec<_>>().join("\n")
        });
        Self { site, here }
    }

    /// Returns everything that was seen.
    fn end(self) -> String {
        WATCHING.store(false, Ordering::SeqCst);
        let mut all = self.here.join().unwrap();
        for vm in self.site.fleet.vms() {
            vm.exec_ok("touch /run/canary-end; while systemctl --quiet is-active canary; do sleep 0.1; done").unwrap();
            all.push('\n');
            all += &vm
                .exec_ok("sort -u /run/canary-seen; rm -f /run/canary-now /run/canary-seen")
                .unwrap();
        }
        all
    }
}

/// Returns the command lines of this test's own processes, the program among them.
fn our_processes() -> Vec<String> {
    let listed = Command::new("ps")
        .args(["-ww", "-eo", "pid,ppid,args"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut ours = BTreeSet::from([std::process::id()]);
    let mut lines = Vec::new();
    // Parents come before their children, as long as process ids have not begun anew.
    for line in text.lines() {
        let mut words = line.split_whitespace().map(str::parse::<u32>);
        if let (Some(Ok(pid)), Some(Ok(parent))) = (words.next(), words.next())
            && ours.contains(&parent)
        {
            ours.insert(pid);
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Every secret in every spelling.
struct Needles(BTreeSet<String>);

impl Needles {
    fn of(secrets: &[String]) -> Self {
        let spellings = secrets.iter().flat_map(|secret| spellings(secret));
        Self(spellings.filter(|needle| needle.len() > 7).collect())
    }

    fn found_in(&self, text: &str) -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| self.0.iter().any(|needle| line.contains(needle)));
        lines.map(|line| line.chars().take(300).collect()).collect()
    }

    fn text(&self) -> Vec<u8> {
        let lines: Vec<&str> = self.0.iter().map(String::as_str).collect();
        (lines.join("\n") + "\n").into_bytes()
    }

    /// Returns files written since the watch began that hold a needle and are not meant to.
    fn files_on(&self, vm: &syntho_installer::rehearsal::Vm) -> Vec<String> {
        let script = "cat > /run/canary-needles; \
            find / /run /tmp /var/lib/docker -xdev -type f -newer /run/canary-begin \
                ! -path '/proc/*' ! -path '/sys/*' ! -path '/run/canary-*' \
                ! -path '/var/lib/docker/containers/*/config.v2.json' \
                ! -path '/var/lib/containerd/*/meta.db' \
                ! -path '/run/containerd/*/config.json' ! -path '/run/docker/containerd/*/config.json' \
                ! '(' -path '/opt/syntho/*' -perm 0600 ')' \
                -exec grep -l -a -F -f /run/canary-needles {} + | sort -u; \
            rm /run/canary-needles";
        let found = vm.exec_with(script, &self.text()).unwrap();
        found.lines().map(str::to_owned).collect()
    }

    /// Returns all files below a folder that hold a needle.
    fn all_files_on(&self, vm: &syntho_installer::rehearsal::Vm, folder: &str) -> Vec<String> {
        let script = format!(
            "cat > /run/canary-needles; grep -r -l -a -F -f /run/canary-needles {folder}; rm /run/canary-needles"
        );
        let found = vm.exec_with(&script, &self.text()).unwrap();
        found.lines().map(str::to_owned).collect()
    }

    /// Returns lines of the system's journal that hold a needle.
    fn journal_of(&self, vm: &syntho_installer::rehearsal::Vm) -> String {
        let script = "cat > /run/canary-needles; journalctl --no-pager --all --output short > /run/canary-journal; \
            grep -a -F -f /run/canary-needles /run/canary-journal || true; rm /run/canary-needles /run/canary-journal";
        vm.exec_with(script, &self.text()).unwrap()
    }
}

/// Returns files of the operator's home that hold a needle, other than those the operator put there.
fn at_home(site: &Site, needles: &Needles) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![site.home.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.into_path());
            } else if entry.path().extension() != Some("secret") {
                let text = fs_err::read(entry.path()).unwrap();
                let lines = needles.found_in(&String::from_utf8_lossy(&text));
                found.extend(
                    lines
                        .into_iter()
                        .map(|line| format!("{}: {line}", entry.path())),
                );
            }
        }
    }
    found
}

/// Returns a secret as it stands, as programs on the way would write it, and turned around or small so that no trick hides it.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = printed(secret);
    all.push(all[1].to_lowercase());
    all.push(secret.chars().rev().collect());
    all.extend(packed(secret));
    all
}

/// Returns what of a secret is found in base64, wherever it begins.
pub fn packed(secret: &str) -> Vec<String> {
    let mut all = Vec::new();
    for engine in [&STANDARD, &URL_SAFE] {
        all.extend((0..3).map(|offset| {
            // The first and last characters depend on what stands beside the secret.
            let encoded = engine.encode([&vec![0; offset], secret.as_bytes()].concat());
            let inner = encoded.trim_end_matches('=');
            inner[if offset == 0 { 0 } else { 4 }..inner.len() - 2].to_owned()
        }));
    }
    all
}

/// Returns a secret as it stands and as programs would print it.
pub fn printed(secret: &str) -> Vec<String> {
    let url: String = secret
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let json = serde_json::to_string(secret).unwrap();
    let twice = serde_json::to_string(&json).unwrap();
    vec![
        secret.to_owned(),
        url.replace("%20", "+"),
        url,
        json.trim_matches('"').to_owned(),
        twice.trim_matches('"').trim_matches(['\\', '"']).to_owned(),
        secret.replace('\'', r"'\''"),
        secret.replace('\'', r#"'"'"'"#),
        secret.replace('$', "$$"),
        secret
            .bytes()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")),
    ]
}

#[test]
fn a_secret_is_recognised_in_every_spelling() {
    let secret = "Adm1n $x 'y' \"z\"";
    let needles = Needles::of(&[secret.to_owned()]);
    for text in [
        format!("curl -u admin:{secret}"),
        format!(
            "Authorization: Basic {}",
            STANDARD.encode(format!("admin:{secret}"))
        ),
        format!(
            "Authorization: Basic {}",
            STANDARD.encode(format!("ad:{secret}"))
        ),
        format!(
            "{{\"auth\": \"{}\"}}",
            URL_SAFE.encode(format!("a:{secret}:b"))
        ),
        "http://x/?p=Adm1n%20%24x%20%27y%27%20%22z%22".to_owned(),
        "p=Adm1n+%24x+%27y%27+%22z%22".to_owned(),
        r#"{"p": "Adm1n $x 'y' \"z\""}"#.to_owned(),
        r#"echo 'Adm1n $x '\''y'\'' "z"'"#.to_owned(),
        "PASSWORD=Adm1n $$x 'y' \"z\"".to_owned(),
    ] {
        assert_eq!(needles.found_in(&text).len(), 1, "{text}");
    }
    assert!(needles.found_in("Adm1n is a user").is_empty());
}
