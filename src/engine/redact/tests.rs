//! Secrets in every encoding, cut at every place, alone and beside each other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use rstest::rstest;

use super::stream::Part;
use super::*;

const SECRET: &str = "p@ss\"w$rd'1/ü";

fn knowing(secrets: &[(&str, &str)]) -> Redactor {
    let mut all = Secrets::default();
    for (id, value) in secrets {
        all.insert(id.parse().unwrap(), (*value).into());
    }
    Redactor::new(&all)
}

fn redactor() -> Redactor {
    knowing(&[("admin-password", SECRET), ("short", "ab")])
}

#[rstest]
#[case::raw(SECRET.to_owned())]
#[case::url("p%40ss%22w%24rd%271%2F%C3%BC".to_owned())]
#[case::url_with_slash("p%40ss%22w%24rd%271/%c3%bc".to_owned())]
#[case::url_component("p%40ss%22w%24rd'1%2F%C3%BC".to_owned())]
#[case::base64(STANDARD.encode(SECRET))]
#[case::base64_basic(STANDARD.encode(format!("admin:{SECRET}")))]
#[case::base64_second(STANDARD.encode(format!("x{SECRET}yz")))]
#[case::base64_third(URL_SAFE.encode(format!("xy{SECRET}")))]
#[case::base64_url(URL_SAFE_NO_PAD.encode(SECRET))]
#[case::base64_of_json(STANDARD.encode(serde_json::to_string(SECRET).unwrap()))]
#[case::compose(SECRET.replace('$', "$$"))]
#[case::json(serde_json::to_string(SECRET).unwrap())]
#[case::json_ascii(r#"p@ss\"w$rd'1/\u00fc"#.to_owned())]
#[case::json_slash(r#"p@ss\"w$rd'1\/ü"#.to_owned())]
#[case::json_twice(serde_json::to_string(&serde_json::to_string(SECRET).unwrap()).unwrap())]
#[case::html("p@ss&quot;w$rd&#x27;1/ü".to_owned())]
#[case::shell(format!("x={};", shlex::try_quote(SECRET).unwrap()))]
#[case::shell_closed(r#"'p@ss"w$rd'\''1/ü'"#.to_owned())]
#[case::shell_escaped(r#"p@ss\"w\$rd\'1/ü"#.to_owned())]
#[case::shell_compose(r#"'p@ss"w$$rd'\''1/ü'"#.to_owned())]
#[case::hex("7040737322772472642731 2fc3bc".replace(' ', ""))]
fn a_secret_is_found_in_every_form(#[case] printed: String) {
    let clean = redactor().text(&format!("url://{printed}/x"));
    assert!(clean.contains("‹admin-password›"), "{printed} -> {clean}");
    let rest = clean.replace("‹admin-password›", "");
    for part in ["w$", "rd", "%24", "ss", "Ac3"] {
        assert!(!rest.contains(part), "{clean}");
    }
}

#[test]
fn other_text_stays_as_it_is() {
    assert_eq!(redactor().text("about ab"), "about ab");
    let line = "2026-11-20 GET /api/jobs?page=2 200 key=value http://10.0.0.1:8000/x token expired";
    assert_eq!(redactor().clean(line, &mut Tally::default()), line);
}

#[test]
fn a_mask_tells_nothing_of_the_length() {
    for length in 4..60 {
        let value: String = "Zk3".chars().cycle().take(length).collect();
        let redactor = knowing(&[("key", &value)]);
        for before in 0..3 {
            let packed = format!(
                "{}{value}{}",
                "\u{1}".repeat(before),
                "\u{2}".repeat(6 - before)
            );
            let clean = redactor.text(&STANDARD.encode(packed));
            if length >= 8 {
                let rest = clean.replace("‹key›", "");
                assert!(
                    clean.contains("‹key›") && rest.len() <= 12,
                    "{length} {before} {clean}"
                );
            }
        }
        assert_eq!(redactor.text(&format!("[{value}]")), "[‹key›]");
        assert_eq!(redactor.text(&STANDARD.encode(&value)), "‹key›");
    }
}

