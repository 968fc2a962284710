use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use rstest::rstest;

use super::*;
use crate::engine::sample::Site;
use crate::model::check::Verdict;

/// Answers one request with `status` and, as its body, the body it was sent.
fn server(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(size) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = size.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(&body).unwrap();
    });
    url
}

fn probe(from: Option<&str>, url: String) -> PlacedProbe {
    PlacedProbe::Http {
        from: from.map(|host| host.parse().unwrap()),
        url,
        method: "POST".to_owned(),
        body: Some(r#"{"password": "it's $x"}"#.into()),
        status: vec![200, 201],
        matches: Some("it's \\$x".to_owned()),
        json: BTreeMap::new(),
        authorities: None,
        absent: vec![404],
        name: None,
        location: None,
        secure_cookies: false,
    }
}

fn asked(probe: &PlacedProbe) -> Finding {
    let site = Site::new();
    let probing = Probing {
        links: &site,
        hosts: &[],
    };
    ask(probing, probe)
}

#[rstest]
#[case(201, Verdict::Pass, "answers as it must")]
#[case(404, Verdict::Pass, "not offered by this release")]
#[case(500, Verdict::Fail, "status 500 instead of 200 or 201")]
#[case(302, Verdict::Fail, "status 302 instead of 200 or 201")]
fn statuses_and_bodies_are_judged(
    #[values(None, Some("ui"))] from: Option<&str>,
    #[case] status: u16,
    #[case] verdict: Verdict,
    #[case] found: &str,
) {
    let finding = asked(&probe(from, server(status)));
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert!(finding.found.contains(found), "{finding:?}");
}

#[rstest]
fn nobody_there_is_said(#[values(None, Some("ui"))] from: Option<&str>) {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let finding = asked(&probe(from, format!("http://{closed}/")));
    assert!(finding.found.ends_with("does not answer"), "{finding:?}");
    assert!(finding.cause.is_some());
}

/// Answers one request with these header lines, and tells what it was asked.
fn speaker(lines: &'static str) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut all) = (String::new(), String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            all.push_str(&std::mem::take(&mut line));
        }
        told.send(all).unwrap();
        write!(
            stream,
            "HTTP/1.1 301 X\r\nConnection: close\r\nContent-Length: 0\r\n{lines}\r\n"
        )
        .unwrap();
    });
    (url, heard)
}

#[rstest]
#[case("Location: https://acme.example/\r\n", Verdict::Pass, "status 301")]
#[case(
    "Location: https://10.0.0.1/\r\n",
    Verdict::Fail,
    "leads to https://10.0.0.1/ instead of https://acme.example/"
)]
#[case("", Verdict::Fail, "leads to nowhere")]
#[case(
    "Location: https://acme.example/\r\nSet-Cookie: a=1; Secure\r\nSet-Cookie: b=secure; Path=/\r\n",
    Verdict::Fail,
    "sets the cookie `b` without"
)]
fn where_it_leads_and_cookies_are_judged(
    #[case] lines: &'static str,
    #[case] verdict: Verdict,
    #[case] found: &str,
) {
    let (url, heard) = speaker(lines);
    let finding = asked(&PlacedProbe::Http {
        from: None,
        url,
        method: "GET".to_owned(),
        body: None,
        status: vec![301],
        matches: None,
        json: BTreeMap::new(),
        authorities: None,
        absent: Vec::new(),
        name: Some("acme.example".to_owned()),
        location: Some("https://acme.example/".to_owned()),
        secure_cookies: true,
    });
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert!(finding.found.contains(found), "{finding:?}");
    let request = heard.recv().unwrap().to_lowercase();
    assert!(request.contains("host: acme.example\r\n"), "{request}");
}

/// Asks by POST what is given back, and compares it.
fn compared(said: &str, wanted: &[(&str, &str)]) -> Finding {
    let PlacedProbe::Http { from, url, .. } = probe(Some("ui"), server(200)) else {
        unreachable!()
    };
    let pairs = wanted.iter();
    let pairs = pairs.map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    asked(&PlacedProbe::Http {
        from,
        url,
        method: "POST".to_owned(),
        body: Some(said.into()),
        status: vec![200],
        matches: None,
        json: pairs.collect(),
        authorities: None,
        absent: Vec::new(),
        name: None,
        location: None,
        secure_cookies: false,
    })
}

#[rstest]
#[case(
    r#"{"issuer": "https://a", "x": 1}"#,
    Verdict::Pass,
    "answers with status 200"
)]
#[case(
    r#"{"issuer": "https://b"}"#,
    Verdict::Fail,
    "says that `issuer` is `https://b` instead of `https://a`"
)]
#[case(r#"{"issuer": 5}"#, Verdict::Fail, "says that `issuer` is 5 instead")]
#[case("{}", Verdict::Fail, "says nothing of `issuer`")]
#[case("<html>", Verdict::Fail, "says nothing of `issuer`")]
fn what_is_said_in_json_is_compared(
    #[case] said: &str,
    #[case] verdict: Verdict,
    #[case] found: &str,
) {
    let finding = compared(said, &[("issuer", "https://a")]);
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert!(finding.found.contains(found), "{finding:?}");
}
