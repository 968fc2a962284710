use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A value that is found again wherever it went.
const CANARY: &str = "cAnArY-";

/// Any JSON in which every text that is no name carries the canary.
fn poisoned() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{1,8}".prop_map(|text| Value::from(format!("{CANARY}{text}"))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z_]{1,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn environment() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(
        ("[A-Z][A-Z_]{0,12}", "[ -~]{0,20}")
            .prop_map(|(name, rest)| (name, format!("{CANARY}{rest}"))),
        0..8,
    )
}

proptest! {
    #[test]
    fn no_value_of_an_environment_or_a_command_survives(pairs in environment(), more in poisoned()) {
        let list: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let table: Map<String, Value> =
            pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let inspected = json!([{
            "Id": "1", "Name": "/a", "Path": CANARY, "Args": [CANARY], "Unknown": more,
            "State": {"Status": "running", "Unknown": more},
            "Config": {"Env": list, "Labels": table, "Cmd": [CANARY], "Entrypoint": [CANARY],
                "Healthcheck": {"Test": ["CMD-SHELL", CANARY]}},
            "HostConfig": {"Binds": [CANARY], "Unknown": more, "LogConfig": {"Type": "local", "Config": table}},
            "GraphDriver": more,
        }]);
        let kept = containers(&inspected);
        prop_assert!(!kept.to_string().contains(CANARY), "{}", kept);
        prop_assert!(!lines(&kept).contains(CANARY));
        prop_assert_eq!(kept[0]["Config"]["Env"].as_array().unwrap().len(), pairs.len());
        let compose = json!({"name": "p", "x-unknown": more, "configs": more, "secrets": more, "services": {"a": {
            "image": "i:1", "environment": table, "labels": table, "command": [CANARY], "entrypoint": CANARY,
            "build": {"args": table}, "healthcheck": {"test": [CANARY], "retries": 3}, "env_file": CANARY, "unknown": more,
        }}});
        let kept = project(&compose);
        prop_assert!(!kept.to_string().contains(CANARY), "{}", kept);
        prop_assert_eq!(&kept["services"]["a"]["healthcheck"], &json!({"retries": 3}));
    }

    /// Whatever stands where a field is kept: tables are not.
    #[test]
    fn nothing_with_names_of_its_own_survives_unnamed(more in poisoned()) {
        let inspected = json!([{"Name": "/a", "Created": {"x": more}, "Image": [{"x": CANARY}], "Mounts": {"Type": {"y": more}}}]);
        prop_assert!(!containers(&inspected).to_string().contains(CANARY));
    }
}

#[test]
fn a_container_is_one_line() {
    let inspected = json!([{
        "Name": "/p-db-1", "RestartCount": 3, "State": {"Status": "restarting", "ExitCode": 137, "OOMKilled": true,
            "Error": "no\n  room", "StartedAt": "2026-11-20T12:00:00Z", "Health": {"Status": "unhealthy"}},
        "Config": {"Image": "db:1", "Labels": {"com.docker.compose.service": "db", "mine": "x"}, "Env": ["A=1", "B"]},
    }]);
    let kept = containers(&inspected);
    assert_eq!(kept[0]["Config"]["Env"], json!(["A", "B"]));
    assert_eq!(
        kept[0]["Config"]["Labels"],
        json!(["com.docker.compose.service", "mine"])
    );
    assert_eq!(
        lines(&kept),
        "p-db-1 service=db state=restarting health=unhealthy exit-code=137 oom-killed=true restarts=3 image=db:1 \
         started=2026-11-20T12:00:00Z error=no room\n"
    );
}
