//! What of Docker's and Compose's JSON may be kept. Everything that is not named here stays where it is: default deny.
//!
//! Of an environment, labels and the like the names are kept and never a value; of commands nothing, since people put passwords into them.

use serde_json::{Map, Value};

/// What becomes of a field.
#[derive(Debug, Clone, Copy)]
enum Keep {
    /// It is kept when it is a number, a truth, a text or a list of these.
    Plain,
    /// A list of `NAME=value` or a table: its names.
    Names,
    /// A table, or a list of tables, of which these fields are kept.
    Fields(&'static [(&'static str, Keep)]),
    /// A table with names of somebody's choice, each of whose values has these fields.
    Each(&'static [(&'static str, Keep)]),
}

use Keep::{Each, Fields, Names, Plain};

/// A port or a network's part of it.
const BINDING: &[(&str, Keep)] = &[("HostIp", Plain), ("HostPort", Plain)];

/// Of `docker inspect` of a container.
const CONTAINER: &[(&str, Keep)] = &[
    ("Id", Plain),
    ("Name", Plain),
    ("Created", Plain),
    ("Image", Plain),
    ("RestartCount", Plain),
    ("Driver", Plain),
    ("Platform", Plain),
    (
        "State",
        Fields(&[
            ("Status", Plain),
            ("Running", Plain),
            ("Paused", Plain),
            ("Restarting", Plain),
            ("OOMKilled", Plain),
            ("Dead", Plain),
            ("Pid", Plain),
            ("ExitCode", Plain),
            ("Error", Plain),
            ("StartedAt", Plain),
            ("FinishedAt", Plain),
            (
                "Health",
                Fields(&[
                    ("Status", Plain),
                    ("FailingStreak", Plain),
                    (
                        "Log",
                        Fields(&[
                            ("Start", Plain),
                            ("End", Plain),
                            ("ExitCode", Plain),
                            ("Output", Plain),
                        ]),
                    ),
                ]),
            ),
        ]),
    ),
    (
        "Config",
        Fields(&[
            ("Hostname", Plain),
            ("User", Plain),
            ("Image", Plain),
            ("Env", Names),
            ("Labels", Names),
            ("ExposedPorts", Names),
            ("StopSignal", Plain),
        ]),
    ),
    (
        "HostConfig",
        Fields(&[
            ("NetworkMode", Plain),
            (
                "RestartPolicy",
                Fields(&[("Name", Plain), ("MaximumRetryCount", Plain)]),
            ),
            ("PortBindings", Each(BINDING)),
            ("Memory", Plain),
            ("MemorySwap", Plain),
            ("MemoryReservation", Plain),
            ("NanoCpus", Plain),
            ("CpuShares", Plain),
            ("PidsLimit", Plain),
            ("ShmSize", Plain),
            ("OomKillDisable", Plain),
            ("Privileged", Plain),
            ("ReadonlyRootfs", Plain),
            (
                "Ulimits",
                Fields(&[("Name", Plain), ("Hard", Plain), ("Soft", Plain)]),
            ),
            ("LogConfig", Fields(&[("Type", Plain)])),
        ]),
    ),
    (
        "Mounts",
        Fields(&[
            ("Type", Plain),
            ("Name", Plain),
            ("Source", Plain),
            ("Destination", Plain),
            ("RW", Plain),
        ]),
    ),
    (
        "NetworkSettings",
        Fields(&[
            ("Ports", Each(BINDING)),
            (
                "Networks",
                Each(&[
                    ("NetworkID", Plain),
                    ("Gateway", Plain),
                    ("IPAddress", Plain),
                    ("MacAddress", Plain),
                    ("Aliases", Plain),
                ]),
            ),
        ]),
    ),
];

/// Labels by which a container is found; they are Compose's own and ours.
const TELLING_LABELS: &[&str] = &[
    "com.docker.compose.project",
    "com.docker.compose.service",
    "com.docker.compose.container-number",
    "com.docker.compose.version",
    "io.syntho.installer.deployment",
    "io.syntho.installer.stack",
];

