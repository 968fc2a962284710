//! Sources that lay down and one that takes up, in every order of events.

use super::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::thread;

const LONG: Patience = Patience {
    silent: Duration::from_secs(30),
    dead: Duration::from_mins(1),
};

fn batch(records: &[(i64, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (second, text) in records {
        let time = Timestamp::from_second(*second).unwrap();
        batch.add(time, |out| {
            out.extend_from_slice(format!("{text}\n").as_bytes());
        });
    }
    batch
}

/// Keeps everything, for so many ticks.
#[derive(Default)]
struct Keeper {
    all: Vec<u8>,
    dead: Vec<usize>,
    ticks: Option<usize>,
    full: bool,
}

impl Taker for Keeper {
    fn write(&mut self, records: &[u8]) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.all.extend_from_slice(records);
        Ok(())
    }

    fn tick(&mut self) -> io::Result<Go> {
        match &mut self.ticks {
            Some(0) => return Ok(Go::Off),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(Go::On)
    }

    fn dead(&mut self, at: usize) {
        self.dead.push(at);
    }
}

fn taken(desk: &Desk, patience: Patience) -> Vec<String> {
    let mut keeper = Keeper::default();
    desk.take_up(patience, &mut keeper).unwrap();
    let all = String::from_utf8(keeper.all).unwrap();
    all.lines().map(str::to_owned).collect()
}

#[test]
fn the_earliest_comes_first_and_each_source_keeps_its_order() {
    let desk = Arc::new(Desk::default());
    let sources = [
        vec![vec![(1, "a1"), (4, "a4")], vec![(9, "a9"), (8, "a8 late")]],
        vec![vec![(2, "b2"), (3, "b3"), (5, "b5")]],
        vec![vec![(7, "c7")]],
    ];
    let threads: Vec<_> = sources
        .into_iter()
        .map(|batches| {
            let (desk, at) = (Arc::clone(&desk), desk.place());
            desk.begin(at);
            thread::spawn(move || {
                for records in batches {
                    assert!(desk.lay(at, batch(&records)));
                }
                desk.end(at);
            })
        })
        .collect();
    let wanted = ["a1", "b2", "b3", "a4", "b5", "c7", "a9", "a8 late"];
    assert_eq!(taken(&desk, LONG), wanted);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn one_that_is_silent_is_not_waited_for_and_one_that_is_dead_is_given_up() {
    let desk = Desk::default();
    let (speaks, silent) = (desk.place(), desk.place());
    desk.begin(silent);
    assert!(desk.lay(speaks, batch(&[(1, "a"), (2, "b")])));
    desk.end(speaks);
    let mut keeper = Keeper::default();
    let patience = Patience {
        silent: Duration::from_millis(10),
        dead: Duration::from_millis(60),
    };
    desk.take_up(patience, &mut keeper).unwrap();
    assert_eq!((keeper.all.len(), keeper.dead), (4, vec![silent]));
    assert!(!desk.lay(silent, batch(&[(3, "late")])));
}

#[test]
fn whoever_lays_down_waits_for_room_and_is_sent_home_at_the_end() {
    let desk = Arc::new(Desk::default());
    let (fast, slow) = (desk.place(), desk.place());
    desk.begin(slow);
    let other = Arc::clone(&desk);
    let laying = thread::spawn(move || {
        (0..100)
            .take_while(|at| other.lay(fast, batch(&[(*at, "x")])))
            .count()
    });
    let mut keeper = Keeper {
        ticks: Some(3),
        ..Keeper::default()
    };
    desk.take_up(LONG, &mut keeper).unwrap();
    assert!(laying.join().unwrap() <= MOST_BATCHES + 1);
}

#[test]
fn what_cannot_be_written_ends_it() {
    let desk = Desk::default();
    let at = desk.place();
    desk.lay(at, batch(&[(1, "a")]));
    let mut keeper = Keeper {
        full: true,
        ..Keeper::default()
    };
    let ended = desk.take_up(LONG, &mut keeper);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(!desk.begin(at));
}

proptest! {
    #[test]
    fn ordered_sources_give_an_ordered_whole(
        sources in proptest::collection::vec(proptest::collection::vec(0_i64..50, 0..40), 1..5),
        size in 1_usize..7,
    ) {
        let desk = Arc::new(Desk::default());
        let mut all: Vec<i64> = sources.iter().flatten().copied().collect();
        all.sort_unstable();
        let threads: Vec<_> = sources.into_iter().map(|mut times| {
            times.sort_unstable();
            let (desk, at) = (Arc::clone(&desk), desk.place());
            desk.begin(at);
            thread::spawn(move || {
                for chunk in times.chunks(size) {
                    let texts: Vec<String> = chunk.iter().map(i64::to_string).collect();
                    let records: Vec<(i64, &str)> = chunk.iter().copied().zip(texts.iter().map(String::as_str)).collect();
                    desk.lay(at, batch(&records));
                }
                desk.end(at);
            })
        }).collect();
        let taken: Vec<i64> = taken(&desk, LONG).iter().map(|line| line.parse().unwrap()).collect();
        for thread in threads {
        thread.join().unwrap();
    }
        prop_assert_eq!(taken, all);
    }
}
