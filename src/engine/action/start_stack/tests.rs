use super::*;
use crate::engine::action::Rights;
use crate::engine::machine::{Machine, container, image};
use crate::model::failure::Hinted;

const PROJECT: &str = "acme-ray";

fn machine() -> Machine {
    let machine = Machine::new();
    fs_err::create_dir(machine.path("stack")).unwrap();
    fs_err::write(machine.path("stack/nginx.conf"), "x").unwrap();
    machine.engine.world().images.push(image("x:1", "1"));
    machine
}

fn action(machine: &Machine) -> StartStack {
    StartStack {
        stack: "ray".parse().unwrap(),
        compose: Compose {
            project: PROJECT.to_owned(),
            folder: machine.path("stack"),
            command: vec!["docker".to_owned(), "compose".to_owned()],
            rights: Rights::Login,
        },
        images: vec![ImageRef::parse("x:1").unwrap()],
        services: vec![Service {
            name: "x".to_owned(),
            when: None,
            state: ServiceState::Running,
            within: 5,
            reload: Vec::new(),
        }],
        proofs: Vec::new(),
        mounted: Vec::new(),
        deployment: machine.path("stack"),
        created: false,
    }
}

fn done(machine: &Machine) -> StartStack {
    let mut action = action(machine);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    action
}

fn calls(machine: &Machine) -> Vec<String> {
    machine.engine.world().called.clone()
}

#[test]
fn on_a_fresh_host_it_starts_without_pulling_or_building() {
    let machine = machine();
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    let action = done(&machine);
    assert!(action.created);
    assert_eq!(
        calls(&machine),
        [
            "0 compose --ansi never --project-name acme-ray up --detach --pull never --no-build --remove-orphans"
        ]
    );
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(
        *machine.voice.lines.lock().unwrap(),
        ["Container x Started"]
    );
}

#[test]
fn what_is_not_fit_to_start_is_not_started() {
    let proof = |program: &str| Proof {
        title: "It is fit".to_owned(),
        when: None,
        run: vec!["sh".to_owned(), "-c".to_owned(), program.to_owned()],
        remedy: "mend it".to_owned(),
    };
    let machine = machine();
    let mut action = action(&machine);
    action.proofs = vec![
        proof("echo \"$COMPOSE\" > asked; echo it is fit"),
        proof("echo one moment; echo it is broken; echo the reason >&2; exit 3"),
    ];
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "it is broken");
    assert_eq!(error.evidence(), ["the reason"]);
    assert_eq!(error.hint().as_deref(), Some("mend it"));
    assert_eq!(calls(&machine), [""; 0]);
    // It ran beside the files, and knows how Compose is called.
    assert_eq!(
        fs_err::read_to_string(machine.path("stack/asked")).unwrap(),
        "docker compose --ansi never --project-name acme-ray\n"
    );

    action.proofs[1] = proof("exit 1");
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "this does not hold: It is fit");

    action.proofs.truncate(1);
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn what_stands_already_is_left_alone_and_is_not_ours() {
    let machine = machine();
    machine
        .engine
        .world()
        .containers
        .push(container(PROJECT, "x"));
    let mut action = action(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    action.prepare(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert_eq!(machine.engine.world().containers.len(), 1);
}

#[rstest::rstest]
#[case::stopped(|c: &mut ContainerFacts| c.state = "exited".to_owned())]
#[case::made_from_something_else(|c: &mut ContainerFacts| { c.labels.insert(HASH_LABEL.to_owned(), "old".to_owned()); })]
#[case::another_image(|c: &mut ContainerFacts| c.image_id = "sha256:0".to_owned())]
#[case::an_orphan(|c: &mut ContainerFacts| { c.labels.insert("com.docker.compose.service".to_owned(), "gone".to_owned()); })]
fn what_differs_is_started_again(#[case] change: fn(&mut ContainerFacts)) {
    let machine = machine();
    let mut other = container(PROJECT, "x");
    change(&mut other);
    machine.engine.world().containers.push(other);
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
}

#[test]
fn a_one_shot_that_ended_well_is_already_so() {
    let machine = machine();
    let mut ended = container(PROJECT, "x");
    ended.state = "exited".to_owned();
    ended.exit_code = Some(0);
    machine.engine.world().containers.push(ended);
    let mut action = action(&machine);
    action.services[0].state = ServiceState::Completed;
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_mounted_file_that_is_newer_than_the_containers_makes_them_anew() {
    let machine = machine();
    machine
        .engine
        .world()
        .containers
        .push(container(PROJECT, "x"));
    let mut action = action(&machine);
    action.mounted = vec!["nginx.conf".to_owned()];
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.execute(&machine.cx()).unwrap();
    assert!(calls(&machine)[0].ends_with("--force-recreate"));
}

#[test]
fn a_bad_end_fails_with_composes_words_and_can_be_repeated() {
    let machine = machine();
    fs_err::write(machine.path("up-status"), "17").unwrap();
    let mut action = action(&machine);
    let ActionError::Situation {
        message, evidence, ..
    } = action.execute(&machine.cx()).unwrap_err()
    else {
        panic!("a situation");
    };
    assert!(message.contains("status 17"), "{message}");
    assert_eq!(evidence, ["Container x Started"]);
    assert!(!std::path::Path::new(&machine.path("stack/.run")).exists());
    fs_err::write(machine.path("up-status"), "0").unwrap();
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_start_that_an_earlier_run_began_is_followed_and_not_begun_again() {
    let machine = machine();
    fs_err::write(machine.path("hold"), "").unwrap();
    let mut first = action(&machine);
    machine
        .voice
        .stop
        .store(true, std::sync::atomic::Ordering::SeqCst);
    first.prepare(&machine.cx()).unwrap();
    assert!(matches!(
        first.execute(&machine.cx()).unwrap_err(),
        ActionError::Cancelled
    ));
    machine
        .voice
        .stop
        .store(false, std::sync::atomic::Ordering::SeqCst);
    let mut second = action(&machine);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| second.execute(&machine.cx()));
        while machine.voice.lines.lock().unwrap().is_empty() {
            assert!(!running.is_finished());
            std::thread::yield_now();
        }
        fs_err::remove_file(machine.path("hold")).unwrap();
        running.join().unwrap().unwrap();
    });
    assert_eq!(calls(&machine).len(), 1);
    assert!(machine.voice.lines.lock().unwrap()[0].contains("earlier run"));
}

#[test]
fn reverting_takes_down_what_it_created_keeps_volumes_and_can_be_repeated() {
    let machine = machine();
    let mut action = done(&machine);
    action.revert(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert!(machine.engine.world().containers.is_empty());
    let downs: Vec<String> = calls(&machine)
        .into_iter()
        .filter(|call| call.contains(" down"))
        .collect();
    assert_eq!(downs.len(), 1);
    assert!(!downs[0].contains("volumes") && !downs[0].contains(" -v"));
}