#[test]
fn overlapping_secrets_leave_no_tail() {
    let redactor = knowing(&[("one", "abcdefgh"), ("two", "efghijklmn"), ("three", "fgh")]);
    let mut tally = Tally::default();
    assert_eq!(
        redactor.clean("x abcdefghijklmn y", &mut tally),
        "x ‹two› y"
    );
    assert_eq!(tally.counts()["two"], 1);
}

#[test]
fn a_password_that_is_a_word_of_its_own_name_is_replaced_once() {
    let redactor = knowing(&[("admin-password", "password")]);
    let clean = redactor.text("password is password");
    assert_eq!(clean, "‹admin-password› is ‹admin-password›");
    assert_eq!(redactor.text(&clean), clean);
    assert_eq!(redactor.finds(clean.as_bytes()), None);
    // Quotes of the same look hide nothing.
    assert_eq!(redactor.text("‹my password›"), "‹my ‹admin-password››");
}

#[test]
fn a_secret_of_several_lines_is_found_line_by_line() {
    let redactor = knowing(&[("license-key", "first-line-of-it\nsecond-line-of-it\n")]);
    assert_eq!(redactor.text("> second-line-of-it"), "> ‹license-key›");
}

#[rstest]
#[case(
    "postgres://syntho:hunter2@db:5432/x",
    "postgres://syntho:‹password›@db:5432/x"
)]
#[case("redis://:hunter2@redis:6379", "redis://:‹password›@redis:6379")]
#[case(
    "GET /x?token=abcdef123&page=2 HTTP/1.1",
    "GET /x?token=‹token›&page=2 HTTP/1.1"
)]
#[case(
    "https://a.blob.core.windows.net/c?sv=2&sig=aB%2Bc12345%3D",
    "https://a.blob.core.windows.net/c?sv=2&sig=‹token›"
)]
#[case(
    "Authorization: Basic dXNlcjpwYXNz",
    "Authorization: Basic ‹authorization›"
)]
#[case(
    "{'Authorization': 'Bearer abc.def'}",
    "{'Authorization': 'Bearer ‹authorization›'}"
)]
#[case(
    "sent Bearer abcdefghijklmnopqrstuv to",
    "sent Bearer ‹authorization› to"
)]
#[case(
    r#"{"auths":{"r":{"auth":"dXNlcjpwYXNz"}}}"#,
    r#"{"auths":{"r":{"auth":"‹registry-auth›"}}}"#
)]
#[case(r#"{\"auth\":\"dXNlcjpwYXNz\"}"#, r#"{\"auth\":\"‹registry-auth›\"}"#)]
#[case(
    "X-Registry-Auth: eyJ1c2VybmFtZSI6",
    "X-Registry-Auth: ‹registry-auth›"
)]
#[case("key AKIAIOSFODNN7EXAMPLE used", "key ‹cloud-key› used")]
#[case(
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "aws_secret_access_key = ‹cloud-key›"
)]
#[case(
    "AccountKey=abcd1234efgh==;Endpoint",
    "AccountKey=‹cloud-key›;Endpoint"
)]
#[case("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "‹token›")]
#[case("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig-x", "jwt ‹token›")]
#[case("SECRET_KEY=abcd1234 DEBUG=0", "SECRET_KEY=‹secret› DEBUG=0")]
#[case("Set-Cookie: sessionid=abc; Path=/", "Set-Cookie: ‹cookie›")]
#[case(
    r"key: -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- end",
    "key: ‹private-key› end"
)]
fn what_looks_like_a_secret_is_replaced(#[case] text: &str, #[case] wanted: &str) {
    let redactor = Redactor::default();
    let clean = redactor.clean(text, &mut Tally::default()).into_owned();
    assert_eq!(clean, wanted);
    // Once is enough.
    assert_eq!(redactor.clean(&clean, &mut Tally::default()), wanted);
}

