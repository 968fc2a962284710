//! What was found to be the cause of what does not work, as lines.

use crate::model::diagnosis::Cause;
use crate::model::text::{shortened, visible};
use crate::report::{Paint, Tone};

/// Lines are broken at this width: they stay readable on a small terminal, and in a mail.
const WIDTH: usize = 78;

/// Characters of a line of evidence.
const EVIDENCE: usize = 2 * WIDTH;

/// Returns the causes, the likeliest first.
pub(super) fn lines(causes: &[Cause], paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.tone(Tone::Strong, "First diagnosis")];
    let now: Vec<&Cause> = causes.iter().filter(|cause| cause.now).collect();
    if now.is_empty() {
        lines.push("  nothing that is known was found to be wrong now".to_owned());
    }
    for (number, cause) in now.iter().enumerate() {
        let title = format!("{}. {}", number + 1, visible(&cause.title));
        lines.extend(broken(&title, 2, |line| paint.tone(Tone::Bad, line)));
        // The first is told in full; what stands below it may be its consequence.
        lines.extend(evidence(cause, paint, if number == 0 { 2 } else { 1 }));
        if number == 0 {
            lines.extend(broken(&visible(&cause.means), 5, str::to_owned));
            lines.extend(broken(&visible(&cause.remedy), 5, str::to_owned));
            if let Some(command) = &cause.command {
                lines.push(format!(
                    "       {}",
                    paint.tone(Tone::Strong, &visible(command))
                ));
            }
        }
    }
    let earlier = causes.iter().filter(|cause| !cause.now);
    let earlier: Vec<&str> = earlier.map(|cause| cause.title.as_str()).collect();
    if !earlier.is_empty() {
        let text = format!("seen earlier: {}", earlier.join("; "));
        lines.extend(broken(&visible(&text), 2, |line| {
            paint.tone(Tone::Faint, line)
        }));
    }
    lines
}

fn evidence(cause: &Cause, paint: Paint, most: usize) -> Vec<String> {
    let found = cause.evidence.iter().take(most);
    found
        .flat_map(|one| {
            let text = format!("{}:{}: {}", one.file, one.line, visible(&one.text));
            broken(&shortened(&text, EVIDENCE), 5, |line| {
                paint.tone(Tone::Faint, line)
            })
        })
        .collect()
}

/// Breaks a text between words into lines that begin so far in; a word that is too long for a line has one of its own.
fn broken(text: &str, indent: usize, paint: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH - indent => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let lines = lines.iter();
    lines
        .map(|line| format!("{:indent$}{}", "", paint(line)))
        .collect()
}
