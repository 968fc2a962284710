//! Against the shell of this machine with the login's own rights; with feature `e2e` also by sudo in a container.

use std::os::unix::fs::{PermissionsExt, symlink};

use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::local::here;

/// A folder with a name that needs quoting.
struct Folder {
    _kept: tempfile::TempDir,
    path: String,
}

impl Folder {
    fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let path = format!("{}/it's a $folder", kept.path().to_str().unwrap());
        fs_err::create_dir(&path).unwrap();
        Self { _kept: kept, path }
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(&self.path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn mode(path: &str) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn bytes(content: &[u8]) -> Input {
    Input::Bytes(content.to_vec())
}

fn detail<T: std::fmt::Debug>(outcome: Result<T, TransportError>) -> String {
    match outcome {
        Err(TransportError::File { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::secret(Input::Secret(SecretString::from("KEY=a'b\n")), 0o600)]
#[case::empty(Input::Empty, 0o644)]
#[case::binary(bytes(&[0, 255, 10, 13, 0]), 0o640)]
#[case::big(bytes(&vec![b'x'; 3 << 20]), 0o755)]
fn a_file_is_written_and_read_back(#[case] content: Input, #[case] wanted: u32) {
    let (host, folder) = (here(), Folder::new());
    let path = folder.at("it's \"the\" .env");
    put(&host, &path, wanted, &content, Privilege::User).unwrap();
    assert_eq!(mode(&path), wanted);
    assert_eq!(
        read(&host, &path, Privilege::User).unwrap().unwrap(),
        content.bytes()
    );
    let sum = checksum(&host, &path, Privilege::User).unwrap().unwrap();
    assert_eq!(sum, hexadecimal(&Sha256::digest(content.bytes())));
    assert_eq!(folder.names(), ["it's \"the\" .env"]);
}

#[test]
fn a_file_is_replaced_with_its_new_mode_and_leftovers_go() {
    let (host, folder) = (here(), Folder::new());
    let path = folder.at("a");
    fs_err::write(folder.at(".a.0123.part"), "left by a crash").unwrap();
    fs_err::write(folder.at(".other.0123.part"), "not ours").unwrap();
    put(&host, &path, 0o644, &bytes(b"one"), Privilege::User).unwrap();
    put(&host, &path, 0o600, &bytes(b"two"), Privilege::User).unwrap();
    assert_eq!(
        (fs_err::read(&path).unwrap(), mode(&path)),
        (b"two".to_vec(), 0o600)
    );
    assert_eq!(folder.names(), [".other.0123.part", "a"]);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let (host, folder) = (here(), Folder::new());
    let write = |name: &str| {
        put(
            &host,
            &folder.at(name),
            0o644,
            &bytes(b"x"),
            Privilege::User,
        )
    };
    assert_eq!(detail(write("none/a")), "its folder does not exist");
    fs_err::create_dir(folder.at("made-by-docker")).unwrap();
    assert!(detail(write("made-by-docker")).starts_with("it is a folder"));
    symlink("/etc/passwd", folder.at("elsewhere")).unwrap();
    assert_eq!(
        detail(write("elsewhere")),
        "it is a link to /etc/passwd, outside its folder"
    );
    symlink("real", folder.at("beside")).unwrap();
    write("beside").unwrap();
    assert_eq!(fs_err::read(folder.at("real")).unwrap(), b"x");
    assert_eq!(
        folder.names(),
        ["beside", "elsewhere", "made-by-docker", "real"]
    );
}

#[rstest]
#[case("relative/path")]
#[case("/folder/")]
#[case("")]
fn paths_that_are_none(#[case] path: &str) {
    assert!(detail(read(&here(), path, Privilege::User)).contains("slash"));
}

#[test]
fn what_is_not_there_is_no_error() {
    let (host, folder) = (here(), Folder::new());
    let path = folder.at("none/deeper/a");
    assert_eq!(read(&host, &path, Privilege::User).unwrap(), None);
    assert_eq!(checksum(&host, &path, Privilege::User).unwrap(), None);
    assert_eq!(list(&host, &path, Privilege::User).unwrap(), None);
    assert!(!remove(&host, &path, Privilege::User).unwrap());
    assert!(remove_empty_folder(&host, &path, Privilege::User).unwrap());
    assert!(detail(read(&host, &folder.path, Privilege::User)).starts_with("it is a folder"));
}

#[test]
fn folders_are_made_listed_and_removed_when_empty() {
    let (host, folder) = (here(), Folder::new());
    let path = folder.at("a/b");
    assert!(make_folder(&host, &path, 0o750, Privilege::User).unwrap());
    assert_eq!((mode(&path), mode(&folder.at("a"))), (0o750, 0o755));
    assert!(!make_folder(&host, &path, 0o700, Privilege::User).unwrap());
    assert_eq!(mode(&path), 0o750);
    fs_err::write(folder.at("a/.env"), "").unwrap();
    fs_err::write(folder.at("a/new\nline"), "").unwrap();
    symlink("/nowhere", folder.at("a/link")).unwrap();
    let entries = list(&host, &folder.at("a"), Privilege::User)
        .unwrap()
        .unwrap();
    let shown: Vec<(&str, Kind)> = entries.iter().map(|e| (e.name.as_str(), e.kind)).collect();
    assert_eq!(
        shown,
        [
            (".env", Kind::File),
            ("b", Kind::Folder),
            ("link", Kind::Link),
            ("new\nline", Kind::File)
        ]
    );
    assert!(!remove_empty_folder(&host, &folder.at("a"), Privilege::User).unwrap());
    assert!(remove_empty_folder(&host, &path, Privilege::User).unwrap());
    for name in [".env", "link", "new\nline"] {
        assert!(remove(&host, &folder.at(&format!("a/{name}")), Privilege::User).unwrap());
    }
    assert!(remove_empty_folder(&host, &folder.at("a"), Privilege::User).unwrap());
    assert!(folder.names().is_empty());
    assert!(detail(remove(&host, &folder.path, Privilege::User)).starts_with("it is a folder"));
}

#[rstest]
#[case(scripts::DAMAGED, "abc", "")]
fn damage_tells_both_checksums(#[case] code: i32, #[case] stdout: &str, #[case] stderr: &str) {
    let reply = Reply {
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
        code,
        lost: false,
    };
    let host = FakeHost::new("a".parse().unwrap()).on("", reply);
    match put(&host, "/a/b", 0o644, &Input::Empty, Privilege::User) {
        Err(TransportError::Damaged { found, .. }) => assert_eq!(found, "abc"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn content_never_enters_the_command() {
    let host = FakeHost::new("a".parse().unwrap());
    let secret = Input::Secret(SecretString::from("hunter2"));
    put(&host, "/a/b", 0o600, &secret, Privilege::Root).unwrap();
    let ran = host.ran();
    assert!(!ran[0].script.contains("hunter2"));
    assert_eq!(ran[0].privilege, Privilege::Root);
}

#[cfg(feature = "e2e")]
mod in_a_container {
    use std::sync::Arc;

    use super::*;
    use crate::model::failure::Hinted;
    use crate::transport::rehearsed::{Machine, PASSWORD, USER};

    #[test]
    fn root_and_user_each_with_their_own_rights() {
        let machine = Arc::new(Machine::start(&format!("{USER} ALL=(ALL) ALL\n")));
        let host = machine.connect(Some(PASSWORD));
        let path = "/opt/deep/.env";
        assert!(make_folder(&host, "/opt/deep", 0o700, Privilege::Root).unwrap());
        let secret = Input::Secret(SecretString::from("A=1\n"));
        put(&host, path, 0o600, &secret, Privilege::Root).unwrap();
        assert_eq!(
            machine.inside(&format!("stat -c '%U %a' {path}"), ""),
            "root 600"
        );
        assert_eq!(
            read(&host, path, Privilege::Root).unwrap().unwrap(),
            b"A=1\n"
        );
        let hidden = read(&host, path, Privilege::User);
        assert!(detail(hidden).ends_with("may not look into /opt/deep"));
        let refused = put(&host, "/opt/a", 0o600, &secret, Privilege::User).unwrap_err();
        assert!(refused.hint().is_some_and(|hint| hint.contains("sudo")));
        assert!(detail::<()>(Err(refused)).starts_with("the login may not"));
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_nothing_else() {
        let machine = Arc::new(Machine::start("# nobody\n"));
        let host = machine.connect(None);
        put(&host, "/small/a", 0o644, &bytes(b"old"), Privilege::User).unwrap();
        let big = bytes(&vec![b'x'; 1 << 20]);
        let refused = detail(put(&host, "/small/a", 0o644, &big, Privilege::User));
        assert!(refused.starts_with("the disk is full"), "{refused}");
        assert_eq!(machine.inside("ls -A /small; cat /small/a", ""), "a\nold");
    }

    #[test]
    fn without_sha256sum_openssl_will_do() {
        let machine = Arc::new(Machine::start("# nobody\n"));
        let host = machine.connect(None);
        machine.inside("rm $(command -v sha256sum)", "");
        put(&host, "/tmp/a", 0o644, &bytes(b"x"), Privilege::User).unwrap();
        machine.inside("rm $(command -v openssl)", "");
        let refused = detail(put(&host, "/tmp/b", 0o644, &bytes(b"x"), Privilege::User));
        assert!(
            refused.contains("neither sha256sum nor openssl"),
            "{refused}"
        );
        assert_eq!(machine.inside("ls -A /tmp", ""), "a");
    }
}
