//! How somebody sees by hand that the deployment works.

use std::fmt::Write as _;

use crate::model::ids::HostName;
use crate::model::resolved::{PlacedHealth, PlacedProbe, Resolved};
use crate::model::text::shell_quoted;

/// Writes the part of the runbook that judges, and where the result can be seen.
pub(super) fn write(text: &mut String, resolved: &Resolved) {
    text.push_str("## Does it work?\n\n");
    for health in &resolved.health {
        judgement(text, health, resolved);
    }
    for endpoint in &resolved.endpoints {
        let _ = writeln!(
            text,
            "- {}: <{}>, for {}",
            endpoint.title, endpoint.url, endpoint.audience
        );
    }
    text.push('\n');
}

fn judgement(text: &mut String, health: &PlacedHealth, resolved: &Resolved) {
    let (place, command, must) = by_hand(&health.probe, resolved);
    let _ = writeln!(
        text,
        "**{}**, {place}:\n\n```sh\n{command}\n```\n\n{must}, within {} s.\n",
        health.title, health.within
    );
}

/// Returns where a judgement is made, what is typed for it, and what it must say.
fn by_hand(probe: &PlacedProbe, resolved: &Resolved) -> (String, String, String) {
    match probe {
        PlacedProbe::Exec {
            host,
            project,
            service,
            run,
            equals,
            ..
        } => {
            let must = equals.as_ref().map_or_else(
                || "It must end with code 0".to_owned(),
                |equals| format!("Its last line must be `{equals}`"),
            );
            let command = format!(
                "docker compose --project-name {} exec -T {} {}",
                shell_quoted(project),
                shell_quoted(service),
                words(run)
            );
            (format!("on {host}"), command, must)
        }
        PlacedProbe::Http {
            from,
            url,
            method,
            body,
            status,
            ..
        } => {
            let statuses: Vec<String> = status.iter().map(ToString::to_string).collect();
            let command = asked(method, url, body.is_some());
            let must = format!("It must say {}", statuses.join(" or "));
            (place(from.as_ref()), command, must)
        }
        PlacedProbe::Tls {
            address,
            port,
            name,
            ..
        } => shaken(address, *port, name),
        PlacedProbe::Program { from, run, .. } => (
            place(Some(from)),
            words(run),
            "It must end with code 0".to_owned(),
        ),
        PlacedProbe::Port {
            from,
            to,
            port,
            open,
        } => {
            let (command, must) = dialled(to, *port, *open, resolved);
            (place(from.as_ref()), command, must.to_owned())
        }
    }
}

/// Returns how a port is tried, and what must come of it.
fn dialled(to: &HostName, port: u16, open: bool, resolved: &Resolved) -> (String, &'static str) {
    let host = resolved.hosts.iter().find(|host| host.name == *to);
    let address = host.map_or_else(|| to.to_string(), |host| host.private_address.to_string());
    let must = if open {
        "It must end with code 0: the port is open"
    } else {
        "It must fail: the port is closed"
    };
    let command = format!("nc -z -w 3 {} {port}", shell_quoted(&address));
    (command, must)
}

/// Returns a program and its arguments as they are typed.
fn words(run: &[String]) -> String {
    let words: Vec<String> = run.iter().map(|word| shell_quoted(word)).collect();
    words.join(" ")
}

/// Returns how hands are shaken by a program that says what it thinks of the certificate.
fn shaken(address: &str, port: u16, name: &str) -> (String, String, String) {
    let name = shell_quoted(name);
    let command = format!(
        "openssl s_client -connect {} -servername {name} -verify_hostname {name} -CAfile AUTHORITY.crt </dev/null",
        shell_quoted(&format!("{address}:{port}"))
    );
    let must = "It must say `Verify return code: 0 (ok)`".to_owned();
    (place(None), command, must)
}

/// Returns the command that asks over HTTP and says only the status.
fn asked(method: &str, url: &str, with_body: bool) -> String {
    let data = if with_body {
        " --header 'Content-Type: application/json' --data @BODY.json"
    } else {
        ""
    };
    format!(
        "curl --silent --output /dev/null --write-out '%{{http_code}}\\n' --request {method}{data} {}",
        shell_quoted(url)
    )
}

fn place(from: Option<&HostName>) -> String {
    from.map_or_else(
        || "on your own machine".to_owned(),
        |host| format!("on {host}"),
    )
}
