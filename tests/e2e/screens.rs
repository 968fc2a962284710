//! The full screens on a terminal, by keys alone: the plan is read and accepted, the run is watched, and the terminal is as it was found.

use std::time::Duration;

use rustix::process::Signal;
use syntho_installer::rehearsal::Fault;

use crate::pty::OnTerminal;
use crate::site::Site;
use crate::still;

/// How long a deployment may take.
const LIMIT: Duration = Duration::from_mins(10);

#[test]
fn a_deployment_by_keys_alone() {
    let site = Site::three();
    let answers = site.write(&site.answers());
    let mut command = site.program();
    command.args(["deploy", "--answers", answers.as_str()]);

    let before = site.footprint();
    let mut screen = OnTerminal::start(&command);
    screen.resize(120, 40);
    screen.within(LIMIT, "the plan", |s| {
        s.text().contains("Nothing was changed so far")
    });
    screen.look(|s| still::keep(s, "plan"));
    // Nothing is written before the plan is accepted.
    site.expect_footprint(&before);
    screen.press("y");
    screen.within(LIMIT, "hosts at work", |s| {
        s.text().contains("connect files") && s.text().contains("start stack")
    });
    screen.look(|s| still::keep(s, "deploy"));
    screen.within(LIMIT, "the end", |s| s.text().contains("deploy done in"));
    screen.look(|s| still::keep(s, "result"));
    assert!(screen.text().contains("hand-over.md"), "{}", screen.text());
    screen.press("q");
    assert_eq!(screen.wait(), 0);
    screen.assert_sane();
    screen.until("how it ended, still readable", |s| {
        s.text().contains("deploy done in")
    });

    let mut screen = OnTerminal::start(&command);
    screen.within(LIMIT, "nothing to do", |s| {
        s.text().contains("nothing to do")
    });
    screen.press("q");
    assert_eq!(screen.wait(), 0);
    screen.assert_sane();
}

const UP: &str = "\u{1b}[A";

#[test]
fn what_fails_is_mended_by_keys_and_a_kill_loses_no_line() {
    let site = Site::three();
    let answers = site.write(&site.answers());
    site.fleet.inflict("ray-2", &Fault::DockerStopped).unwrap();
    let mut command = site.program();
    command.args(["deploy", "--answers", answers.as_str()]);

    let mut screen = OnTerminal::start(&command);
    a_fix_is_run(&site, &mut screen);
    killed_while_a_stack_starts(&mut screen);

    let mut command = site.program();
    command.args(["deploy", "acme"]);
    let mut screen = OnTerminal::start(&command);
    the_lines_of_before_are_there(&mut screen);
    a_host_is_tried_again(&site, &mut screen);
    screen.within(LIMIT, "the end", |s| s.text().contains("deploy done in"));
    screen.press("q");
    assert_eq!(screen.wait(), 0);
    screen.assert_sane();
}

/// The check that holds the run names the command; it is shown, asked about and run, and then everything is looked at anew.
fn a_fix_is_run(site: &Site, screen: &mut OnTerminal) {
    screen.within(LIMIT, "the failed check", |s| {
        s.text().contains("f mends it")
    });
    screen.press("f");
    screen.until("the whole command", |s| {
        s.text().contains("sudo systemctl enable --now docker") && s.text().contains("Run it")
    });
    let stopped = "! docker info >/dev/null 2>&1";
    assert!(
        site.vm("ray-2").exec_ok(stopped).is_ok(),
        "not before a yes"
    );
    screen.press("y");
    screen.within(LIMIT, "the plan", |s| {
        s.text().contains("Nothing was changed so far")
    });
    site.vm("ray-2").exec_ok("docker info >/dev/null").unwrap();
}

fn killed_while_a_stack_starts(screen: &mut OnTerminal) {
    screen.press("y");
    screen.within(LIMIT, "the work", |s| s.text().contains("step 5/6 Deploy"));
    // The host that was mended is chosen, which is the last.
    screen.press(UP);
    screen.press("p");
    screen.until("the pause", |s| s.text().contains("paus"));
    screen.press("p");
    screen.within(LIMIT, "words of the stack", |s| {
        s.text().contains("Container ")
    });
    screen.signal(Signal::KILL);
    screen.wait();
}

fn the_lines_of_before_are_there(screen: &mut OnTerminal) {
    screen.within(LIMIT, "the plan", |s| {
        s.text().contains("Nothing was changed so far")
    });
    screen.press("y");
    // The same host is chosen, and its pane holds both runs.
    screen.until("the log of the same host", |s| {
        s.text().contains("\u{25b8}")
    });
    screen.press("\r");
    screen.until("its log", |s| s.text().contains("ray-1: log"));
    screen.press("/here this one begins\r");
    screen.until("where this run begins", |s| {
        let text = s.text();
        let begins = text.find("here this one begins");
        let before = text.find("Container ");
        matches!((before, begins), (Some(before), Some(begins)) if before < begins)
    });
    screen.press("\u{1b}");
    screen.until("the hosts", |s| s.text().contains("connect files"));
}

/// A host that fails holds the run once the others have done what they can; tried again by itself, it lets the rest go on.
fn a_host_is_tried_again(site: &Site, screen: &mut OnTerminal) {
    let docker = site.inflict("ui", Fault::DockerStopped);
    screen.within(LIMIT, "the failure", |s| {
        s.text().contains("nothing goes on without you")
    });
    drop(docker);
    screen.press("r");
    screen.until("another try", |s| {
        !s.text().contains("nothing goes on without")
    });
}
