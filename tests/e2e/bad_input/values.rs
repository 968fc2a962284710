//! Values that a template, a shell, Compose or YAML would take for their own, on their way from the operator into containers.

use std::process::Command;

use crate::site::Site;

/// Every character that means something to anybody on the way.
const LICENSE: &str =
    r#"lic-{{ 7*7 }}{% raw %}${HOME:-x}$$$(id)`id`"q"'q'\n\\#%;&|*?~!<>[]=é€ end"#;
const PASSWORD: &str = r#" {{ admin }} ${X} $(reboot) `id` 'single' "double" \t #no-comment $ "#;

/// Gives these values as secrets.
pub(super) fn set(command: &mut Command) {
    command
        .env("SYNTHO_SECRET_LICENSE_KEY", LICENSE)
        .env("SYNTHO_SECRET_ADMIN_PASSWORD", PASSWORD);
}

pub(super) fn arrive_as_they_were_given(site: &Site) {
    for (vm, service, variable, value) in [
        ("ui", "backend", "USER_PASSWORD", PASSWORD),
        ("ui", "core", "LICENSE_KEY_SIGNED", LICENSE),
        ("ray-1", "head", "LICENSE_KEY_SIGNED", LICENSE),
        ("ray-2", "worker", "LICENSE_KEY_SIGNED", LICENSE),
    ] {
        let script = format!(
            "id=$(docker ps -q --filter label=com.docker.compose.service={service} \
                --filter label=com.docker.compose.project | head -n 1); \
             docker inspect --format '{{{{json .Config.Env}}}}' \"$id\""
        );
        let text = site.vm(vm).exec_ok(&script).unwrap();
        let environment: Vec<String> = serde_json::from_str(&text).unwrap();
        let expected = format!("{variable}={value}");
        let name = format!("{variable}=");
        let found = environment.iter().find(|entry| entry.starts_with(&name));
        assert_eq!(found, Some(&expected), "{service} on {vm}");
    }
}
