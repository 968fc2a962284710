//! The wizard as plain questions: numbered choices, one line an answer, nothing that moves; a screen reader or a serial line can follow.
//!
//! It walks the same pages over the same [`Desk`] as the full screen. Which question comes and what is wrong with an answer is decided in
//! [`crate::wizard`]; here is only how it is asked. Every answer is on disk before the next question is put.

mod ask;
mod asker;
mod finish;
mod gather;
mod hosts;
mod images;

#[cfg(test)]
mod tests;

pub use asker::{Asker, InquireAsker, Reply};

use camino::Utf8PathBuf;

use crate::model::failure::Failure;
use crate::model::preset::Page;
use crate::ui::desk::Desk;
use crate::wizard::{Field, Key, PAGES, title};

/// How the wizard ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The operator left; the draft goes on another time.
    Left,
    /// The answers were written.
    Written(Utf8PathBuf),
    /// The answers were written, and the hosts shall be checked.
    Check(Utf8PathBuf),
    /// The answers were written, and the plan shall be shown.
    Plan(Utf8PathBuf),
    /// The draft shall be thrown away.
    Discarded,
    /// The answers were written, and shall be deployed.
    Deploy(Utf8PathBuf),
}

/// Where it goes on.
enum Step {
    Next,
    Back,
    To(Page),
    End(Ending),
}

/// What came of one question.
enum Answered {
    Next,
    Back,
    NextPage,
    Leave,
}

/// Asks everything, from where the draft stands.
///
/// # Errors
/// Fails when the draft cannot be kept on disk, or a preset is broken.
pub fn run(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Ending, Failure> {
    asker.say("Enter keeps what stands in brackets. `?` explains, `<` goes back, `>` goes to the next page, `-` empties an answer.");
    asker.say("Ctrl-C leaves; every answer is kept, and the same command goes on from there.");
    loop {
        let page = desk.wizard.place().page;
        heading(page, asker);
        let step = match page {
            Page::Option => option(desk, asker)?,
            Page::Hosts => hosts::page(desk, asker)?,
            Page::Review => finish::page(desk, asker)?,
            _ => fields(desk, asker, page)?,
        };
        match step {
            Step::Next => desk.next_page(),
            Step::Back => desk.previous_page(),
            Step::To(page) => desk.wizard.go(page),
            Step::End(ending) => {
                desk.save()?;
                return Ok(ending);
            }
        }
        desk.save()?;
    }
}

fn heading(page: Page, asker: &mut dyn Asker) {
    let number = PAGES.iter().position(|other| *other == page);
    let number = number.map_or(1, |number| number + 1);
    asker.say("");
    asker.say(&format!(
        "Page {number} of {}: {}",
        PAGES.len(),
        title(page)
    ));
}

/// What to deploy, and its name.
fn option(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Step, Failure> {
    if desk.wizard.place().field.is_none() || desk.wizard.preset().is_none() {
        match choose(desk, asker)? {
            Answered::Next => {}
            Answered::NextPage => return Ok(Step::Next),
            Answered::Back => return Ok(Step::Back),
            Answered::Leave => return Ok(Step::End(Ending::Left)),
        }
    }
    fields(desk, asker, Page::Option)
}

fn choose(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Answered, Failure> {
    let presets = desk.presets().to_vec();
    asker.say("What shall be deployed?");
    for (number, preset) in presets.iter().enumerate() {
        asker.say(&format!("  {}) {}", number + 1, preset.title));
        asker.say(&format!("     gives: {}", preset.summary));
        asker.say(&format!("     needs: {}", preset.needs));
    }
    let chosen = desk.wizard.draft().preset.clone();
    let own = presets
        .iter()
        .position(|preset| Some(&preset.id) == chosen.as_ref());
    let default = own.map(|own| (own + 1).to_string());
    loop {
        let text = match asker.text("Number", default.as_deref()) {
            Reply::Text(text) => text,
            Reply::Back => return Ok(Answered::Back),
            Reply::Leave => return Ok(Answered::Leave),
        };
        match text.trim() {
            "<" => return Ok(Answered::Back),
            ">" => return Ok(Answered::NextPage),
            "?" => asker.say("Each of these is a whole product; the next pages ask what it needs"),
            text => match ask::numbered(text, presets.len()) {
                Some(number) => {
                    desk.choose(&presets[number].id);
                    desk.save()?;
                    return Ok(Answered::Next);
                }
                None => asker.say(&format!("It is a number from 1 to {}", presets.len())),
            },
        }
    }
}

/// Returns the fields of a page that are asked one by one; hosts and single images have a list of their own.
fn asked_singly(desk: &Desk, page: Page) -> Vec<Field> {
    let look = desk.look();
    let fields = look.page(page).map(|page| page.fields.clone());
    let singly = |field: &Field| {
        field.key.host_part().is_none() && !field.key.as_str().starts_with("images.refs.")
    };
    let fields = fields.unwrap_or_default().into_iter();
    fields.filter(singly).collect()
}

/// Asks the fields of a page, one after the other.
fn fields(desk: &mut Desk, asker: &mut dyn Asker, page: Page) -> Result<Step, Failure> {
    let mut at: Option<Key> = desk.wizard.place().field.clone();
    loop {
        let fields = asked_singly(desk, page);
        let number = fields
            .iter()
            .position(|field| Some(&field.key) == at.as_ref());
        let number = number.unwrap_or(0);
        let Some(field) = fields.get(number) else {
            return Ok(Step::Next);
        };
        desk.wizard.stand_at(&field.key);
        desk.save()?;
        let answered = ask::field(desk, asker, field);
        desk.save()?;
        match answered {
            Answered::Leave => return Ok(Step::End(Ending::Left)),
            Answered::NextPage => return Ok(Step::Next),
            Answered::Back if number == 0 => return Ok(Step::Back),
            Answered::Back => at = Some(fields[number - 1].key.clone()),
            Answered::Next => {
                // What follows may be another field than before: the answer decides what is asked.
                let fields = asked_singly(desk, page);
                let own = fields.iter().position(|other| other.key == field.key);
                match own.and_then(|own| fields.get(own + 1)) {
                    Some(next) => at = Some(next.key.clone()),
                    None if page == Page::Images => return images::single(desk, asker),
                    None => return Ok(Step::Next),
                }
            }
        }
    }
}