/// Of `docker compose config`.
const SERVICE: &[(&str, Keep)] = &[
    ("image", Plain),
    ("container_name", Plain),
    ("restart", Plain),
    ("pull_policy", Plain),
    ("network_mode", Plain),
    ("networks", Names),
    ("environment", Names),
    ("labels", Names),
    (
        "depends_on",
        Each(&[("condition", Plain), ("required", Plain)]),
    ),
    (
        "ports",
        Fields(&[
            ("mode", Plain),
            ("host_ip", Plain),
            ("target", Plain),
            ("published", Plain),
            ("protocol", Plain),
        ]),
    ),
    (
        "volumes",
        Fields(&[
            ("type", Plain),
            ("source", Plain),
            ("target", Plain),
            ("read_only", Plain),
        ]),
    ),
    (
        "healthcheck",
        Fields(&[
            ("interval", Plain),
            ("timeout", Plain),
            ("retries", Plain),
            ("start_period", Plain),
            ("disable", Plain),
        ]),
    ),
    ("cpus", Plain),
    ("mem_limit", Plain),
    ("mem_reservation", Plain),
    ("memswap_limit", Plain),
    ("shm_size", Plain),
    ("pids_limit", Plain),
    ("privileged", Plain),
    ("read_only", Plain),
    ("user", Plain),
    ("stop_grace_period", Plain),
    ("ulimits", Each(&[("soft", Plain), ("hard", Plain)])),
];

const PROJECT: &[(&str, Keep)] = &[
    ("name", Plain),
    ("services", Each(SERVICE)),
    (
        "networks",
        Each(&[("name", Plain), ("driver", Plain), ("external", Plain)]),
    ),
    (
        "volumes",
        Each(&[("name", Plain), ("driver", Plain), ("external", Plain)]),
    ),
];

/// Returns what may be kept of `docker inspect` of containers.
pub(in crate::engine) fn containers(told: &Value) -> Value {
    let all = told.as_array().into_iter().flatten().map(|container| {
        let mut kept = fields(container, CONTAINER);
        let labels = &container["Config"]["Labels"];
        let known = TELLING_LABELS.iter().filter_map(|name| {
            let value = labels.get(*name)?.as_str()?;
            Some(((*name).to_owned(), Value::from(value)))
        });
        let known: Map<String, Value> = known.collect();
        if let Value::Object(kept) = &mut kept {
            kept.insert("Labels".to_owned(), Value::Object(known));
        }
        kept
    });
    Value::Array(all.collect())
}

/// Returns what may be kept of `docker compose config`.
pub(in crate::engine) fn project(told: &Value) -> Value {
    fields(told, PROJECT)
}

fn fields(told: &Value, wanted: &[(&str, Keep)]) -> Value {
    match told {
        Value::Object(told) => {
            let kept = wanted.iter().filter_map(|(name, keep)| {
                let value = keep_of(told.get(*name)?, *keep)?;
                Some(((*name).to_owned(), value))
            });
            Value::Object(kept.collect())
        }
        Value::Array(all) => all.iter().map(|one| fields(one, wanted)).collect(),
        _ => Value::Null,
    }
}

fn keep_of(value: &Value, keep: Keep) -> Option<Value> {
    match keep {
        Plain => plain(value),
        Names => Some(names(value)),
        Fields(wanted) => Some(fields(value, wanted)),
        Each(wanted) => {
            let all = value.as_object()?.iter();
            let all = all.map(|(name, value)| (name.clone(), fields(value, wanted)));
            Some(Value::Object(all.collect()))
        }
    }
}

/// Returns a value that has no parts with names of their own.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => None,
        Value::Array(all) => all.iter().map(plain).collect(),
        one => Some(one.clone()),
    }
}

fn names(value: &Value) -> Value {
    let of_pair = |text: &str| {
        text.split_once('=')
            .map_or(text, |(name, _)| name)
            .to_owned()
    };
    match value {
        Value::Object(table) => table
            .keys()
            .map(|name| Value::from(name.as_str()))
            .collect(),
        Value::Array(all) => all
            .iter()
            .filter_map(Value::as_str)
            .map(|pair| Value::from(of_pair(pair)))
            .collect(),
        _ => Value::Null,
    }
}

/// Returns one line a container of what was kept: what one looks at first, and what a diagnosis reads.
pub(in crate::engine) fn lines(kept: &Value) -> String {
    let mut lines: Vec<String> = kept.as_array().into_iter().flatten().map(line).collect();
    lines.sort();
    if lines.is_empty() {
        return String::new();
    }
    lines.push(String::new());
    lines.join("\n")
}

fn line(container: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let label = |name: &str| text(&container["Labels"][name]);
    let state = &container["State"];
    let name = text(&container["Name"]);
    let mut line = format!(
        "{} service={} state={} health={} exit-code={} oom-killed={} restarts={} image={} started={}",
        name.trim_start_matches('/'),
        label("com.docker.compose.service"),
        text(&state["Status"]),
        text(&state["Health"]["Status"]),
        text(&state["ExitCode"]),
        text(&state["OOMKilled"]),
        text(&container["RestartCount"]),
        text(&container["Config"]["Image"]),
        text(&state["StartedAt"]),
    );
    if let Some(error) = state["Error"].as_str().filter(|error| !error.is_empty()) {
        line += &format!(
            " error={}",
            error.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
    line
}

#[cfg(test)]
mod tests;
