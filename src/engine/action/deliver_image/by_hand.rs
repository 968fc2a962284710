//! The same image brought by hand.

use super::DeliverImage;
use crate::model::answers::ImageSource;
use crate::model::plan::ByHand;
use crate::model::text::shell_quoted;

/// Returns what is typed to bring the image to the host, with this login at its registry.
pub(super) fn delivered(image: &DeliverImage, login: Option<&str>) -> Vec<ByHand> {
    let sudo = image.rights.typed();
    let reference = shell_quoted(&image.reference.to_string());
    let look = format!(
        "{sudo}docker image inspect --format '{{{{.Id}}}} {{{{.Architecture}}}}' {reference}"
    );
    let expected = ByHand::Say(format!("It must be there, for {}.", image.architecture));
    match image.source {
        ImageSource::Present => vec![ByHand::Run(look), expected],
        ImageSource::Registry => {
            let registry = image.reference.registry().map(shell_quoted);
            let mut commands = Vec::new();
            if let (Some(user), Some(registry)) = (login, &registry) {
                commands.push(format!(
                    "{sudo}docker login --username {} {registry}",
                    shell_quoted(user)
                ));
            }
            commands.push(format!("{sudo}docker pull {reference}"));
            if let (Some(_), Some(registry), false) = (login, &registry, image.keep_login) {
                commands.push(format!("{sudo}docker logout {registry}"));
            }
            commands.push(look);
            vec![ByHand::Run(commands.join("\n")), expected]
        }
        ImageSource::Bundle => vec![
            ByHand::Say("Copy the archive that holds it to the host; `syntho-installer bundle inspect FILE` lists what is in one.".to_owned()),
            ByHand::Run(format!("{sudo}docker load --input ARCHIVE\n{look}")),
            expected,
        ],
    }
}
