//! The logs of three hosts, a gigabyte of them: ours, in one file in the order of time with the secrets taken out, against `docker compose logs` over OpenSSH
//! from all hosts at once, each into a file of its own.

use std::process::Command;
use std::thread;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::site::Site;
use crate::table::Table;
use crate::{median, run, timed};

/// The loud containers: host and Compose project.
const LOUD: [(&str, &str); 3] = [
    ("ui", "acme-application"),
    ("ray-1", "acme-ray-head"),
    ("ray-2", "acme-ray-worker"),
];

/// Records that each of them prints, and the length of each with its line end.
const RECORDS: u64 = 2_600_000;
const LENGTH: u64 = 130;

/// Measures ours and theirs in turns, three times each.
pub fn measure(table: &mut Table) {
    let site = Site::three();
    site.deploy(&site.answers()).expect_code(0);
    make_noise(&site);
    let (mut own, mut theirs, mut memory) = (Vec::new(), Vec::new(), 0);
    for _ in 0..3 {
        let (took, held) = ours(&site);
        own.push(took);
        memory = memory.max(held);
        theirs.push(timed(|| by_hand(&site)));
    }
    let subject = format!(
        "logs of 3 VMs, {:.2} GB printed in {} records, median of 3",
        (LENGTH * RECORDS * 3) as f64 / 1e9,
        RECORDS * 3
    );
    table.ours(&subject, "one file by time, secrets taken out", median(own));
    table.other(
        "`ssh HOST docker compose logs`, all VMs at once, a file each",
        median(theirs),
    );
    table.note(format!(
        "peak memory of `logs`: {:.0} MB",
        memory as f64 / 1e6
    ));
}

/// Starts containers that print numbered records of one length as services of the deployment, and waits until all is printed.
fn make_noise(site: &Site) {
    for (host, project) in LOUD {
        let script = format!(
            "image=$(docker ps --format '{{{{.Image}}}}' | head -n 1); \
             docker run -d --name loud --network none --label com.docker.compose.project={project} \
                --label com.docker.compose.service=loud --label com.docker.compose.oneoff=False \
                --label com.docker.compose.container-number=1 --label com.docker.compose.config-hash=0 \
                --entrypoint awk \"$image\" 'BEGIN {{ for (i = 1; i <= {RECORDS}; i++) \
                printf \"%010d INFO request served status=200 path=/api/v1/tables/customers/columns?page=2 %-{rest}s\\n\", i, \"took=12ms\" }}'",
            rest = LENGTH - 1 - 84,
        );
        site.vm(host).exec_ok(&script).unwrap();
    }
    for (host, _) in LOUD {
        let ended = "test \"$(docker inspect -f '{{.State.Status}}' loud)\" = exited";
        let vm = site.vm(host);
        vm.wait_until("all is printed", Duration::from_mins(10), ended)
            .unwrap();
    }
}

/// Gathers everything; returns how long it took and the most memory that was held.
fn ours(site: &Site) -> (Duration, u64) {
    let output = site.home.join("bench.log");
    let mut command = site.program();
    command.args(["logs", "acme", "--service", "loud", "--output"]);
    command.arg(&output);
    let mut memory = 0;
    let took = timed(|| {
        let mut child = command.spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            memory = memory.max(crate::looking::memory(child.id()));
            thread::sleep(Duration::from_millis(20));
        }
    });
    expect_records(&[output]);
    (took, memory)
}

/// What an administrator types, with nothing to look up and nothing to put in order.
fn by_hand(site: &Site) {
    let outputs: Vec<Utf8PathBuf> = thread::scope(|scope| {
        let threads: Vec<_> = LOUD
            .map(|(host, project)| scope.spawn(move || of_one_host(site, host, project)))
            .into();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    expect_records(&outputs);
}

fn of_one_host(site: &Site, host: &str, project: &str) -> Utf8PathBuf {
    let output = site.home.join(format!("{host}.log"));
    let file = fs_err::File::create(&output).unwrap();
    let status = Command::new("ssh")
        .args(["-i", site.fleet.private_key().as_str()])
        .args([
            "-o",
            &format!("UserKnownHostsFile={}", site.fleet.known_hosts()),
        ])
        .arg(format!("deploy@{}", site.vm(host).address()))
        .arg(format!(
            "docker compose -p {project} logs --no-color --timestamps loud"
        ))
        .stdout(file.into_parts().0)
        .status()
        .unwrap();
    assert!(status.success(), "{host}");
    output
}

/// Every record of every host must be there, however it was fetched; the files go again.
fn expect_records(paths: &[Utf8PathBuf]) {
    let mut count = Command::new("sh");
    let cat = "cat \"$@\" | grep -c ' INFO request served '";
    count.args(["-c", cat, "sh"]).args(paths);
    assert_eq!(run(&mut count).trim(), (RECORDS * 3).to_string());
    for path in paths {
        fs_err::remove_file(path).unwrap();
    }
}
