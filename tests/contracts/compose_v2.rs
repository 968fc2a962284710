//! The real Compose v2 for tests that need its word: the machine's own, or the one that the rehearsal's VMs carry.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use syntho_installer::rehearsal::{Engine, InnerEngine};

/// Where distributions and the rehearsal's second engine put the plugin, the last two below the home folder.
const PLACES: [&str; 6] = [
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/bin/docker-compose",
    ".docker/cli-plugins/docker-compose",
    ".cache/syntho-installer/rehearsal/engine/software/root/usr/libexec/docker/cli-plugins/docker-compose",
];

/// Runs Compose in `folder` with a clean environment; returns what it printed, or what it complained about.
pub(crate) fn docker_compose(
    folder: &Path,
    arguments: &[&str],
    input: &str,
) -> Result<String, String> {
    static COMPOSE: OnceLock<PathBuf> = OnceLock::new();
    let mut child = Command::new(COMPOSE.get_or_init(find))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

fn find() -> PathBuf {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let places = PLACES.map(|place| home.join(place));
    places
        .into_iter()
        .find(|path| is_v2(path))
        .unwrap_or_else(from_the_vms)
}

fn is_v2(path: &Path) -> bool {
    let version = Command::new(path).args(["version", "--short"]).output();
    version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim_start_matches('v')
            .starts_with('2')
    })
}

/// Copies the program out of the image that the rehearsal's VMs run.
fn from_the_vms() -> PathBuf {
    let cache = Engine::default_cache().unwrap();
    let engine = Engine::find_or_start(&cache, &|_| {}).unwrap();
    let image = engine
        .ensure_vm_image(InnerEngine::Current, &|_| {})
        .unwrap();
    let docker = |arguments: &[&str]| {
        let mut call = Command::new("docker");
        if let Some(host) = engine.docker().host() {
            call.env("DOCKER_HOST", host).env("DOCKER_CONTEXT", "");
        }
        let output = call.args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let tag = image.rsplit(':').next().unwrap();
    let target = cache.join(format!("compose-{tag}"));
    if target.exists() {
        return target.into_std_path_buf();
    }
    let copy = cache.join(format!("compose-{tag}.{}", std::process::id()));
    let container = docker(&["create", &image, "true"]);
    docker(&[
        "cp",
        "-L",
        &format!("{container}:{}", PLACES[0]),
        copy.as_str(),
    ]);
    docker(&["rm", &container]);
    fs_err::rename(&copy, &target).unwrap();
    target.into_std_path_buf()
}
