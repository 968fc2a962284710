//! Single images: listed with their references, changed one by one where the release alone does not name them.

use super::asker::{Asker, Reply};
use super::{Answered, Ending, Step, ask};
use crate::model::failure::Failure;
use crate::model::preset::Page;
use crate::ui::desk::Desk;
use crate::wizard::Field;

/// Lists the images and changes those that are named, until the operator goes on.
pub(super) fn single(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Step, Failure> {
    loop {
        let images = listed(desk);
        if images.is_empty() {
            return Ok(Step::Next);
        }
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
