//! The dashboard on a terminal, over a deployment that really runs: what happens on the hosts is seen, within seconds, and nothing on them is changed.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use syntho_installer::rehearsal::Fault;

use crate::pty::OnTerminal;
use crate::site::{Site, tell};
use crate::still;

/// How long something may take to be seen that the hosts do at once.
const SOON: Duration = Duration::from_secs(15);

/// How long it may take until a host is found out to be gone, or to be back: time limits and growing waits are in it.
const LATER: Duration = Duration::from_secs(75);

/// What a container prints is what its first process prints.
fn print(site: &Site, line: &str) {
    let script = "docker exec -i -u 0 \"$(docker ps -q -f label=com.docker.compose.service=frontend)\" sh -c 'cat > /proc/1/fd/2'";
    site.vm("ui")
        .exec_with(script, format!("{line}\n").as_bytes())
        .unwrap();
}

fn on_frontend(site: &Site, verb: &str) {
    let script =
        format!("docker {verb} \"$(docker ps -aq -f label=com.docker.compose.service=frontend)\"");
    site.vm("ui").exec_ok(&script).unwrap();
}

/// Returns the row of the table that begins with a name.
fn row<'a>(text: &'a str, name: &str) -> &'a str {
    let begins = |line: &&str| {
        line.trim_start_matches(['│', '▸', ' ', '✔', '✖', '·'])
            .starts_with(name)
    };
    text.lines().find(begins).unwrap_or_default()
}

/// Waits for something to be seen and tells how long it took.
fn seen(screen: &OnTerminal, limit: Duration, what: &str, holds: impl Fn(&str) -> bool) {
    let began = Instant::now();
    screen.within(limit, what, |s| holds(&s.text()));
    tell(&format!(
        "seen after {:.1} s: {what}",
        began.elapsed().as_secs_f64()
    ));
}

/// Returns the processor time that the program has taken, in seconds.
fn cpu(screen: &OnTerminal) -> f64 {
    let stat = fs_err::read_to_string(format!("/proc/{}/stat", screen.pid())).unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ');
    let ticks: u32 = fields
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u32>().unwrap())
        .sum();
    f64::from(ticks) / 100.0
}

#[test]
fn what_happens_on_the_hosts_is_seen_on_the_dashboard() {
    let site = Site::three();
    site.deploy(&site.answers()).expect_code(0);
    let before = site.footprint();

    let mut screen = OnTerminal::start(&site.program());
    screen.resize(120, 40);
    screen.until("the list", |s| {
        s.text().contains("1 deployment") && s.text().contains("deployed")
    });
    screen.look(|s| still::keep(s, "deployments"));
    screen.press("\r");
    seen(&screen, LATER, "all well", |text| text.contains("all well"));
    it_costs_little(&screen);
    screen.look(|s| still::keep(s, "dashboard"));
    a_container_stops(&site, &screen);
    a_host_is_unplugged(&site, &mut screen);
    lines_are_followed(&site, &mut screen);
    commands_are_a_key_away(&site, &mut screen);

    screen.signal(Signal::KILL);
    screen.wait();
    let gone = "! pgrep -f '[d]ial-stdio|[d]ocker logs'";
    for vm in site.fleet.vms() {
        vm.wait_until("nothing of ours runs", Duration::from_secs(20), gone)
            .unwrap();
    }
    site.expect_footprint(&before);
}

fn it_costs_little(screen: &OnTerminal) {
    let (taken, watched) = (cpu(screen), Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    let share = (cpu(screen) - taken) / watched.elapsed().as_secs_f64();
    tell(&format!(
        "{:.1} % of a processor while nothing happens",
        share * 100.0
    ));
    assert!(share < 0.25, "{share}");
}

fn a_container_stops(site: &Site, screen: &OnTerminal) {
    on_frontend(site, "stop -t 1");
    seen(screen, SOON, "a stopped container", |text| {
        row(text, "frontend").contains("exited") && text.contains("1 not as it must be")
    });
    on_frontend(site, "start");
    seen(screen, SOON * 4, "a started container", |text| {
        text.contains("all well")
    });
}

fn a_host_is_unplugged(site: &Site, screen: &mut OnTerminal) {
    {
        let _unplugged = site.inflict("ray-2", Fault::LinkDown);
        seen(screen, LATER, "a host that was unplugged", |text| {
            text.contains("1 host not read")
        });
        // Its services may be below the lower edge: they are scrolled to.
        screen.press("\u{1b}[F");
        seen(screen, SOON, "which, and its old state", |text| {
            row(text, "ray-2").contains("not reached") && text.contains("was healthy")
        });
        screen.press("\u{1b}[H");
        seen(screen, SOON, "the others, as fresh as before", |text| {
            let fresh = ["now", "1 s ago", "2 s ago", "3 s ago", "4 s ago"];
            fresh.iter().any(|age| row(text, "ui").contains(age))
        });
    }
    screen.press("r");
    seen(screen, LATER, "the host again", |text| {
        text.contains("all well")
    });
}

fn lines_are_followed(site: &Site, screen: &mut OnTerminal) {
    let env = site
        .vm("ui")
        .exec_ok("cat /opt/syntho/acme/application/.env")
        .unwrap();
    let password = env
        .lines()
        .find_map(|line| line.strip_prefix("DATABASE_PASSWORD="))
        .unwrap()
        .trim_matches(['\'', '"']);
    screen.press("a");
    screen.press("tmarked");
    screen.press("\r");
    print(site, "marked first");
    seen(screen, SOON, "a line", |text| {
        text.contains("ui/frontend") && text.contains("marked first")
    });
    print(site, &format!("marked {password} here"));
    seen(screen, SOON, "a secret's name in place of it", |text| {
        text.contains("marked ‹database-password› here")
    });
    screen.look(|s| still::keep(s, "logs"));
    assert!(!screen.text().contains(password));
}

fn commands_are_a_key_away(site: &Site, screen: &mut OnTerminal) {
    screen.press("\u{1b}");
    seen(screen, SOON, "the hosts again", |text| {
        text.contains("all well")
    });
    screen.press("l");
    seen(
        screen,
        LATER,
        "logs gathered, by the command that is shown",
        |text| text.contains("$ syntho-installer logs acme") && text.contains("Enter goes back"),
    );
    let gathered = fs_err::read_to_string(site.home.join("syntho_logs.log")).unwrap();
    assert!(gathered.contains("marked first"), "{gathered}");
    goes_back(screen);
    screen.press("U");
    seen(screen, SOON, "that there was no upgrade", |text| {
        text.contains("there is no upgrade of `acme`") && text.contains("Enter goes back")
    });
    goes_back(screen);
    screen.press("D");
    seen(screen, LATER, "what would go", |text| {
        text.contains("acme-application")
    });
    screen.press("n");
    screen.press("\r");
    seen(screen, SOON, "nothing was removed", |text| {
        text.contains("Enter goes back")
    });
    goes_back(screen);
}

fn goes_back(screen: &mut OnTerminal) {
    screen.press("\r");
    seen(
        screen,
        LATER,
        "the dashboard, and all of it there",
        |text| text.contains("all well"),
    );
}
