//! Data saved and brought back: rows as they were, a damaged backup refused with nothing changed, and nothing lost by a kill.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::program::{Running, is, run};
use crate::site::Site;

/// Asks the application's databases by their own program.
const PSQL: &str = "docker exec -i $(docker ps -q -f label=com.docker.compose.service=postgres) psql -v ON_ERROR_STOP=1 -qAt -U syntho -d";

/// Rows in both databases, as they are told apart below.
const ROWS: &str = "SELECT string_agg(name, ',' ORDER BY name) FROM rows";

pub fn sql(site: &Site, database: &str, text: &str) -> String {
    let script = format!("{PSQL} {database} <<'SQL'\n{text}\nSQL");
    site.vm("ui").exec_ok(&script).unwrap().trim().to_owned()
}

fn rows(site: &Site) -> [String; 2] {
    ["syntho-core", "syntho-backend"].map(|database| sql(site, database, ROWS))
}

fn write_rows(site: &Site, name: &str) {
    for database in ["syntho-core", "syntho-backend"] {
        let text = format!("DELETE FROM rows; INSERT INTO rows VALUES ('{name}-{database}');");
        sql(site, database, &text);
    }
}

fn named(name: &str) -> [String; 2] {
    ["syntho-core", "syntho-backend"].map(|database| format!("{name}-{database}"))
}

fn restore(site: &Site, backup: &Utf8Path) -> std::process::Command {
    let mut command = site.program();
    command.args(["restore", "acme", backup.as_str(), "--yes", "--json"]);
    command
}

#[test]
fn data_is_saved_and_brought_back_and_a_damaged_backup_changes_nothing() {
    let site = Site::three();
    site.deploy(&site.answers()).expect_code(0);
    for database in ["syntho-core", "syntho-backend"] {
        sql(
            &site,
            database,
            "CREATE TABLE rows (name text PRIMARY KEY, filler text DEFAULT repeat('x', 999)); INSERT INTO rows SELECT 'n' || n, md5(n::text) FROM generate_series(1, 20000) n;",
        );
    }
    write_rows(&site, "saved");
    let before = site.state();

    killed_backup(&site);
    let backup = site.home.join("saved");
    let command = ["backup", "acme", "--output", backup.as_str(), "--json"];
    site.run(&command).expect_code(0).says(&["brings it back"]);
    assert_eq!(site.state(), before, "something is left on a host");
    for path in files_below(&backup) {
        let mode = fs_err::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{path}");
    }
    site.run(&command).expect_code(2).says(&["already"]);

    write_rows(&site, "changed");
    damaged_backups(&site, &backup);
    assert_eq!(rows(&site), named("changed"));

    killed_restores(&site, &backup);
    assert_eq!(rows(&site), named("saved"));
    site.run(&["verify", "acme", "--json"]).expect_code(0);
    assert_eq!(site.state(), before, "something is left on a host");
    let names = sql(
        &site,
        "postgres",
        "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'syntho%'",
    );
    assert_eq!(names, "syntho syntho-backend syntho-core");
    write_rows(&site, "later");

    // It can be brought back again, over what was written since.
    run(restore(&site, &backup)).expect_code(0);
    assert_eq!(rows(&site), named("saved"));
}

fn files_below(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            all.extend(files_below(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// A backup that is killed leaves no record, and what it left on the host goes with the next one.
fn killed_backup(site: &Site) {
    let output = site.home.join("killed");
    let mut command = site.program();
    command.args(["backup", "acme", "--output", output.as_str(), "--json"]);
    let mut backup = Running::start(command);
    backup.must_see("the end of saving", |event| {
        is(event, "step-ended") && event["step"].as_str().unwrap().contains("/save/")
    });
    backup.kill();
    run(restore(site, &output))
        .expect_code(1)
        .says(&["no complete backup"]);
}

/// Backups that are damaged in ways that this machine, or only the database's own program, can see.
fn damaged_backups(site: &Site, backup: &Utf8Path) {
    let before = site.state();
    let bad = site.home.join("bad");
    let dump = bad.join("ui.application.postgres/syntho-backend.dump");
    let damage = |change: &dyn Fn(&mut Vec<u8>)| {
        let _ = fs_err::remove_dir_all(&bad);
        for path in files_below(backup) {
            let to = bad.join(path.strip_prefix(backup).unwrap());
            if path.is_dir() {
                fs_err::create_dir_all(&to).unwrap();
            } else {
                fs_err::copy(&path, &to).unwrap();
            }
        }
        let mut bytes = fs_err::read(&dump).unwrap();
        change(&mut bytes);
        fs_err::write(&dump, bytes).unwrap();
    };
    damage(&|bytes| bytes.truncate(bytes.len() / 2));
    run(restore(site, &bad))
        .expect_code(1)
        .says(&["syntho-backend.dump is damaged", "bytes instead of"]);
    damage(&|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    run(restore(site, &bad))
        .expect_code(1)
        .says(&["syntho-backend.dump is damaged", "another than was saved"]);
    assert_eq!(site.state(), before);

    // Cut, and its record made to fit: the database's own program sees it, before anything is stopped.
    damage(&|bytes| bytes.truncate(bytes.len() / 2));
    let record = bad.join("backup.json");
    let mut value: Value = serde_json::from_str(&fs_err::read_to_string(&record).unwrap()).unwrap();
    let bytes = fs_err::read(&dump).unwrap();
    for file in value["sets"][0]["files"].as_array_mut().unwrap() {
        if file["name"] == "syntho-backend.dump" {
            file["size"] = bytes.len().into();
            file["sha256"] = hex(&bytes).into();
        }
    }
    fs_err::write(&record, value.to_string()).unwrap();
    let containers = "docker ps --format '{{.ID}} {{.Names}}' | sort";
    let running = site.vm("ui").exec_ok(containers).unwrap();
    run(restore(site, &bad))
        .expect_code(1)
        .says(&["to load `Databases of the application`"]);
    assert_eq!(site.vm("ui").exec_ok(containers).unwrap(), running);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Kills the program in the middle and at the end of each step that changes something; the data is the old or the new at every moment.
fn killed_restores(site: &Site, backup: &Utf8Path) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut kills = 0;
    loop {
        let mut restoring = Running::start(restore(site, backup));
        let killed_at = restoring.wait_for("a moment to kill at", |event| {
            moment(event).is_some_and(|moment| !seen.contains_key(&moment))
        });
        let Some(event) = killed_at else {
            let ended = restoring.finish().expect_code(0);
            assert_eq!(loads(&ended.events()), 0, "it was loaded once already");
            break;
        };
        *seen.entry(moment(&event).unwrap()).or_default() += 1;
        restoring.kill();
        kills += 1;
        let there = rows(site);
        assert!(
            there == named("changed") || there == named("saved"),
            "{there:?}"
        );
        assert!(kills < 20, "it does not come further: {seen:#?}");
    }
    assert!(kills >= 4, "only {kills} kills: {seen:#?}");
}

fn moment(event: &Value) -> Option<String> {
    let step = event["step"].as_str()?;
    let begins = is(event, "step-started") && (step.contains("/load/") || step.contains("/stack/"));
    let changed = is(event, "step-ended") && event["result"]["result"] == "changed";
    (begins || changed).then(|| format!("{} {step}", event["event"]))
}

fn loads(events: &[Value]) -> usize {
    let load = |event: &&Value| {
        moment(event)
            .is_some_and(|moment| moment.contains("step-ended") && moment.contains("/load/"))
    };
    events.iter().filter(load).count()
}
