//! The built program on a terminal of its own: how soon it draws, and what it uses while nothing happens.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use syntho_installer::model::event::{Event, Record};
use syntho_installer::model::ids::RunId;

/// How often the start is measured.
const STARTS: usize = 9;

/// How long idling is watched.
const WATCHED: Duration = Duration::from_secs(5);

/// Clock ticks a second in `/proc`, the same on every Linux.
const TICKS: f64 = 100.0;

/// Returns the median time from start to the first frame, and the share of one processor used while idle, in percent.
pub(crate) fn first_frame_and_idling() -> (Duration, f64) {
    let mut times = Vec::new();
    let mut idle = 0.0;
    for number in 0..STARTS {
        let (time, used) = start(number + 1 == STARTS);
        times.push(time);
        idle += used;
    }
    times.sort();
    (times[STARTS / 2], idle)
}

/// Starts the program; watches it idle where that is asked for.
fn start(watch: bool) -> (Duration, f64) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run.jsonl");
    fs_err::write(&run, recording()).unwrap();
    let size = PtySize {
        rows: 40,
        cols: 120,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syntho-installer"));
    command.args(["replay", run.to_str().unwrap(), "--speed", "0"]);
    command.env("SYNTHO_INSTALLER_HOME", folder.path());
    command.env("LANG", "C.UTF-8");
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut keys = pair.master.take_writer().unwrap();
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut seen = Vec::new();
    let mut bytes = vec![0; 65_536];
    // The last thing of a frame is its key bar.
    while !String::from_utf8_lossy(&seen).contains("help") {
        let count = reader.read(&mut bytes).unwrap();
        seen.extend_from_slice(&bytes[..count]);
    }
    let first = began.elapsed();
    std::thread::spawn(move || while reader.read(&mut bytes).is_ok_and(|count| count > 0) {});
    let mut used = 0.0;
    if watch {
        std::thread::sleep(Duration::from_secs(1));
        let pid = child.process_id().unwrap();
        let before = ticks(pid);
        std::thread::sleep(WATCHED);
        used = (ticks(pid) - before) / TICKS / WATCHED.as_secs_f64() * 100.0;
    }
    keys.write_all(b"q").unwrap();
    child.wait().unwrap();
    (first, used)
}

fn recording() -> String {
    let event = Event::RunStarted {
        run: RunId("r".to_owned()),
        deployment: "acme".parse().unwrap(),
        title: "Some product".to_owned(),
        purpose: "deploy".to_owned(),
        hosts: vec!["node-1".parse().unwrap()],
    };
    let time = jiff::Timestamp::now();
    serde_json::to_string(&Record { time, event }).unwrap() + "\n"
}

/// Returns the processor time of a process, in clock ticks.
fn ticks(pid: u32) -> f64 {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let number = |at: usize| fields[at].parse::<f64>().unwrap();
    number(11) + number(12)
}

/// Returns the memory that this process holds, in megabytes.
pub(crate) fn resident_megabytes() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1000.0
}
