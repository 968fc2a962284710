//! The functions that templates and expressions of presets may call.

use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind, Value};

use super::scope::Scope;
use crate::model::size;

/// Adds every function to `environment`.
pub(super) fn add(environment: &mut Environment<'_>, scope: &Scope) {
    add_lookups(environment, scope);
    let masked = scope.masked;
    environment.add_function(
        "url_encode",
        move |text: String| {
            if masked { text } else { url_encode(&text) }
        },
    );
    environment.add_function("url_host", |address: String| {
        if address.contains(':') {
            format!("[{address}]")
        } else {
            address
        }
    });
    environment.add_function("port_suffix", |protocol: String, port: u32| {
        match (protocol.as_str(), port) {
            ("http", 80) | ("https", 443) => String::new(),
            _ => format!(":{port}"),
        }
    });
    environment.add_function("size", |text: String| {
        size::parse(&text)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
    });
    environment.add_function("megabytes", |bytes: u64| format!("{}m", bytes >> 20));
    environment.add_function("amount", size::human);
}

fn add_lookups(environment: &mut Environment<'_>, scope: &Scope) {
    let hosts = Arc::clone(&scope.hosts);
    environment.add_function("count", move |role: String| {
        hosts.iter().filter(|host| host.is(&role)).count()
    });
    let hosts = Arc::clone(&scope.hosts);
    environment.add_function("shared", move |one: String, other: String| {
        hosts
            .iter()
            .filter(|host| host.is(&one) && host.is(&other))
            .count()
    });
    let hosts = Arc::clone(&scope.hosts);
    environment.add_function("hosts", move |role: String| -> Value {
        hosts
            .iter()
            .filter(|host| host.is(&role))
            .map(super::HostView::value)
            .collect()
    });
    let images = Arc::clone(&scope.images);
    environment.add_function("image", move |id: String| {
        images
            .get(&id)
            .cloned()
            .ok_or_else(|| unknown("image", &id))
    });
    let assets = scope.assets.clone();
    environment.add_function("operator_file", move |path: String| {
        let read = assets.as_ref().map(|assets| assets.operator_file(&path));
        read.unwrap_or_else(|| Err("nothing is read here".to_owned()))
            .map_err(|reason| {
                Error::new(
                    ErrorKind::InvalidOperation,
                    format!("`{path}` cannot be read: {reason}"),
                )
            })
    });
    let assets = scope.assets.clone();
    environment.add_function("asset", move |path: String| {
        assets
            .as_ref()
            .and_then(|assets| assets.asset(&path))
            .ok_or_else(|| unknown("asset", &path))
    });
}

fn unknown(what: &str, name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("there is no {what} `{name}`"),
    )
}

/// Encodes everything but letters, digits and `-._~`.
fn url_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::template::{HostView, Kind};
    use rstest::rstest;

    fn scope() -> Scope {
        let host = |name: &str, role: &str| HostView {
            name: name.to_owned(),
            address: "10.0.0.1".to_owned(),
            operator_address: "10.0.0.1".to_owned(),
            private_address: None,
            roles: vec![role.parse().unwrap()],
            size: Some((4, 8 << 30, 65536)),
        };
        Scope::default()
            .with_hosts(vec![host("a", "ray-worker"), host("b", "ray-worker")])
            .with_images([("ray".to_owned(), "r/ray:1".to_owned())].into())
    }

    #[rstest]
    #[case("{{ count('ray-worker') }} {{ count('hub') }}", "2 0")]
    #[case(
        "{{ shared('ray-worker', 'ray-worker') }} {{ shared('ray-worker', 'hub') }}",
        "2 0"
    )]
    #[case("{{ hosts('ray-worker')[1].name }}", "b")]
    #[case("{{ image('ray') }}", "r/ray:1")]
    #[case("{{ url_encode('a@b/c%é') }}", "a%40b%2Fc%25%C3%A9")]
    #[case(
        "{{ url_host('fd00::1') }} {{ url_host('10.0.0.1') }}",
        "[fd00::1] 10.0.0.1"
    )]
    #[case(
        "{{ port_suffix('https', 443) }}{{ port_suffix('http', 3000) }}",
        ":3000"
    )]
    #[case("{{ size('4gb') }}", "4294967296")]
    #[case("{{ megabytes(hosts('ray-worker')[0].memory * 32 // 100) }}", "2621m")]
    fn values(#[case] source: &str, #[case] expected: &str) {
        assert_eq!(scope().render(Kind::Text, "t", source).unwrap(), expected);
    }

    #[rstest]
    #[case("{{ image('rya') }}", "there is no image `rya`")]
    #[case("{{ asset('x.py') }}", "there is no asset `x.py`")]
    #[case("{{ size('4 apples') }}", "size")]
    fn refusals(#[case] source: &str, #[case] message: &str) {
        let error = scope().render(Kind::Text, "t", source).unwrap_err();
        assert!(error.message.contains(message), "{error}");
    }
}
