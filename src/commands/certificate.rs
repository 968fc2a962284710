//! `certificate`: the accepted answers with another certificate, or a made one anew; the ordinary plan does the rest.

use camino::{Utf8Path, Utf8PathBuf};

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::{job, take_over};
use super::target::{self, Answers, Asking, Chosen, SAME_COMMAND};
use crate::cli::CertificateArgs;
use crate::engine::session::{self, Renewal};
use crate::model::deployment::Deployment;
use crate::model::failure::Failure;
use crate::model::text::shell_quoted;
use crate::model::validate::{Served, served};
use crate::report::usage;
use crate::settings::{PairFiles, with_certificate};
use crate::ui::line::Wanted;

/// Replaces a deployment's certificate.
pub(super) fn run(session: &Session, args: &CertificateArgs) -> Result<u8, Failure> {
    target::need_yes(session, args.yes, args.telling, "the plan", SAME_COMMAND)?;
    let Chosen {
        deployment,
        answers,
    } = target::look_at(session, &args.name)?;
    let answers = match (&args.cert, &args.key) {
        (Some(certificate), Some(key)) => another(session, &deployment, answers, certificate, key)?,
        _ => anew(&deployment, answers)?,
    };
    let chosen = target::complete(session, answers, Asking::unless(args.telling.json))?;
    deploy(session, args, chosen)
}

/// Returns the answers with the pair that was given.
fn another(
    session: &Session,
    deployment: &Deployment,
    answers: Answers,
    certificate: &Utf8Path,
    key: &Utf8Path,
) -> Result<Answers, Failure> {
    if served(deployment) == Served::None {
        return Err(serves_none(deployment));
    }
    let (certificate, key) = (absolute(certificate)?, absolute(key)?);
    let pair = PairFiles {
        certificate: &certificate,
        key: &key,
    };
    let text = with_certificate(
        &answers.text,
        &answers.folder,
        &deployment.preset,
        pair,
        &target::surroundings(),
    );
    let text = text.ok_or_else(|| {
        usage(
            format!("`{}` takes no certificate", deployment.preset.id),
            "`syntho-installer presets` describes what each takes",
        )
    })?;
    let name = session.home.deployment(&deployment.name).answers_path();
    Ok(Answers {
        name: format!("{name} with the new certificate"),
        text,
        ..answers
    })
}

/// Returns the answers as they are, for a certificate that is made.
fn anew(deployment: &Deployment, answers: Answers) -> Result<Answers, Failure> {
    match served(deployment) {
        Served::Made => Ok(answers),
        Served::Given => Err(usage(
            format!(
                "the certificate of `{}` was given, so nobody here can make the next",
                deployment.name
            ),
            "order the next where this one is from, and give it with `--cert FILE --key FILE`",
        )),
        Served::None => Err(serves_none(deployment)),
    }
}

fn serves_none(deployment: &Deployment) -> Failure {
    usage(
        format!("`{}` serves no certificate", deployment.name),
        "how browsers reach it is one of its answers: change that with `syntho-installer new --answers FILE`, then `deploy`",
    )
}

/// Returns where a file is from anywhere; the accepted answers are read again from other folders.
fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    path.canonicalize_utf8().map_err(|error| {
        usage(
            format!("cannot read `{path}`: {error}"),
            "give the path of a PEM file on this machine",
        )
    })
}

fn deploy(session: &Session, args: &CertificateArgs, chosen: Chosen) -> Result<u8, Failure> {
    let show = Show {
        shown: Shown::of(args.telling.json, args.telling.plain),
        wanted: Wanted::Changes,
        again: again(args),
    };
    drive(session, &show, |line, cancel| {
        let mut job = job(session, chosen, line, cancel, take_over(args.take_over));
        if args.renew {
            job.renewal = Renewal::Now;
        }
        session::deploy(&job, &|steps| args.yes || line.review(steps))
    })
}

/// Returns the command line that does the same once more.
fn again(args: &CertificateArgs) -> String {
    let command = format!("syntho-installer certificate {}", args.name);
    match (&args.cert, &args.key) {
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (certificate.as_str(), key.as_str());
            let (certificate, key) = (shell_quoted(certificate), shell_quoted(key));
            format!("{command} --cert {certificate} --key {key}")
        }
        _ => format!("{command} --renew"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Telling;

    #[test]
    fn the_command_that_goes_on_can_be_typed_whatever_the_files_are_called() {
        let mut args = CertificateArgs {
            name: "acme".parse().unwrap(),
            cert: Some("/media/usb stick/it's.crt".into()),
            key: Some("/media/usb stick/$new.key".into()),
            renew: false,
            yes: false,
            telling: Telling {
                plain: false,
                json: false,
            },
            take_over: false,
        };
        let typed = shlex::split(&again(&args)).unwrap();
        assert_eq!(typed[4], "/media/usb stick/it's.crt");
        assert_eq!(typed[6], "/media/usb stick/$new.key");
        (args.cert, args.key) = (None, None);
        assert_eq!(again(&args), "syntho-installer certificate acme --renew");
    }
}
