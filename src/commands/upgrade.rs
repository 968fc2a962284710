//! `upgrade` and `rollback`: from the answers that stand to those of another release, and the yes before anything changes.

use camino::Utf8PathBuf;

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::{job, take_over};
use super::target::{self, Answers, Asking, Chosen, SAME_COMMAND};
use crate::cli::{RollbackArgs, Telling, UpgradeArgs};
use crate::engine::session::{self, AcceptedAnswers, Older};
use crate::model::answers::ImagesSection;
use crate::model::failure::Failure;
use crate::model::release;
use crate::report::usage;
use crate::settings::{ReleaseChange, with_certificate_of, with_release};
use crate::ui::line::Wanted;

/// Brings another release.
pub(super) fn upgrade(session: &Session, args: &UpgradeArgs) -> Result<u8, Failure> {
    need_yes(session, args.yes, args.telling)?;
    let asking = Asking::unless(args.telling.json);
    let chosen = target::choose(session, &target::by_name(&args.name), asking)?;
    let answers = changed(&chosen.answers, args)?;
    let deployment = target::with_secrets_of(session, &answers, &chosen.deployment)?;
    if !args.allow_older {
        refuse_older(&chosen.deployment.images, &deployment.images)?;
    }
    let to = session::Target {
        deployment,
        answers: AcceptedAnswers {
            text: answers.text,
            folder: answers.folder,
        },
    };
    let older = if args.allow_older {
        Older::Allow
    } else {
        Older::Refuse
    };
    let show = show(args.telling, format!("{} …", verb("upgrade", &args.name)));
    drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, take_over(args.take_over));
        session::upgrade(&job, &to, older, &|steps| args.yes || line.review(steps))
    })
}

/// Comes back from the last upgrade.
pub(super) fn rollback(session: &Session, args: &RollbackArgs) -> Result<u8, Failure> {
    need_yes(session, args.yes, args.telling)?;
    let asking = Asking::unless(args.telling.json);
    let chosen = target::choose(session, &target::by_name(&args.name), asking)?;
    let folder = session.home.known(&args.name)?;
    let Some(upgrade) = folder.upgrade()? else {
        return Err(usage(
            format!("there is no upgrade of `{}` to come back from", args.name),
            "`upgrade` with `--allow-older` brings an older release, with the data as it is",
        ));
    };
    let text = with_certificate_of(
        (&chosen.deployment, &chosen.answers.folder),
        &upgrade.before,
        &upgrade.folder,
        &target::surroundings(),
    );
    let answers = Answers {
        name: format!("the answers of `{}` before its upgrade", args.name),
        text,
        folder: upgrade.folder.clone(),
    };
    let deployment = target::with_secrets_of(session, &answers, &chosen.deployment)?;
    let before = Chosen {
        deployment,
        answers,
    };
    let show = show(args.telling, verb("rollback", &args.name));
    drive(session, &show, |line, cancel| {
        let job = job(session, before, line, cancel, take_over(args.take_over));
        session::rollback(&job, &upgrade, &|steps| args.yes || line.review(steps))
    })
}

fn need_yes(session: &Session, yes: bool, telling: Telling) -> Result<(), Failure> {
    target::need_yes(session, yes, telling, "what is changed", SAME_COMMAND)
}

fn verb(verb: &str, name: &crate::model::ids::DeploymentName) -> String {
    format!("syntho-installer {verb} {name}")
}

fn show(telling: Telling, again: String) -> Show {
    Show {
        shown: Shown::of(telling.json, telling.plain),
        wanted: Wanted::Changes,
        again,
    }
}

/// Returns the answers with another release in them.
fn changed(answers: &Answers, args: &UpgradeArgs) -> Result<Answers, Failure> {
    let bundles: Result<Vec<Utf8PathBuf>, _> =
        args.bundles.iter().map(camino::absolute_utf8).collect();
    let bundles = bundles.map_err(|error| {
        usage(
            format!("cannot tell where an archive is: {error}"),
            "give its whole path",
        )
    })?;
    let bundles: Vec<_> = bundles.iter().map(Utf8PathBuf::as_path).collect();
    let refs = args.images.iter();
    let refs: Vec<_> = refs.map(|image| (&image.id, &image.reference)).collect();
    let change = ReleaseChange {
        tag: args.tag.as_deref(),
        bundles: &bundles,
        refs: &refs,
    };
    let text = with_release(&answers.text, change).ok_or_else(|| {
        usage(
            format!("cannot change {}: its `images` are no table", answers.name),
            "write the release into the answers file and deploy that",
        )
    })?;
    Ok(Answers {
        text,
        ..answers.clone()
    })
}

/// Refuses a release whose number is lower than that of what stands.
fn refuse_older(before: &ImagesSection, after: &ImagesSection) -> Result<(), Failure> {
    let mut pairs = vec![(before.tag.as_deref(), after.tag.as_deref())];
    for (id, reference) in &after.refs {
        let stood = before.refs.get(id).and_then(|stood| stood.tag());
        pairs.push((stood.or(before.tag.as_deref()), reference.tag()));
    }
    for (stands, comes) in pairs {
        let (Some(stands), Some(comes)) = (stands, comes) else {
            continue;
        };
        if release::compare(comes, stands) == Some(std::cmp::Ordering::Less) {
            return Err(usage(
                format!(
                    "{comes} is older than {stands}, by its number: what {stands} has made of the data may be unreadable to it"
                ),
                "`rollback` goes back with the data of then; give `--allow-older` when the release is newer in spite of its number",
            ));
        }
    }
    Ok(())
}
