use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use rstest::rstest;

use super::*;
use crate::engine::cancel::Cancel;
use crate::engine::redact::Redactor;
use crate::engine::sample::{Site, resolved};
use crate::engine::verify::Depth;
use crate::model::check::Verdict;
use crate::model::event::Event;

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
        absent: vec![404],
    }
}

fn asked(probe: &PlacedProbe) -> Finding {
    let site = Site::new();
    let verification = Verification {
        resolved: &resolved(&site.base()),
        links: &site,
        listener: &|_: Event| {},
        redactor: &Redactor::default(),
        cancel: &Cancel::new(),
        depth: Depth::Full,
        silence: Duration::from_secs(4),
    };
    ask(&verification, probe)
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
