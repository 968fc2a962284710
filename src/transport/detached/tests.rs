//! Real steps on this machine; with feature `e2e` also with root's rights by sudo in a container.

use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::local::{LocalHost, here};

/// A deployment's folder with a step in it, ended with the test.
struct Place {
    host: LocalHost,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            host: here(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn step(&self) -> Step<'_> {
        Step {
            folder: self.folder.path().to_str().unwrap(),
            id: "ray-2/images/ray",
            privilege: Privilege::User,
        }
    }

    fn start(&self, script: &str, input: &Input) -> Started {
        start(&self.host, &self.step(), script, input).unwrap()
    }

    fn status(&self) -> State {
        status(&self.host, &self.step()).unwrap()
    }

    fn follow_from(&self, mut offset: u64) -> (String, Option<End>) {
        follow_to_end(&self.host, &self.step(), &mut offset)
    }

    fn kept(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(".run/ray-2.images.ray").join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = cancel(&self.host, &self.step());
    }
}

fn follow_to_end(host: &dyn Host, step: &Step<'_>, offset: &mut u64) -> (String, Option<End>) {
    let mut all = Vec::new();
    let end = follow(host, step, offset, &mut |bytes| {
        all.extend_from_slice(bytes);
        ControlFlow::Continue(())
    })
    .unwrap();
    (String::from_utf8(all).unwrap(), end)
}

#[test]
fn a_step_runs_to_its_end_and_stays_ended() {
    let place = Place::new();
    assert_eq!(place.status(), State::Absent);
    let script = "cat; echo out; echo err >&2\nexit 7";
    let secret = Input::Secret(SecretString::from("hunter2\n"));
    assert_eq!(place.start(script, &secret), Started::New);
    let told = "hunter2\nout\nerr\n".to_owned();
    assert_eq!(place.follow_from(0), (told, Some(End::Code(7))));
    assert_eq!(
        place.follow_from(8),
        ("out\nerr\n".to_owned(), Some(End::Code(7)))
    );
    let ended = State::Ended(End::Code(7));
    assert_eq!(
        place.start("echo again", &Input::Empty),
        Started::Already(ended)
    );
    assert!(!place.kept("input").exists());
    clean(&place.host, &place.step()).unwrap();
    assert_eq!(place.status(), State::Absent);
    assert!(!place.folder.path().join(".run").exists());
    clean(&place.host, &place.step()).unwrap();
}

#[test]
fn what_is_kept_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.start("exit 0", &Input::Empty);
    place.follow_from(0);
    for (name, mode) in [("", 0o700), ("log", 0o600), ("script", 0o600)] {
        let found = fs_err::metadata(place.kept(name)).unwrap().permissions();
        assert_eq!(found.mode() & 0o777, mode, "{name}");
    }
}

/// Starts a step that tells its number and waits for a line in a pipe.
fn waiting(place: &Place, more: &str) -> String {
    let pipe = place.folder.path().join("pipe");
    let pipe = pipe.to_str().unwrap().to_owned();
    here().must(&Command::sh(format!("mkfifo {pipe}"))).unwrap();
    let script = format!("{more}\necho started\nread -r line <{pipe}\necho \"got $line\"");
    assert_eq!(place.start(&script, &Input::Empty), Started::New);
    let mut offset = 0;
    let seen = follow(&place.host, &place.step(), &mut offset, &mut |bytes| {
        if bytes.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!((seen.unwrap(), offset), (None, 8));
    pipe
}

#[test]
fn a_step_that_runs_is_found_again_and_followed_from_where_we_were() {
    let place = Place::new();
    let pipe = waiting(&place, "");
    let running = Started::Already(State::Running);
    assert_eq!(place.start("echo another", &Input::Empty), running);
    let refused = clean(&place.host, &place.step()).unwrap_err();
    assert!(refused.to_string().ends_with("the step still runs"));
    fs_err::write(pipe, "news\n").unwrap();
    assert_eq!(
        place.follow_from(8),
        ("got news\n".to_owned(), Some(End::Code(0)))
    );
}

#[test]
fn a_process_that_is_gone_without_a_word_was_interrupted() {
    let place = Place::new();
    waiting(&place, "");
    let pid = fs_err::read_to_string(place.kept("pid")).unwrap();
    let group = pid.split(' ').nth(1).unwrap();
    here()
        .must(&Command::sh(format!("kill -s KILL -- -{group}")))
        .unwrap();
    assert_eq!(
        place.follow_from(8),
        (String::new(), Some(End::Interrupted))
    );
    let interrupted = Started::Already(State::Ended(End::Interrupted));
    assert_eq!(place.start("echo again", &Input::Empty), interrupted);
    clean(&place.host, &place.step()).unwrap();
    assert_eq!(place.start("echo again", &Input::Empty), Started::New);
    assert_eq!(
        place.follow_from(0),
        ("again\n".to_owned(), Some(End::Code(0)))
    );
}

#[rstest]
#[case::after_a_restart(3, "00000000-0000-0000-0000-000000000000\n")]
#[case::its_number_given_out_again(2, "1")]
fn another_process_is_not_taken_for_it(#[case] field: usize, #[case] value: &str) {
    let place = Place::new();
    let pipe = waiting(&place, "");
    let pid = fs_err::read_to_string(place.kept("pid")).unwrap();
    let mut fields: Vec<&str> = pid.split(' ').collect();
    fields[field] = value;
    fs_err::write(place.kept("pid"), fields.join(" ")).unwrap();
    assert_eq!(place.status(), State::Ended(End::Interrupted));
    fs_err::write(pipe, "end\n").unwrap();
}

#[rstest]
#[case::willing("")]
#[case::unwilling("trap '' TERM")]
fn a_step_is_cancelled(#[case] more: &str) {
    let place = Place::new();
    waiting(&place, more);
    let cancelled = State::Ended(End::Cancelled);
    assert_eq!(cancel(&place.host, &place.step()).unwrap(), cancelled);
    assert_eq!(cancel(&place.host, &place.step()).unwrap(), cancelled);
    assert_eq!(place.follow_from(8).1, Some(End::Cancelled));
}

#[test]
fn a_long_log_comes_in_portions_without_a_gap() {
    let place = Place::new();
    place.start("seq 1 400000", &Input::Empty);
    let (told, end) = place.follow_from(0);
    assert_eq!(end, Some(End::Code(0)));
    let numbers: Vec<u32> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=400_000));
}

