//! The panel below a form: what the chosen field is, the rule it breaks, what is proposed, and what the file it names holds.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Padding, Paragraph};

use super::form::{Editor, Way};
use crate::engine::trial::{Offer, Reading};
use crate::model::failure::Failure;
use crate::model::text::visible;
use crate::ui::amounts::count;
use crate::ui::desk::Desk;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::wrapped;
use crate::wizard::{Choice, Field, FieldKind, Look as All, PathUse, Trouble};

/// A certificate with fewer days left is about to expire.
const SOON: i64 = 30;

/// Draws the panel of a field.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    field: &Field,
    editor: Option<&Editor>,
    around: (&Desk, &All),
    look: Look,
) {
    let said = lines(field, editor, around);
    draw_lines(frame, area, &field.prompt, &said, look);
}

/// One paragraph of the panel.
pub(super) struct Said {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// How a paragraph is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// In passing.
    Faint,
    /// All is well.
    Good,
    /// Somebody should know.
    Warn,
    /// It is wrong.
    Bad,
}

impl Said {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// Draws paragraphs in a frame, each with its sign.
pub(super) fn draw_lines(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    said: &[Said],
    look: Look,
) {
    let block = Block::bordered()
        .title(format!(" {} ", visible(title)))
        .border_style(look.faint())
        .padding(Padding::horizontal(1));
    let room = usize::from(block.inner(area).width);
    let mut lines = Vec::new();
    for paragraph in said {
        let (mark, style) = match paragraph.tone {
            Tone::Plain => ("", Style::new()),
            Tone::Faint => ("", look.faint()),
            Tone::Good => (sign::DONE, look.good()),
            Tone::Warn => (sign::WARNING, look.warn()),
            Tone::Bad => (sign::FAILED, look.bad()),
        };
        let indent = if mark.is_empty() { 0 } else { 2 };
        for (number, part) in wrapped(&visible(&paragraph.text), room.saturating_sub(indent))
            .into_iter()
            .enumerate()
        {
            let head = match (mark.is_empty(), number) {
                (true, _) => String::new(),
                (false, 0) => format!("{mark} "),
                (false, _) => "  ".to_owned(),
            };
            let body = if paragraph.tone == Tone::Faint {
                look.faint()
            } else {
                Style::new()
            };
            lines.push(Line::from(vec![
                Span::styled(head, style),
                Span::styled(part, body),
            ]));
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns everything that is to be said of a field, the most urgent first.
pub(super) fn lines(field: &Field, editor: Option<&Editor>, around: (&Desk, &All)) -> Vec<Said> {
    let mut said = Vec::new();
    let trouble = match editor {
        Some(editor) => editor.trouble.as_ref(),
        None => field.trouble.as_ref().filter(|trouble| !trouble.missing),
    };
    if let Some(trouble) = trouble.filter(|trouble| !trouble.missing) {
        said.push(wrong(trouble));
    }
    if let Some(proposal) = &field.proposal {
        let text = format!(
            "proposed: {} ({}); F3 takes it",
            proposal.value, proposal.because
        );
        said.push(Said::new(Tone::Good, text));
        if let Some(warning) = &proposal.warning {
            said.push(Said::new(Tone::Warn, warning.clone()));
        }
    }
    said.extend(file(field, editor, around));
    if field.key.as_str() == "images.bundle" {
        said.extend(archives(around));
    }
    if is_about_the_registry(field) {
        said.extend(offer(around.0));
    }
    match &field.kind {
        FieldKind::Choice(choices) => said.extend(meanings(field, choices)),
        FieldKind::Secret(_) => {
            said.push(Said::new(Tone::Plain, field.help.clone()));
            said.extend(secret(editor));
        }
        _ => {
            said.push(Said::new(Tone::Plain, field.help.clone()));
            said.push(Said::new(
                Tone::Faint,
                format!("Example: {}", field.example),
            ));
        }
    }
    said
}

/// Returns whether a field says which registry is asked, for what, by whom.
fn is_about_the_registry(field: &Field) -> bool {
    let keys = ["images.registry", "images.username", "images.tag"];
    let secret = field.key.as_secret();
    keys.contains(&field.key.as_str())
        || secret.is_some_and(|id| id.as_str() == "registry-password")
}

/// Returns what the registry says.
fn offer(desk: &Desk) -> Vec<Said> {
    let words = |failure: &Failure| {
        let more = failure.causes.first().or(failure.hint.as_ref());
        let more = more.map_or_else(String::new, |more| format!(" ({more})"));
        format!("{}{more}", failure.message)
    };
    match desk.offer() {
        Offer::Nothing => Vec::new(),
        Offer::AtWork => vec![Said::new(Tone::Plain, "asking the registry …")],
        Offer::Failed(failure) => vec![
            Said::new(Tone::Warn, words(failure)),
            Said::new(
                Tone::Faint,
                "Asked from this machine; the hosts ask by themselves when they are checked.",
            ),
        ],
        Offer::Known { found, lacking } => {
            let count = count(*found, "image");
            let text = format!("the registry answers and has {count} of this release");
            let mut said = vec![Said::new(Tone::Good, text)];
            let lacking = lacking.iter();
            said.extend(lacking.map(|(_, failure)| Said::new(Tone::Bad, words(failure))));
            said
        }
    }
}

/// Returns what each choice means; the help only when it says more than that.
fn meanings(field: &Field, choices: &[Choice]) -> Vec<Said> {
    let mut said = Vec::new();
    let all_in_help = choices.iter().all(|choice| {
        let meaning = choice.meaning.as_deref();
        meaning.is_some_and(|meaning| field.help.contains(meaning))
    });
    if !all_in_help {
        said.push(Said::new(Tone::Plain, field.help.clone()));
    }
    for choice in choices {
        if let Some(meaning) = &choice.meaning {
            let own = Some(choice.value.as_str()) == field.effective();
            let tone = if own { Tone::Good } else { Tone::Faint };
            said.push(Said::new(tone, format!("{}: {meaning}", choice.value)));
        }
    }
    said
}

fn wrong(trouble: &Trouble) -> Said {
    let example = trouble.example.as_ref();
    let example = example.map_or_else(String::new, |example| format!("; for example {example}"));
    Said::new(Tone::Bad, format!("{}{example}", trouble.rule))
}

fn secret(editor: Option<&Editor>) -> Vec<Said> {
    let Some(Way::Secret(_, kind)) = editor.map(|editor| &editor.way) else {
        return Vec::new();
    };
    vec![Said::new(
        Tone::Faint,
        format!(
            "Given {}. F5: another way. F8 shows what is typed.",
            kind.title()
        ),
    )]
}

/// Returns what the file holds that a field names.
fn file(field: &Field, editor: Option<&Editor>, (desk, all): (&Desk, &All)) -> Vec<Said> {
    let path = match editor {
        Some(editor) => editor.line.text(),
        None => field.effective().unwrap_or_default(),
    };
    let is_wrong = editor
        .map_or(&field.trouble, |editor| &editor.trouble)
        .is_some();
    match field.kind {
        FieldKind::Path(PathUse::Certificate) if !path.is_empty() => certificate(path, desk),
        FieldKind::Path(PathUse::PrivateKey)
            if !path.is_empty() && !is_wrong && certificates_are_good(all) =>
        {
            vec![Said::new(Tone::Good, "the key belongs to the certificate")]
        }
        _ => Vec::new(),
    }
}

/// Returns what is in the archives, and what they lack.
pub(super) fn archives((desk, all): (&Desk, &All)) -> Vec<Said> {
    match desk.reading() {
        Reading::Nothing => Vec::new(),
        Reading::At { file, percent } => {
            let name = file.file_name().unwrap_or(file.as_str());
            vec![Said::new(
                Tone::Plain,
                format!("reading {name}: {percent} %"),
            )]
        }
        Reading::Failed(failure) => {
            let causes = failure.causes.first().map(|cause| format!(" ({cause})"));
            let text = format!("{}{}", failure.message, causes.unwrap_or_default());
            vec![Said::new(Tone::Bad, text)]
        }
        Reading::Done(images) => {
            let size = images
                .iter()
                .map(crate::model::bundle::BundledImage::size)
                .sum();
            let count = count(images.len(), "image");
            let text = format!("{count}, {} unpacked", crate::ui::amounts::bytes(size));
            let lacking = desk.lacking(all);
            let tone = if lacking.is_empty() {
                Tone::Good
            } else {
                Tone::Plain
            };
            let mut said = vec![Said::new(tone, text)];
            said.extend(lacking.iter().map(|lack| {
                let near = lack.near.first();
                let near = near.map_or_else(String::new, |near| {
                    format!("; `{near}` is there: is it meant?")
                });
                Said::new(
                    Tone::Bad,
                    format!("{} is missing: {}{near}", lack.title, lack.reference),
                )
            }));
            said
        }
    }
}

/// Returns whether there is a certificate that a key could belong to.
fn certificates_are_good(all: &All) -> bool {
    let fields = all.pages.iter().flat_map(|page| &page.fields);
    let mut certificates =
        fields.filter(|field| field.kind == FieldKind::Path(PathUse::Certificate));
    certificates.all(|field| field.value.is_some() && field.trouble.is_none())
}

fn certificate(path: &str, desk: &Desk) -> Vec<Said> {
    let Some(Ok(found)) = desk.certificate(path) else {
        return Vec::new();
    };
    let names = if found.names.is_empty() {
        "no name".to_owned()
    } else {
        found.names.join(", ")
    };
    let tone = match found.days_left {
        i64::MIN..0 => Tone::Bad,
        0..SOON => Tone::Warn,
        _ => Tone::Good,
    };
    let issuer = if found.self_signed {
        "by itself: browsers do not trust it by themselves".to_owned()
    } else {
        format!("by {}", found.issuer)
    };
    vec![
        Said::new(Tone::Plain, format!("for {names}; issued {issuer}")),
        Said::new(
            tone,
            format!(
                "valid until {}, {} days left; {} in the file",
                found.until,
                found.days_left,
                crate::ui::amounts::count(found.chain, "certificate")
            ),
        ),
    ]
}
