//! Single images: listed with their references, changed one by one where the release alone does not name them.

use std::time::{Duration, Instant};

use super::asker::{Asker, Reply};
use super::{Answered, Ending, Step, ask};
use crate::engine::trial::Offer;
use crate::model::failure::Failure;
use crate::model::preset::Page;
use crate::model::text::visible;
use crate::ui::amounts::count;
use crate::ui::desk::Desk;
use crate::wizard::Field;

/// Longest time that asking a registry may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lists the images and changes those that are named, until the operator goes on.
pub(super) fn single(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Step, Failure> {
    loop {
        let images = listed(desk);
        if images.is_empty() {
            return Ok(Step::Next);
        }
        ask_registry(desk, asker);
        asker.say("Images:");
        for (number, image) in images.iter().enumerate() {
            let reference = image.effective().unwrap_or("none yet");
            asker.say(&format!("  {}) {}: {reference}", number + 1, image.prompt));
        }
        let typed = match asker.text("Number of one to change, or Enter to go on", Some(">")) {
            Reply::Text(text) => text,
            Reply::Back => return Ok(Step::Back),
            Reply::Leave => return Ok(Step::End(Ending::Left)),
        };
        match (typed.trim(), ask::numbered(&typed, images.len())) {
            (">", _) => return Ok(Step::Next),
            // The question before this list.
            ("<", _) => return Ok(Step::To(Page::Images)),
            (_, Some(number)) => {
                desk.wizard.stand_at(&images[number].key);
                if let Answered::Leave = ask::field(desk, asker, &images[number]) {
                    return Ok(Step::End(Ending::Left));
                }
                desk.save()?;
            }
            _ => asker.say(&format!("  it is a number from 1 to {}", images.len())),
        }
    }
}

fn listed(desk: &Desk) -> Vec<Field> {
    let look = desk.look();
    let fields = look.page(Page::Images).map(|page| page.fields.clone());
    let fields = fields.unwrap_or_default().into_iter();
    fields
        .filter(|field| field.key.as_str().starts_with("images.refs."))
        .collect()
}

/// Asks the registry, when it is known which and by whom, and says what it says.
fn ask_registry(desk: &mut Desk, asker: &mut dyn Asker) {
    let before = desk.offer().clone();
    desk.ask_registry(&desk.look());
    if *desk.offer() == Offer::AtWork {
        asker.say("asking the registry for the images of this release");
        let began = Instant::now();
        while *desk.offer() == Offer::AtWork && began.elapsed() < PATIENCE {
            desk.hear_registry();
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    if *desk.offer() == before {
        return;
    }
    match desk.offer() {
        Offer::Nothing => {}
        Offer::AtWork => {
            asker.say("  it takes too long; the hosts ask by themselves when they are checked");
        }
        Offer::Failed(failure) => asker.say(&format!("  warning: {}", visible(&failure.message))),
        Offer::Known { found, lacking } => {
            asker.say(&format!("  it answers and has {}", count(*found, "image")));
            for (_, failure) in lacking {
                asker.say(&format!("  missing: {}", visible(&failure.message)));
            }
        }
    }
}