#[test]
fn a_fault_of_the_link_keeps_the_offset() {
    let host = FakeHost::new("a".parse().unwrap())
        .on("offset=5\n", Reply::lost())
        .on("offset=0\n", Reply::ok("running 5\nhello"));
    let step = Step {
        folder: "/opt/syntho/a",
        id: "x",
        privilege: Privilege::User,
    };
    let mut offset = 0;
    let error = follow(
        &host,
        &step,
        &mut offset,
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(error.unwrap_err().is_link_fault());
    assert_eq!(offset, 5);
}

#[test]
fn a_step_cut_off_while_it_is_sent_does_not_run() {
    let place = Place::new();
    let cut = ask(
        &place.host,
        &place.step(),
        "script=4\ninput=100\nrunner=x\n",
        scripts::START,
        Input::Bytes(b"truehalf".to_vec()),
        QUESTION,
    );
    assert!(cut.unwrap_err().to_string().contains("in part only"));
    assert_eq!(place.status(), State::Absent);
}

#[test]
fn the_folder_must_be_there() {
    let place = Place::new();
    let folder = format!("{}/none", place.step().folder);
    let step = Step {
        folder: &folder,
        ..place.step()
    };
    let error = start(&place.host, &step, "true", &Input::Empty).unwrap_err();
    assert!(error.to_string().contains("the folder does not exist"));
}

#[rstest]
#[case("ray-2/images/ray", "ray-2.images.ray")]
#[case("../../etc", "etc")]
#[case("..", "_")]
#[case("", "_")]
#[case("a b;c", "a_b_c")]
fn no_id_leads_out_of_the_folder(#[case] id: &str, #[case] name: &str) {
    assert_eq!(file_name(id), name);
}

#[cfg(feature = "e2e")]
mod in_a_container {
    use std::sync::Arc;

    use super::*;
    use crate::transport::files;
    use crate::transport::rehearsed::{Machine, PASSWORD, USER};

    #[rstest]
    #[case::plain("")]
    #[case::with_a_pty("Defaults use_pty\n")]
    fn root_s_step_outlives_the_connection(#[case] defaults: &str) {
        let machine = Arc::new(Machine::start(&format!("{defaults}{USER} ALL=(ALL) ALL\n")));
        let host = machine.connect(Some(PASSWORD));
        files::make_folder(&host, "/opt/a", 0o700, Privilege::Root).unwrap();
        machine.inside("mkfifo /opt/a/pipe", "");
        let step = Step {
            folder: "/opt/a",
            id: "x",
            privilege: Privilege::Root,
        };
        let script = "read -r secret; id -u; read -r line </opt/a/pipe; echo $secret $line";
        let secret = Input::Secret(SecretString::from("hunter2\n"));
        assert_eq!(start(&host, &step, script, &secret).unwrap(), Started::New);
        let shown = machine.inside("ps -eo args", "");
        assert!(!shown.contains("hunter2"), "{shown}");
        drop(host);
        let host = machine.connect(Some(PASSWORD));
        assert_eq!(status(&host, &step).unwrap(), State::Running);
        machine.inside("echo news >/opt/a/pipe", "");
        let (told, end) = follow_to_end(&host, &step, &mut 0);
        assert_eq!(
            (told.as_str(), end),
            ("0\nhunter2 news\n", Some(End::Code(0)))
        );
    }

    #[test]
    fn a_full_disk_refuses_the_step_and_cannot_swallow_its_end() {
        let machine = Arc::new(Machine::start("# nobody\n"));
        let host = machine.connect(None);
        let step = Step {
            folder: "/small",
            id: "x",
            privilege: Privilege::User,
        };
        let script = "yes; exit 3";
        assert_eq!(
            start(&host, &step, script, &Input::Empty).unwrap(),
            Started::New
        );
        let (told, end) = follow_to_end(&host, &step, &mut 0);
        assert!(told.starts_with("y\ny\n"));
        assert_eq!(end, Some(End::Code(3)));
        let other = Step { id: "y", ..step };
        let big = Input::Bytes(vec![b'x'; 1 << 20]);
        let error = start(&host, &other, "true", &big).unwrap_err();
        assert!(error.to_string().contains("is the disk full?"), "{error}");
        assert_eq!(status(&host, &other).unwrap(), State::Absent);
    }
}
