//! Images come to a host several at once; everything else by itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::stage::Stage;
use super::*;

/// Counts who is at work, and the most that were at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    /// Stays until `wanted` are there, or for a second.
    fn meet(&self, wanted: usize) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..100 {
            if self.most.load(Ordering::SeqCst) >= wanted {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

const IMAGES_OF_UI: [&str; 4] = ["ui/images/a", "ui/images/b", "ui/images/c", "ui/images/d"];

fn stage(crowd: &Arc<Crowd>) -> Stage {
    let mut stage = Stage::new();
    for image in IMAGES_OF_UI {
        let crowd = Arc::clone(crowd);
        stage = stage.with(image, &["ui/files"]).on(image, move |_, _| {
            crowd.meet(IMAGES);
            Ok(())
        });
    }
    stage.with("ui/more", &["ui/images/a"])
}

#[test]
fn images_come_together_and_nothing_else_beside_them() {
    let crowd = Arc::new(Crowd::default());
    let alone = Arc::clone(&crowd);
    let stage = stage(&crowd).on("ui/more", move |_, _| {
        assert_eq!(alone.now.load(Ordering::SeqCst), 0, "an image beside it");
        Ok(())
    });
    let ran = stage.run().unwrap();
    assert!(ran.failures.is_empty(), "{:?}", ran.failures);
    // Two hosts may be worked on at once on this stage, and the images of one take one of these places.
    let most = crowd.most.load(Ordering::SeqCst);
    assert_eq!(most, IMAGES);
    assert_eq!(stage.end_of("ui/more"), StepResult::Changed);
}

#[test]
fn what_stands_before_an_image_does_not_wait_for_it() {
    let seen: Arc<Mutex<Vec<&str>>> = Arc::default();
    let mut stage = Stage::new();
    stage.steps.clear();
    let order: [(&str, &[&str]); 4] = [
        ("ui/files", &[]),
        ("ui/more", &[]),
        ("ui/images/a", &["ui/files"]),
        ("ui/images/b", &["ui/more"]),
    ];
    for (step, after) in order {
        let seen = Arc::clone(&seen);
        stage = stage.with(step, after).on(step, move |_, _| {
            seen.lock().unwrap().push(step);
            std::thread::sleep(Duration::from_millis(30));
            Ok(())
        });
    }
    stage.run().unwrap();
    assert_eq!(seen.lock().unwrap()[..2], ["ui/files", "ui/more"]);
}

#[test]
fn an_image_that_fails_in_a_helpers_hands_blocks_what_needs_it() {
    let crowd = Arc::new(Crowd::default());
    let stage = stage(&crowd)
        .with("ui/images/z", &["ui/files"])
        .with("ui/broken", &["ui/images/z"])
        .on("ui/images/z", |_, _| Err(situation()));
    let ran = stage.run().unwrap();
    assert_eq!(ran.failures.len(), 1);
    for image in IMAGES_OF_UI {
        assert_eq!(stage.end_of(image), StepResult::Changed);
    }
    let by = StepId("ui/images/z".to_owned());
    assert_eq!(stage.end_of("ui/broken"), StepResult::Blocked { by });
}