#[test]
fn a_private_key_over_several_lines_is_swallowed() {
    let mut washer = Washer::new(Redactor::default());
    let full = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    let lines = [
        "starting",
        "key is -----BEGIN PRIVATE KEY-----",
        full,
        full,
        "Ab3=",
        "-----END PRIVATE KEY-----",
        "Started",
        "-----BEGIN EC PRIVATE KEY-----",
        full,
        "then it broke off",
        "Started",
    ];
    let seen: Vec<String> = lines
        .iter()
        .filter_map(|line| washer.line(line, Part::Last).map(Cow::into_owned))
        .collect();
    let wanted = [
        "starting",
        "key is ‹private-key›",
        "Started",
        "‹private-key›",
        "then it broke off",
        "Started",
    ];
    assert_eq!(seen, wanted);
    assert_eq!(washer.take_tally().counts()["private-key"], 2);
}

#[test]
fn a_line_that_comes_in_parts_shows_no_part_of_a_secret() {
    let text = format!("head {SECRET} tail");
    for cut in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let mut washer = Washer::new(redactor());
        let first = washer.line(&text[..cut], Part::More).unwrap().into_owned();
        let second = washer.line(&text[cut..], Part::Last).unwrap().into_owned();
        assert_eq!(first + &second, "head ‹admin-password› tail", "{cut}");
        assert_eq!(washer.line("next", Part::Last).unwrap(), "next");
    }
}

/// Puts bytes through a sieve in these pieces.
fn sieved(redactor: &Redactor, bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Tally) {
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    let mut sieve = Sieve::new(redactor.clone());
    let mut rest = bytes;
    for cut in cuts {
        let (piece, more) = rest.split_at((*cut).min(rest.len()));
        sieve.push(piece, &mut out, &mut tally);
        rest = more;
    }
    sieve.push(rest, &mut out, &mut tally);
    sieve.end(&mut out, &mut tally);
    (out, tally)
}

#[test]
fn every_cut_gives_the_same() {
    let redactor = knowing(&[("one", SECRET), ("two", "rd'1/ü-more"), ("dull", "aaaa")]);
    let text = format!(
        "x{SECRET}-more {} aaaaaaaaaaaaaaaaaaaaaaa {SECRET}",
        STANDARD.encode(format!("u:{SECRET}"))
    );
    let (whole, counted) = sieved(&redactor, text.as_bytes(), &[]);
    assert_eq!(
        String::from_utf8(whole.clone()).unwrap(),
        redactor.text(&text)
    );
    for size in 1..text.len() {
        let cuts = vec![size; text.len() / size];
        let (out, tally) = sieved(&redactor, text.as_bytes(), &cuts);
        assert_eq!(out, whole, "{size}: {}", String::from_utf8_lossy(&out));
        assert_eq!(tally, counted, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_secret_no_form_of_it_is_left(
        value in "[ -~äöü\u{1F511}]{8,40}",
        around in "[ -~]{0,20}",
        before in 0_usize..3,
        cuts in proptest::collection::vec(1_usize..40, 0..20),
    ) {
        prop_assume!(value.trim().len() >= 8);
        let redactor = knowing(&[("it", &value)]);
        let packed = STANDARD.encode(format!("{}{value}{around}", &"xy"[..before.min(2)]));
        let forms = [
            value.clone(),
            percent_all(&value),
            serde_json::to_string(&value).unwrap(),
            shlex::try_quote(&value).unwrap().into_owned(),
            value.replace('$', "$$"),
            packed,
        ];
        for form in &forms {
            let text = format!("{around}{form}{around}");
            let clean = redactor.text(&text);
            prop_assert!(clean.contains("‹it›"), "{form} -> {clean}");
            prop_assert!(redactor.finds(clean.as_bytes()).is_none(), "{clean}");
            let (out, _) = sieved(&redactor, text.as_bytes(), &cuts);
            prop_assert_eq!(String::from_utf8(out).unwrap(), clean);
        }
    }
}

/// Returns the value with everything percent-encoded that is no letter or digit.
fn percent_all(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
