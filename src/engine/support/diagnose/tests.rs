use super::*;
use crate::engine::redact::Redactor;
use crate::model::secret::Secrets;
use crate::presets::Presets;

const NOW: &str = "2026-11-20T12:00:00Z";

struct Desk {
    _folder: tempfile::TempDir,
    spool: Spool,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let spool = Spool::open(&root, Redactor::new(&Secrets::default())).unwrap();
        for (file, text) in files {
            spool.write(file, file, text).unwrap();
        }
        Self {
            _folder: folder,
            spool,
        }
    }

    fn causes(&self) -> Vec<Cause> {
        let presets = Presets::new(None);
        let preset = presets.load(&"syntho-app-ray".parse().unwrap()).unwrap();
        let signatures = known(&preset, presets.assets().as_ref());
        let diagnosis = Diagnosis {
            signatures: &signatures,
            spool: &self.spool,
            deployment: "acme",
            now: NOW.parse().unwrap(),
        };
        diagnosis.make().unwrap()
    }
}

fn ids(causes: &[Cause]) -> Vec<(&str, bool)> {
    causes
        .iter()
        .map(|cause| (cause.id.as_str(), cause.now))
        .collect()
}

#[test]
fn every_signature_holds_against_its_own_samples() {
    let presets = Presets::new(None);
    let mut seen = 0;
    for id in presets.ids() {
        let preset = presets.load(&id).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for signature in known(&preset, presets.assets().as_ref()) {
            assert_eq!(
                signature.problems(),
                Vec::<String>::new(),
                "{}",
                signature.id
            );
            assert!(names.insert(signature.id.clone()), "{} twice", signature.id);
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn no_sign_takes_a_sample_of_another_cause_for_its_own() {
    let presets = Presets::new(None);
    let preset = presets.load(&"syntho-app-ray".parse().unwrap()).unwrap();
    let all = known(&preset, presets.assets().as_ref());
    for one in &all {
        for other in all.iter().filter(|other| other.id != one.id) {
            // A container that was killed or cannot start may well be one that starts again and again.
            if one.id == "restart-loop" {
                continue;
            }
            for sign in &one.signs {
                let expression = Regex::new(&sign.matches).unwrap();
                let same = other
                    .signs
                    .iter()
                    .filter(|theirs| theirs.place == sign.place);
                for sample in same.flat_map(|theirs| &theirs.samples) {
                    assert!(
                        !expression.is_match(sample),
                        "{} takes `{sample}` of {}",
                        one.id,
                        other.id
                    );
                }
            }
        }
    }
}

#[test]
fn the_cause_stands_before_its_consequence_with_its_line() {
    let container = "p-redis-1 service=redis state=restarting health=- exit-code=137 oom-killed=true restarts=5 image=r:1 started=-\n";
    let desk = Desk::new(&[
        ("hosts/ui/containers.txt", container),
        (
            "checks.txt",
            "FAIL ui [containers-application] Containers: `redis` keeps restarting\n",
        ),
        (
            "logs.log",
            "# ---- head\n2026-11-20T11:59:00Z ui/application/redis | ready\n",
        ),
    ]);
    let causes = desk.causes();
    assert_eq!(
        ids(&causes),
        [("out-of-memory", true), ("restart-loop", true)]
    );
    let first = &causes[0];
    assert_eq!(first.host, Some("ui".parse().unwrap()));
    assert_eq!(
        (first.evidence[0].file.as_str(), first.evidence[0].line),
        ("hosts/ui/containers.txt", 1)
    );
    assert_eq!(causes[1].title, "`redis` on ui ends again and again");
    assert!(
        causes[1]
            .command
            .as_ref()
            .unwrap()
            .ends_with("logs acme --host ui --service redis --tail 50")
    );
}

#[test]
fn what_is_long_ago_or_of_no_consequence_is_no_cause_of_now() {
    let line = |time: &str| {
        format!(
            "{time} ui/application/backend | FATAL:  password authentication failed for user \"syntho\"\n"
        )
    };
    let fail = ("checks.txt", "FAIL ui [x] y: z\n");
    let (old, new) = (line("2026-11-20T08:00:00Z"), line("2026-11-20T11:50:00Z"));
    let desk = Desk::new(&[fail, ("logs.log", &old)]);
    assert_eq!(ids(&desk.causes()), [("database-password", false)]);
    let desk = Desk::new(&[fail, ("logs.log", &new)]);
    assert_eq!(ids(&desk.causes()), [("database-password", true)]);
    assert_eq!(
        desk.causes()[0].title,
        "The database refuses the password that is in `.env` (said by backend on ui)"
    );
    let desk = Desk::new(&[("checks.txt", "pass ui [x] y: z\n"), ("logs.log", &new)]);
    assert_eq!(ids(&desk.causes()), [("database-password", false)]);
    assert_eq!(ids(&Desk::new(&[]).causes()), []);
}

#[test]
fn a_flood_of_evidence_is_kept_short() {
    let mut lines = String::new();
    for at in 0..10_000 {
        lines +=
            &format!("2026-11-20T11:50:00Z ui/application/core | {at} No space left on device\n");
    }
    let causes = Desk::new(&[("logs.log", &lines), ("checks.txt", "FAIL a [b] c: d\n")]).causes();
    assert_eq!(causes[0].evidence.len(), MOST);
    assert_eq!(causes[0].evidence[MOST - 1].line, 10_000);
}
