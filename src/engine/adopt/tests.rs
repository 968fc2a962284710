use super::*;
use crate::engine::machine::{Machine, container, volume};
use crate::presets::Presets;

const SPLIT: [&str; 5] = ["core", "core_worker", "backend", "worker", "frontend"];

fn presets() -> Vec<Arc<Preset>> {
    let all = Presets::new(None);
    all.ids().iter().map(|id| all.load(id).unwrap()).collect()
}

/// A project of these services, its images those of a release.
fn project(name: &str, services: &[&str], environment: &str) -> Project {
    let image = |service: &&str| {
        let repository = match *service {
            "core" | "core_worker" => "syntho.azurecr.io/syntho-core-api",
            "backend" => "syntho.azurecr.io/syntho-core-backend",
            "frontend" => "mirror.acme.example/syntho-core-frontend",
            "postgres" => return ((*service).to_owned(), "postgres:14.5".to_owned()),
            _ => "syntho.azurecr.io/syntho-ray",
        };
        ((*service).to_owned(), format!("{repository}:1.9.0"))
    };
    Project {
        name: name.to_owned(),
        folder: format!("/srv/{name}"),
        environment: format!("/srv/{name}/.env"),
        images: services.iter().map(image).collect(),
        volumes: BTreeMap::new(),
        by_hand: ByHand {
            environment: Some(environment.into()),
            services: services.iter().map(ToString::to_string).collect(),
            files: String::new(),
        },
    }
}

fn on(hosts: &[(&str, Project)]) -> BTreeMap<HostName, Vec<Project>> {
    let hosts = hosts.iter();
    hosts
        .map(|(host, project)| (host.parse().unwrap(), vec![project.clone()]))
        .collect()
}

fn fits(found: &BTreeMap<HostName, Vec<Project>>) -> Option<String> {
    let presets = presets();
    fitting(&presets, found)
        .unwrap()
        .map(|preset| preset.id.to_string())
}

#[test]
fn the_preset_follows_from_what_stands_where() {
    let head = project("ray", &["head"], "");
    let worker = project("ray", &["worker"], "");
    let app = project("app", &[&SPLIT[..], &["postgres"]].concat(), "");
    let whole = project("app", &[&SPLIT[..], &["postgres", "head"]].concat(), "");
    let split = on(&[("ui", app.clone()), ("a", head), ("b", worker)]);
    assert_eq!(fits(&split).as_deref(), Some("syntho-app-ray"));
    assert_eq!(
        fits(&on(&[("ui", whole)])).as_deref(),
        Some("syntho-one-node")
    );
    // Without its Ray head it is not whole, and somebody else's project is none of it.
    assert_eq!(fits(&on(&[("ui", app)])), None);
    assert_eq!(fits(&on(&[("ui", project("shop", &["web"], ""))])), None);
}

#[test]
fn what_runs_is_named_and_what_is_lost_stops_everything() {
    let presets = presets();
    let services = [&SPLIT[..], &["postgres", "head"]].concat();
    let environment = "FRONTEND_HOST=syntho.acme.example:3001\nFRONTEND_PORT=3001\nLICENSE_KEY=it-is-secret\nBACKEND_DB_PASSWORD='a@b'\n";
    let mut whole = project("app", &services, environment);
    let found = on(&[("ui", whole.clone())]);
    let preset = fitting(&presets, &found).unwrap().unwrap();
    let lost = takeover(preset, &known(preset, &found).unwrap()).unwrap();
    assert!(lost.refused());
    let said = |taken: &Takeover| format!("{:?}", taken.told);
    assert!(said(&lost).contains("no volume of the project `app` holds database-data"));
    assert!(said(&lost).contains("cannot stand in a URL"));

    whole
        .volumes
        .insert("database-data".to_owned(), "app_database-data".to_owned());
    whole.by_hand.environment = Some(environment.replace("a@b", "a.b").into());
    let found = on(&[("ui", whole)]);
    let taken = takeover(preset, &known(preset, &found).unwrap()).unwrap();
    assert!(!taken.refused(), "{}", said(&taken));
    assert!(!said(&taken).contains("it-is-secret"));
    let answer = |id: &str| taken.answers[&id.parse().unwrap()].as_str();
    assert_eq!(answer("public-host"), "syntho.acme.example");
    assert_eq!(
        (answer("frontend-port"), answer("database"), answer("redis")),
        ("3001", "bundled", "external")
    );
    assert_eq!(taken.images.tag.as_deref(), Some("1.9.0"));
    assert_eq!(taken.images.registry, None);
    let refs: Vec<String> = taken
        .images
        .refs
        .iter()
        .map(|(id, image)| format!("{id} {image}"))
        .collect();
    assert_eq!(
        refs,
        ["frontend mirror.acme.example/syntho-core-frontend:1.9.0"]
    );
    assert_eq!(
        taken.adopted[0].volumes["database-data"],
        "app_database-data"
    );
}

#[test]
fn projects_are_read_from_their_labels_and_ours_are_none() {
    let machine = Machine::new();
    fs_err::write(machine.path("app.yaml"), "services: {}\n").unwrap();
    fs_err::write(machine.path(".env"), "A=1\n").unwrap();
    let mut web = container("app", "web");
    web.labels.insert(
        FOLDER.to_owned(),
        machine.path("").trim_end_matches('/').to_owned(),
    );
    web.labels
        .insert(CONFIG.to_owned(), machine.path("app.yaml"));
    let mut ours = container("acme-ui", "web");
    ours.labels
        .insert(DEPLOYMENT_LABEL.to_owned(), "acme".to_owned());
    let mut data = volume("app", "app_data");
    data.labels.insert(VOLUME.to_owned(), "data".to_owned());
    let mut world = machine.engine.world();
    world.containers = vec![web, ours];
    world.volumes = vec![data];
    drop(world);
    let found = projects(machine.host.as_ref(), Rights::Login).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].name.as_str(), found[0].volumes["data"].as_str()),
        ("app", "app_data")
    );
    assert_eq!(found[0].by_hand.files, "services: {}\n");
    assert!(found[0].by_hand.environment.is_some());
    assert_eq!(found[0].images["web"], "x:1");
}
