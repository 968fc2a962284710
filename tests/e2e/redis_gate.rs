//! The bundled Redis knows no passwords: whoever reaches it reads and writes all of it. Only the hosts of Ray do.

use syntho_installer::rehearsal::Fault;
use toml::Value;

use crate::site::{Site, vm};

/// Asks Redis from a VM itself; what hangs up or does not answer says nothing.
fn ask(site: &Site, vm: &str) -> String {
    let script = format!(
        "timeout 5 bash -c 'exec 3<>/dev/tcp/{}/6379 && printf \"PING\\r\\n\" >&3 && head -n 1 <&3' 2>/dev/null | tr -d '\\r\\n'",
        site.vm("ui").address()
    );
    site.vm(vm).exec(&script).unwrap().stdout
}

#[track_caller]
fn expect(site: &Site, answered: &[&str], refused: &[&str]) {
    for vm in answered {
        assert_eq!(ask(site, vm), "+PONG", "{vm}");
    }
    for vm in refused {
        assert_eq!(ask(site, vm), "", "{vm}");
    }
}

/// Returns what the gate has said of a VM.
fn said_of(site: &Site, vm: &str) -> Vec<String> {
    let log = "docker logs acme-application-redis-gate-1 2>&1";
    let text = site.vm("ui").exec_ok(log).unwrap();
    let refused = format!("refused {}:", site.vm(vm).address());
    let lines = text.lines().filter(|line| line.starts_with(&refused));
    lines.map(ToOwned::to_owned).collect()
}

/// Returns when each container of the application was started.
fn started(site: &Site) -> String {
    let look = "docker ps -q | sort | xargs docker inspect -f '{{.Name}} {{.State.StartedAt}}'";
    site.vm("ui").exec_ok(look).unwrap()
}

#[test]
fn redis_answers_the_hosts_of_ray_and_nobody_else() {
    let site = Site::with(&[vm("ui"), vm("ray-1"), vm("ray-2"), vm("other")]);
    let mut answers = site.answers_for(&[("ui", &["ui"]), ("ray-1", &["ray-head"])]);
    // Its judgements ask Redis from the head, and the Core API works with it.
    site.deploy(&answers).expect_code(0);
    for _ in 0..3 {
        expect(&site, &["ui", "ray-1"], &["ray-2", "other"]);
    }
    assert_eq!(said_of(&site, "other").len(), 1, "named once");
    no_way_around_it(&site);

    // A worker comes: it is let in by the next deployment, and nothing is started anew for it.
    let before = started(&site);
    let hosts = answers["hosts"].as_array_mut().unwrap();
    hosts.push(Value::Table(site.host("ray-2", &["ray-worker"])));
    site.deploy(&answers).expect_code(0);
    expect(&site, &["ui", "ray-1", "ray-2"], &["other"]);
    assert_eq!(started(&site), before);
    let again = site.deploy(&answers).expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");

    // It comes back by itself, before or after Redis.
    site.fleet.inflict("ui", &Fault::Reboot).unwrap();
    site.run(&["verify", "acme", "--json"]).expect_code(0);
    expect(&site, &["ui", "ray-1", "ray-2"], &["other"]);

    a_list_without_a_worker_is_told(&site);
}

/// Docker lets nobody from outside through to Redis or the gate's inner end: not even to their addresses in its network, to which a neighbour can have a
/// route, and which it opens for every published port, one of the host's own loopback included.
fn no_way_around_it(site: &Site) {
    let ui = site.vm("ui");
    let opened = ui.exec_ok("iptables -S DOCKER").unwrap();
    let address = |service: &str| {
        let look = format!(
            "docker inspect -f '{{{{range .NetworkSettings.Networks}}}}{{{{.IPAddress}}}}{{{{end}}}}' acme-application-{service}-1"
        );
        format!("-d {}/32 ", ui.exec_ok(&look).unwrap().trim())
    };
    assert!(opened.contains(&address("frontend")), "{opened}");
    for service in ["redis", "redis-relay", "postgres"] {
        assert!(!opened.contains(&address(service)), "{service}: {opened}");
    }
}

/// A worker that comes by another address than its own is refused, and `verify` says where to look.
fn a_list_without_a_worker_is_told(site: &Site) {
    let worker = site.vm("ray-2").address().to_string();
    let without = format!(
        "cd /opt/syntho/acme/application && sed -i '/^{worker}$/d' redis-gate/allowed && docker compose kill -s HUP redis-gate"
    );
    site.vm("ui").exec_ok(&without).unwrap();
    site.run(&["verify", "acme", "--json"])
        .expect_code(1)
        .says(&[
            "The Ray worker reaches Redis",
            "hung up at once",
            "docker compose logs redis-gate",
        ]);
    assert_eq!(
        said_of(site, "ray-2").len(),
        2,
        "before it was on the list, and now"
    );
    site.deploy_known().expect_code(0);
    expect(site, &["ray-2"], &["other"]);
}
