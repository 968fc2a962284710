//! The same file written by hand: its content in a here-document, so that one paste does it.

use super::PutFile;
use crate::model::plan::ByHand;
use crate::model::text::shell_quoted;

/// The line that ends the file's content in the shell.
const END: &str = "END-OF-FILE";

/// Returns what is typed to write the file with this content, in which secrets stand as their names.
pub(super) fn written(file: &PutFile, masked: &str) -> Vec<ByHand> {
    let sudo = file.rights.typed();
    let target = shell_quoted(&file.target());
    let end = end_for(masked);
    let mut parts = Vec::new();
    if file.secret {
        parts.push(ByHand::Say(
            "Write the value of each secret in place of its name in ‹›, quoted as it stands."
                .to_owned(),
        ));
    }
    let newline = if masked.ends_with('\n') { "" } else { "\n" };
    parts.push(ByHand::Run(format!(
        "[ ! -e {target} ] || {sudo}cp -p {target} {target}.before\n\
         {sudo}install -D -m {:04o} /dev/stdin {target} <<'{end}'\n{masked}{newline}{end}",
        file.mode
    )));
    parts
}

/// Returns a line that does not stand in the content.
fn end_for(content: &str) -> String {
    let mut end = END.to_owned();
    while content.lines().any(|line| line == end) {
        end.push('-');
    }
    end
}
