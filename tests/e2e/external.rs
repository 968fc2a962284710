//! PostgreSQL and Redis of the customer's: tried before anything is deployed, then used, and nothing of ours beside them.

use toml::Table;

use crate::program::Ended;
use crate::site::{Site, section, vm};

const PASSWORD: &str = "db-CANARY-pw.5~x";

/// Starts both servers on a VM of their own, with a login that may do what the application needs.
const SERVERS: &str = r#"
set -e
docker run -d --name pg --network host -e POSTGRES_USER=owner -e POSTGRES_PASSWORD=owner-pw-77 postgres:14.5 >/dev/null
docker run -d --name keys --network host redis:6.2-alpine redis-server --protected-mode no >/dev/null
until docker logs pg 2>&1 | grep -q 'ready for start up' && docker exec pg pg_isready -q; do sleep 0.5; done
docker exec -i pg psql -q -U owner -d owner -v ON_ERROR_STOP=1 <<SQL
CREATE ROLE syntho LOGIN PASSWORD 'db-CANARY-pw.5~x';
CREATE DATABASE "syntho-core" OWNER syntho;
SQL
"#;

fn sql(site: &Site, query: &str) -> String {
    let command = format!("docker exec -i pg psql -qAt -U owner -d owner <<'SQL'\n{query}\nSQL");
    site.vm("db").exec_ok(&command).unwrap()
}

fn answers(site: &Site) -> Table {
    let mut answers = site.answers_for(&[("ui", &["ui"]), ("ray-1", &["ray-head"])]);
    let address = site.vm("db").address().to_string();
    let own = section(&mut answers, "answers");
    for (key, value) in [("database", "external"), ("redis", "external")] {
        own.insert(key.into(), value.into());
    }
    for key in ["database-host", "redis-host"] {
        own.insert(key.into(), address.clone().into());
    }
    answers
}

fn check(site: &Site, answers: &Table, password: &str) -> Ended {
    site.check_with(answers, |command| {
        command.env("SYNTHO_SECRET_DATABASE_PASSWORD", password);
    })
}

/// Ends the test unless `check` fails in these words, without the password among them.
fn refused(site: &Site, password: &str, parts: &[&str]) {
    let ended = check(site, &answers(site), password)
        .expect_code(3)
        .says(parts);
    assert!(!ended.all().contains(password), "a password is told");
}

#[test]
fn servers_of_the_customers_are_tried_first_and_used_alone() {
    let site = Site::with(&[vm("ui"), vm("ray-1"), vm("db")]);
    let before = site.footprint();
    refused(
        &site,
        PASSWORD,
        &[
            "cannot be reached as a PostgreSQL server",
            ":6379 cannot be reached",
        ],
    );
    site.expect_footprint(&before);
    refuses_what_the_application_cannot_use(&site);
    check(&site, &answers(&site), PASSWORD)
        .expect_code(0)
        .says(&["answers as PostgreSQL ", "answers as Redis"]);

    let ended = site.deploy_with(&answers(&site), |command| {
        command.env("SYNTHO_SECRET_DATABASE_PASSWORD", PASSWORD);
    });
    ended.expect_code(0);
    let look = "docker ps -a --format '{{.Names}}'; docker volume ls -q";
    let ours = site.vm("ui").exec_ok(look).unwrap();
    for name in ["postgres", "redis", "database"] {
        assert!(!ours.contains(name), "{ours}");
    }
    let tables = sql(
        &site,
        "\\c syntho-backend\nSELECT count(*) FROM pg_tables WHERE schemaname = 'public';",
    );
    assert_ne!(tables.trim(), "0", "the application works elsewhere");
    // The host keeps the password: nobody types it again.
    site.deploy_known().expect_code(0);
}

/// Brings both servers up, and mends one thing after the other as the program says.
fn refuses_what_the_application_cannot_use(site: &Site) {
    site.vm("db").exec_ok(SERVERS).unwrap();
    refused(site, "wrong-pw-1234", &["wrong name or password"]);
    refused(
        site,
        PASSWORD,
        &["has no database syntho-backend", "CREATE DATABASE"],
    );
    sql(site, "CREATE DATABASE \"syntho-backend\";");
    sql(
        site,
        "\\c syntho-backend\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;",
    );
    refused(
        site,
        PASSWORD,
        &["syntho may not make tables in the database syntho-backend"],
    );
    sql(
        site,
        "\\c syntho-backend\nGRANT CREATE ON SCHEMA public TO syntho;",
    );
    let keys = |command: &str| {
        let command = format!("docker exec keys redis-cli {command}");
        site.vm("db").exec_ok(&command).unwrap()
    };
    keys("config set requirepass sesame-1");
    refused(
        site,
        PASSWORD,
        &["wants a password, which the application cannot give"],
    );
    keys("-a sesame-1 config set requirepass ''");
}
