//! Measures the full screens: the first frame, frames under load, keys under load, memory, and idling; `make bench` runs it.
//!
//! Load is 50 hosts that print 10,000 lines a second between them. Frames are drawn into memory with everything that the terminal would be sent, so the
//! figures are the program's own and not the terminal's. Goals are printed beside the figures; a missed one ends with an error.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement ends at the first surprise and prints what it found"
)]

mod load;
mod process;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use load::Load;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};
use ratatui::{TerminalOptions, Viewport};
use syntho_installer::ui::tui::run::RunScreen;
use syntho_installer::ui::tui::{App, Look};

/// The terminal that is drawn for.
const SIZE: Size = Size {
    width: 120,
    height: 40,
};

/// Hosts that work at once, and what they print a second together.
const HOSTS: usize = 50;
const LINES: u32 = 10_000;

/// Lines after which memory is looked at.
const MILLION: usize = 1_000_000;

/// How long the load goes on.
const SECONDS: u64 = 8;

/// Frames a second at most, as in the real loop.
const PACE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let mut met = true;
    let mut figure = |what: &str, value: f64, unit: &str, goal: f64| {
        let word = if value < goal { "met" } else { "MISSED" };
        met &= value < goal;
        println!("{what:58} {value:9.2} {unit:3} goal < {goal} {unit}: {word}");
    };
    let (first, idle) = process::first_frame_and_idling();
    figure(
        "first frame after start (median of 9)",
        ms(first),
        "ms",
        50.0,
    );
    let (frames, keys) = under_load();
    let name = format!("frame, p99, {HOSTS} hosts and {LINES} lines/s");
    figure(&name, ms(percentile(&frames, 99)), "ms", 8.0);
    figure(
        "key to screen under that load, p99",
        ms(percentile(&keys, 99)),
        "ms",
        50.0,
    );
    let grown = memory();
    figure(
        "memory after a million lines (whole process)",
        grown,
        "MB",
        100.0,
    );
    figure("processor while idle", idle, "%", 1.0);
    if met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Draws at the pace of the real loop while the load comes in; presses a key now and then. Returns the times of frames, and from keys to their frames.
fn under_load() -> (Vec<Duration>, Vec<Duration>) {
    let (source, mut load) = Load::new(HOSTS);
    let mut app = app(source);
    let mut terminal = terminal();
    let mut frames = Vec::new();
    let mut keys = Vec::new();
    load.begin();
    let began = Instant::now();
    let mut printed = 0_u32;
    let mut drawn = Instant::now();
    let mut pressed: Option<Instant> = None;
    let mut next_key = began + Duration::from_millis(137);
    while began.elapsed() < Duration::from_secs(SECONDS) {
        let due = (began.elapsed().as_secs_f64() * f64::from(LINES)) as u32;
        for _ in printed..due {
            load.print();
        }
        printed = due;
        if Instant::now() >= next_key {
            // The key waits from here on, whatever the loop does first.
            pressed = Some(Instant::now());
            next_key += Duration::from_millis(137);
        }
        app.turn(Timestamp::now());
        if pressed.is_some() {
            let key = KeyEvent::new(KeyCode::Down, KeyModifiers::NONE);
            app.heed(&Event::Key(key));
        }
        if pressed.is_some() || drawn.elapsed() >= PACE {
            let at = Instant::now();
            terminal.draw(|frame| app.draw(frame)).unwrap();
            frames.push(at.elapsed());
            drawn = Instant::now();
            keys.extend(pressed.take().map(|pressed| pressed.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    (frames, keys)
}

/// Prints a million lines and returns the size of the process in megabytes.
fn memory() -> f64 {
    let (source, mut load) = Load::new(HOSTS);
    let mut app = app(source);
    let mut terminal = terminal();
    load.begin();
    for line in 0..MILLION {
        load.print();
        if line % 500 == 0 {
            app.turn(Timestamp::now());
        }
    }
    while matches!(
        app.turn(Timestamp::now()),
        syntho_installer::ui::tui::Effect::Draw
    ) {
        terminal.draw(|frame| app.draw(frame)).unwrap();
        if load.is_taken() {
            break;
        }
    }
    process::resident_megabytes()
}

fn app(screen: RunScreen) -> App<RunScreen> {
    App::new(screen, Look::FULL, SIZE, Timestamp::now())
}

/// Returns a terminal that keeps what it is sent as a real one would get it, and forgets it.
fn terminal() -> Terminal<CrosstermBackend<std::io::Sink>> {
    let area = Rect::new(0, 0, SIZE.width, SIZE.height);
    let options = TerminalOptions {
        viewport: Viewport::Fixed(area),
    };
    Terminal::with_options(CrosstermBackend::new(std::io::sink()), options).unwrap()
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
