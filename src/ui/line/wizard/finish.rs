//! The last page: what is still wrong, the answers as a file, and what shall be done with it.

use camino::Utf8PathBuf;

use super::asker::{Asker, Reply};
use super::{Ending, Step, ask};
use crate::model::failure::Failure;
use crate::model::preset::Page;
use crate::ui::desk::Desk;
use crate::wizard::title;

/// What can be done at the end, in the order of the numbers.
const DEEDS: [&str; 5] = [
    "write the answers file",
    "write it and check the hosts; nothing is changed there",
    "write it and deploy; the plan is shown first",
    "go back to a page",
    "leave; the draft is kept",
];

/// Shows what was said and asks what shall be done.
pub(super) fn page(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Step, Failure> {
    let look = desk.look();
    let mut first_trouble = None;
    for (page, trouble) in look.troubles() {
        first_trouble.get_or_insert(page);
        asker.say(&format!(
            "  {}, {}: {}",
            title(page),
            trouble.at,
            trouble.rule
        ));
    }
    if let Some(page) = first_trouble {
        asker.say("The answers are not whole yet. What next?");
        return Ok(unfinished(asker, page));
    }
    for secret in look.wanting_secrets() {
        asker.say(&format!(
            "  {} is asked for when it is deployed",
            secret.prompt
        ));
    }
    asker.say("The answers:");
    for line in desk.answers_for(&desk.proposed_path()).lines() {
        asker.say(&format!("  {line}"));
    }
    asker.say("They are whole. What next?");
    for (number, deed) in DEEDS.iter().enumerate() {
        asker.say(&format!("  {}) {deed}", number + 1));
    }
    loop {
        let text = match asker.text("Number", Some("1")) {
            Reply::Text(text) => text,
            Reply::Back => return Ok(Step::Back),
            Reply::Leave => return Ok(Step::End(Ending::Left)),
        };
        let ending: fn(Utf8PathBuf) -> Ending =
            match (text.trim(), ask::numbered(&text, DEEDS.len())) {
                ("<", _) => return Ok(Step::Back),
                (_, Some(0)) => Ending::Written,
                (_, Some(1)) => Ending::Check,
                (_, Some(2)) => Ending::Deploy,
                (_, Some(3)) => return Ok(which_page(asker)),
                (_, Some(4)) => return Ok(Step::End(Ending::Left)),
                _ => {
                    asker.say(&format!("  it is a number from 1 to {}", DEEDS.len()));
                    continue;
                }
            };
        return Ok(match write(desk, asker)? {
            Some(path) => Step::End(ending(path)),
            None => Step::To(Page::Review),
        });
    }
}

fn unfinished(asker: &mut dyn Asker, first: Page) -> Step {
    asker.say(&format!("  1) go to the page {}", title(first)));
    asker.say("  2) go to another page");
    asker.say("  3) leave; the draft is kept");
    match asker.text("Number", Some("1")) {
        Reply::Text(text) => match ask::numbered(&text, 3) {
            Some(1) => which_page(asker),
            Some(2) => Step::End(Ending::Left),
            _ => Step::To(first),
        },
        Reply::Back => Step::Back,
        Reply::Leave => Step::End(Ending::Left),
    }
}

fn which_page(asker: &mut dyn Asker) -> Step {
    let pages = &crate::wizard::PAGES[..crate::wizard::PAGES.len() - 1];
    for (number, page) in pages.iter().enumerate() {
        asker.say(&format!("  {}) {}", number + 1, title(*page)));
    }
    match asker.text("Number", Some("1")) {
        Reply::Text(text) => {
            Step::To(ask::numbered(&text, pages.len()).map_or(Page::Review, |number| pages[number]))
        }
        Reply::Back => Step::To(Page::Review),
        Reply::Leave => Step::End(Ending::Left),
    }
}

/// Writes the answers where the operator says; `None` when he thought better of it.
fn write(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Option<Utf8PathBuf>, Failure> {
    let mut proposed = desk.proposed_path();
    loop {
        let path: Utf8PathBuf = match asker.text("Write it to", Some(proposed.as_str())) {
            Reply::Text(text) if text.trim() == "<" => return Ok(None),
            Reply::Text(text) => text.trim().into(),
            Reply::Back | Reply::Leave => return Ok(None),
        };
        let text = desk.answers_for(&path);
        if path.exists() && fs_err::read_to_string(&path).ok().as_deref() != Some(&text) {
            asker.say(&format!("{path} is there already and says something else."));
            asker.say("  1) choose another name");
            asker.say("  2) write over it");
            match asker.text("Number", Some("1")) {
                Reply::Text(text) if text.trim() == "2" => {}
                Reply::Leave => return Ok(None),
                _ => {
                    proposed = path;
                    continue;
                }
            }
        }
        match crate::ui::desk::write_answers(&path, &text) {
            Ok(()) => {
                asker.say(&format!("The answers are in {path}"));
                return Ok(Some(path));
            }
            Err(error) => {
                asker.say(&format!("{path} cannot be written: {error}"));
                proposed = path;
            }
        }
    }
}
