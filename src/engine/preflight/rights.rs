//! Root's rights, where the login may not write the deployment's folder by itself.

use super::lookups::Lookups;
use super::scene::Seat;
use crate::model::check::CheckResult;
use crate::model::facts::RootAccess;

/// Judges whether the deployment's folder can be made and written.
pub(super) fn rights(seat: Seat<'_>, lookups: &Lookups) -> Vec<CheckResult> {
    let draft = seat.draft("rights", "Rights on the host");
    let user = &seat.facts.user.name;
    let folder = seat.stacks().next().map_or("the folder", |stack| {
        super::folder::deployment_folder(&stack.folder)
    });
    vec![match seat.facts.user.root {
        RootAccess::IsRoot => draft.pass(format!("{user} is root")),
        RootAccess::Passwordless => {
            draft.pass(format!("{user} becomes root by sudo without a password"))
        }
        RootAccess::Password => draft.pass(format!(
            "{user} becomes root by sudo with the password given"
        )),
        RootAccess::PasswordMissing | RootAccess::None if lookups.folder_writable => {
            draft.pass(format!("{user} needs no root: {folder} can be written"))
        }
        RootAccess::PasswordMissing => draft
            .because(format!(
                "sudo wants a password, and {user} may not write {folder}"
            ))
            .remedy("give the secret `sudo-password`, or let an administrator make the folder")
            .command(make_folder(user, folder))
            .fail("the password for sudo is missing or wrong"),
        RootAccess::None => draft
            .because(match &lookups.root_refusal {
                Some(reason) => format!("{reason}; and {user} may not write {folder}"),
                None => format!("{user} may not write {folder}"),
            })
            .remedy("let an administrator make the folder, or add the user to sudoers")
            .command(make_folder(user, folder))
            .fail(format!("{user} may not become root")),
    }]
}

fn make_folder(user: &str, folder: &str) -> String {
    format!("sudo install -d -m 0700 -o {user} {folder}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(RootAccess::IsRoot, false, "pass rights: deploy is root")]
    #[case(
        RootAccess::Passwordless,
        false,
        "pass rights: deploy becomes root by sudo without a password"
    )]
    #[case(
        RootAccess::Password,
        false,
        "pass rights: deploy becomes root by sudo with the password given"
    )]
    #[case(
        RootAccess::None,
        true,
        "pass rights: deploy needs no root: /opt/syntho/acme can be written"
    )]
    #[case(RootAccess::None, false, "fail rights: deploy may not become root")]
    #[case(
        RootAccess::PasswordMissing,
        false,
        "fail rights: the password for sudo is missing or wrong"
    )]
    fn ways(#[case] root: RootAccess, #[case] folder_writable: bool, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").user.root = root;
        let lookups = Lookups {
            folder_writable,
            ..Lookups::default()
        };
        assert_eq!(told(&rights(sample.seat("ui"), &lookups)), [expected]);
    }
}
