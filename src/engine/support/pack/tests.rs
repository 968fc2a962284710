use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use secrecy::SecretString;

use super::*;
use crate::engine::cancel::Cancel;
use crate::model::secret::Secrets;

const SECRET: &str = "hush-hush 'x' $y";

struct Desk {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    spool: Spool,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let mut secrets = Secrets::default();
        secrets.insert("db-password".parse().unwrap(), SecretString::from(SECRET));
        let spool = Spool::open(&root, Redactor::new(&secrets)).unwrap();
        Self {
            _folder: folder,
            root,
            spool,
        }
    }

    fn order(&self) -> Order {
        Order {
            output: self.root.join("a.tar.gz"),
            name: "a".to_owned(),
            began: "2026-11-20T12:00:00Z".parse().unwrap(),
        }
    }

    fn pack(&self) -> Result<Option<Packed>, SupportError> {
        pack(&self.spool, &self.order(), &Cancel::new())
    }

    /// Returns what is in the folder beside what is put together.
    fn left(&self) -> Vec<String> {
        let entries = self.root.read_dir_utf8().unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files.map(|entry| entry.file_name().to_owned()).collect()
    }
}

#[test]
fn what_is_written_comes_back_without_secrets_for_its_owner_alone() {
    let desk = Desk::new();
    let text = format!("one {SECRET}\nDB_PASSWORD=other-word\n\u{1b}[31mred\u{7}\n");
    let count = desk.spool.write("hosts/a/x.txt", "a/x.txt", &text).unwrap();
    desk.spool
        .write("README.txt", "README.txt", "read me\n")
        .unwrap();
    assert_eq!((count.records, count.masked["db-password"]), (3, 1));
    let packed = desk.pack().unwrap().unwrap();
    assert_eq!(packed.files, 2);
    let path = desk.order().output;
    let mode = fs_err::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut archive = tar::Archive::new(GzDecoder::new(fs_err::File::open(&path).unwrap()));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        found.push((entry.path().unwrap().to_string_lossy().into_owned(), text));
    }
    assert_eq!(
        found[0],
        ("a/README.txt".to_owned(), "read me\n".to_owned())
    );
    assert_eq!(found[1].0, "a/hosts/a/x.txt");
    assert!(
        found[1]
            .1
            .starts_with("one ‹db-password›\nDB_PASSWORD=‹secret›\nred"),
        "{found:?}"
    );
    assert_eq!(desk.left(), ["a.tar.gz"]);
}

#[test]
fn one_secret_in_it_and_there_is_no_archive() {
    let plain = SECRET.to_owned();
    let split = "Authorization: Basic aHVudGVyMjpodW50ZXIy".to_owned();
    let base64 = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("user:{SECRET}"))
    };
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC\n-----END PRIVATE KEY-----".to_owned();
    for (leak, named) in [
        (plain, "db-password"),
        (base64, "db-password"),
        (split, "authorization"),
        (key, "private-key"),
    ] {
        let desk = Desk::new();
        // Behind the back of what takes secrets out.
        let path = desk.spool.path("hosts/a/leak.txt").unwrap();
        let mut file = fs_err::File::create(path).unwrap();
        writeln!(file, "{}\nx {leak} y\nmore", "long ".repeat(100_000)).unwrap();
        let error = desk.pack().unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("hosts/a/leak.txt") && said.contains(named),
            "{said}"
        );
        assert!(!said.contains("hush"), "{said}");
        assert_eq!(desk.left(), Vec::<String>::new());
    }
}

#[test]
fn nothing_is_replaced_and_nothing_is_left_behind() {
    let desk = Desk::new();
    desk.spool.write("a.txt", "a", "a\n").unwrap();
    fs_err::write(desk.order().output, "mine").unwrap();
    let error = desk.pack().unwrap_err();
    assert!(matches!(error, SupportError::Exists { .. }));
    assert_eq!(fs_err::read_to_string(desk.order().output).unwrap(), "mine");
    assert_eq!(desk.left(), ["a.tar.gz"]);
    fs_err::remove_file(desk.order().output).unwrap();
    let cancel = Cancel::new();
    cancel.raise();
    assert_eq!(pack(&desk.spool, &desk.order(), &cancel).unwrap(), None);
    assert_eq!(desk.left(), Vec::<String>::new());
    let root = desk.spool.root().to_owned();
    drop(desk.spool);
    assert!(!root.exists());
}

proptest::proptest! {
    /// What was taken out once is not found again, or no archive would ever be made.
    #[test]
    fn what_is_spooled_passes_the_search(lines in proptest::collection::vec(
        "([ -~]{0,12}(PASSWORD=|password=|://u:|@|Bearer |Authorization: |\"auth\": \"|token=|Cookie: |hush-hush 'x' \\$y|‹|›|secret\": \"|-----BEGIN PRIVATE KEY-----|AKIA)[ -~]{0,24}){0,3}", 0..6)) {
        let desk = Desk::new();
        desk.spool.write("a.txt", "a", &lines.join("\n")).unwrap();
        let packed = desk.pack();
        proptest::prop_assert!(packed.is_ok(), "{packed:?} of {lines:?}");
    }
}
