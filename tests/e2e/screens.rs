//! The full screens on a terminal, by keys alone: the plan is read and accepted, the run is watched, and the terminal is as it was found.

use std::time::Duration;

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
    still::keep(&screen, "plan");
    // Nothing is written before the plan is accepted.
    site.expect_footprint(&before);
    screen.press("y");
    screen.within(LIMIT, "hosts at work", |s| {
        s.text().contains("connect files") && s.text().contains("start stack")
    });
    still::keep(&screen, "deploy");
    screen.within(LIMIT, "the end", |s| s.text().contains("deploy done in"));
    still::keep(&screen, "result");
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
