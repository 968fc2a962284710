//! What `known_hosts` lines mean, and what is written into them.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use rstest::rstest;
use sha1::Sha1;

/// Returns a key in wire form: the algorithm's name and some bytes.
fn key(algorithm: &str, byte: u8) -> HostKey {
    let mut blob = u32::try_from(algorithm.len())
        .unwrap()
        .to_be_bytes()
        .to_vec();
    blob.extend_from_slice(algorithm.as_bytes());
    blob.extend_from_slice(&[byte; 32]);
    HostKey { blob }
}

fn line(names: &str, key: &HostKey) -> String {
    format!(
        "{names} {} {}\n",
        key.algorithm(),
        STANDARD.encode(&key.blob)
    )
}

fn hashed(name: &str) -> String {
    let salt = [7_u8; 20];
    let mac = Hmac::<Sha1>::new_from_slice(&salt)
        .unwrap()
        .chain_update(name)
        .finalize()
        .into_bytes();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac))
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add("kh".into(), text);
    known
}

#[rstest]
#[case("ray.example", 22, "ray.example", true)]
#[case("RAY.example", 22, "ray.EXAMPLE", true)]
#[case("ray.example,10.0.0.1", 22, "10.0.0.1", true)]
#[case("*.example", 22, "ray.example", true)]
#[case("*.example", 22, "ray.example.org", false)]
#[case("ray-?", 22, "ray-2", true)]
#[case("ray-?", 22, "ray-12", false)]
#[case("*.example,!bad.example", 22, "bad.example", false)]
#[case("!bad.example,*.example", 22, "good.example", true)]
#[case("!bad.example", 22, "good.example", false)]
#[case("[ray.example]:2222", 2222, "ray.example", true)]
#[case("[ray.example]:2222", 22, "ray.example", false)]
#[case("[*.example]:*", 2222, "ray.example", true)]
#[case("ray.example", 2222, "ray.example", true)]
fn a_key_is_known_by_name(
    #[case] names: &str,
    #[case] port: u16,
    #[case] host: &str,
    #[case] found: bool,
) {
    let key = key("ssh-ed25519", 1);
    let verdict = known(&line(names, &key)).judge(host, port, &key);
    assert_eq!(verdict == Verdict::Known, found, "{verdict:?}");
}

#[rstest]
#[case("ray.example", 22)]
#[case("[ray.example]:2222", 2222)]
fn hashed_names_are_found(#[case] name: &str, #[case] port: u16) {
    let key = key("ssh-ed25519", 1);
    let known = known(&line(&hashed(name), &key));
    assert_eq!(known.judge("ray.example", port, &key), Verdict::Known);
    assert_eq!(known.judge("other.example", port, &key), Verdict::Unknown);
}

#[test]
fn another_key_is_a_change_and_the_record_is_named() {
    let (old, new) = (key("ssh-ed25519", 1), key("ssh-ed25519", 2));
    let text = format!(
        "# comment\n\n{}{}",
        line("ray", &key("ssh-rsa", 3)),
        line("ray", &old)
    );
    assert_eq!(
        known(&text).judge("ray", 22, &new),
        Verdict::Changed {
            expected: old.fingerprint(),
            record: "kh:4".to_owned()
        }
    );
}

#[test]
fn a_key_of_another_algorithm_is_a_change_too() {
    let verdict = known(&line("ray", &key("ssh-rsa", 1))).judge("ray", 22, &key("ssh-ed25519", 1));
    assert!(matches!(verdict, Verdict::Changed { .. }));
}

#[test]
fn a_change_on_another_port_is_unknown_and_not_a_change() {
    let verdict = known(&line("ray", &key("ssh-rsa", 1))).judge("ray", 2222, &key("ssh-rsa", 2));
    assert_eq!(verdict, Verdict::Unknown);
}

#[rstest]
#[case(22)]
#[case(2222)]
fn a_revoked_key_is_refused_even_when_it_is_also_on_record(#[case] port: u16) {
    let key = key("ssh-ed25519", 1);
    let text = format!("{}@revoked {}", line("ray", &key), line("*", &key));
    assert_eq!(
        known(&text).judge("ray", port, &key),
        Verdict::Revoked {
            record: "kh:2".to_owned()
        }
    );
}

#[test]
fn broken_lines_are_left_out_and_the_others_count() {
    let key = key("ssh-ed25519", 1);
    let text = format!(
        "ray\nray ssh-ed25519\nray ssh-ed25519 !!!\nray ssh-rsa {}\n|1|x ssh-ed25519 AAAA\n@what ray\n@revoked\n@cert-authority * ssh-ed25519 AAAA\n\0\n{}",
        STANDARD.encode(&key.blob),
        line("ray", &key)
    );
    let known = known(&text);
    assert_eq!(known.lines.len(), 1);
    assert_eq!(known.judge("ray", 22, &key), Verdict::Known);
}

#[test]
fn algorithms_on_record_are_told_once_and_without_revoked_ones() {
    let text = format!(
        "{}{}{}@revoked {}",
        line("ray", &key("ssh-rsa", 1)),
        line("ray", &key("ssh-ed25519", 2)),
        line("ray", &key("ssh-rsa", 3)),
        line("ray", &key("ecdsa-sha2-nistp256", 4)),
    );
    assert_eq!(
        known(&text).algorithms("ray", 22),
        ["ssh-rsa", "ssh-ed25519"]
    );
}

#[test]
fn an_accepted_key_is_appended_after_a_line_without_end_and_the_file_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let home = Utf8Path::from_path(folder.path()).unwrap().join("ssh");
    let first = KnownHosts::load(Some(&home)).unwrap();
    first.remember("ray", 22, &key("ssh-ed25519", 1)).unwrap();
    let path = home.join("known_hosts");
    let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home), mode(&path)), (0o700, 0o600));

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.trim_end()).unwrap();
    first.remember("ray", 2222, &key("ssh-rsa", 2)).unwrap();
    let second = KnownHosts::load(Some(&home)).unwrap();
    for (port, key) in [(22, key("ssh-ed25519", 1)), (2222, key("ssh-rsa", 2))] {
        assert_eq!(second.judge("ray", port, &key), Verdict::Known);
    }
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let blob = STANDARD.decode(text.split_once(' ').unwrap().1).unwrap();
    assert_eq!(
        HostKey::new(&blob).fingerprint(),
        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_crash(text in "\\PC{0,80}", host in "\\PC{0,20}", port: u16) {
        let key = key("ssh-ed25519", 1);
        known(&text).judge(&host, port, &key);
    }

    #[test]
    fn stars_match_like_a_plain_search(prefix in "[a-c]{0,4}", middle in "[a-c]{0,4}", suffix in "[a-c]{0,4}") {
        let key = key("ssh-ed25519", 1);
        let name = format!("{prefix}{middle}{suffix}");
        prop_assume!(!name.is_empty());
        let verdict = known(&line(&format!("{prefix}*{suffix}"), &key)).judge(&name, 22, &key);
        prop_assert_eq!(verdict, Verdict::Known);
    }
}
