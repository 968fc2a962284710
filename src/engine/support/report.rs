//! The diagnosis as people read it.

use crate::model::diagnosis::Cause;

/// Returns the diagnosis in Markdown.
pub(in crate::engine) fn markdown(deployment: &str, causes: &[Cause], complete: bool) -> String {
    let mut text = format!("# First diagnosis of `{deployment}`\n\n");
    let (now, earlier): (Vec<&Cause>, Vec<&Cause>) = causes.iter().partition(|cause| cause.now);
    if now.is_empty() {
        text.push_str("Nothing that is known was found to be wrong now.\n");
        text.push_str("Read `checks.txt` for what does not hold, and `logs.log` from its end.\n");
    } else {
        text.push_str(
            "The likeliest cause comes first; what stands below it may be its consequence.\n",
        );
    }
    if !complete {
        text.push_str("Some things could not be had, see `missing.txt`: what shows there alone is not known.\n");
    }
    for (number, cause) in now.iter().enumerate() {
        text += &section(&format!("{}. {}", number + 1, cause.title), cause);
    }
    if !earlier.is_empty() {
        text.push_str("\n# Seen earlier\n\nThese showed more than half an hour ago, or everything works all the same.\n");
    }
    for cause in earlier {
        text += &section(&cause.title, cause);
    }
    text
}

fn section(title: &str, cause: &Cause) -> String {
    let mut text = format!("\n## {title}\n\n{}\n\n{}\n", cause.means, cause.remedy);
    if let Some(command) = &cause.command {
        text += &format!("\n    {command}\n");
    }
    text.push_str("\nEvidence:\n\n");
    for evidence in &cause.evidence {
        text += &format!(
            "    {}:{}: {}\n",
            evidence.file, evidence.line, evidence.text
        );
    }
    text
}
