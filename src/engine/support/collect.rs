//! What hosts are asked, and how: a few questions at once on each host, each within its own time, all within the time that is left for everything.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::spool::Spool;
use super::{SupportError, allowed};
use crate::engine::cancel::Cancel;
use crate::engine::fan_out::fan_out;
use crate::engine::gather::in_one_line;
use crate::model::event::{Event, Listener};
use crate::model::facts::RootAccess;
use crate::model::log::SourceCount;
use crate::model::resolve::ExpectedStack;
use crate::model::text::shell_quoted;
use crate::transport::{Command, Exit, Host, Output, Privilege, Stream, TransportError};

/// So many questions go to a host at once; its sshd bears ten.
const AT_ONCE: usize = 3;

/// A connection that ends a command too late is left to itself after this.
const GRACE: Duration = Duration::from_secs(3);

/// Time between two looks at whether the operator wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// More than this of an answer is not kept.
const MOST: usize = 4 << 20;

/// The same of an answer of which only named fields are kept.
const MOST_JSON: usize = 64 << 20;

/// What of an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Its lines, without secrets.
    Lines,
    /// Of containers in JSON what is allowed.
    Containers,
    /// Of a Compose project in JSON what is allowed.
    Project,
}

/// A question.
#[derive(Debug, Clone)]
struct Collector {
    /// Its name; the file that its answer goes to.
    name: String,
    /// The script.
    script: String,
    /// Seconds.
    limit: u64,
    keep: Keep,
}

/// What every host is asked: the name, the limit in seconds, and the script. None may start anything on the host: `timedatectl` would start a service.
const QUESTIONS: &[(&str, u64, &str)] = &[
    (
        "system.txt",
        10,
        "date -u; uptime; uname -a; cat /etc/os-release; echo; nproc; echo; cat /proc/meminfo; echo; \
         for f in cpu memory io; do echo \"pressure $f:\"; cat /proc/pressure/$f 2>/dev/null || echo unknown; done; echo; \
         ls /run/systemd/timesync/synchronized 2>/dev/null || :; ps -eo comm | grep -E 'chronyd|ntpd|timesyncd' || echo 'no time service'; echo; ps -eo pid,ppid,user,stat,pcpu,pmem,rss,etimes,comm --sort=-rss 2>/dev/null | head -n 40",
    ),
    (
        "disks.txt",
        10,
        "echo '# room'; df -P -k -x tmpfs -x devtmpfs -x squashfs -x iso9660 -x efivarfs 2>/dev/null || df -P -k; \
         echo '# inodes'; df -P -i -x tmpfs -x devtmpfs -x squashfs -x iso9660 -x efivarfs 2>/dev/null || :; \
         echo '# devices'; lsblk -o NAME,TYPE,SIZE,FSTYPE,MOUNTPOINT 2>/dev/null || :",
    ),
    (
        "kernel.txt",
        15,
        "{ journalctl --quiet --no-pager --dmesg --boot --output=short-iso --since=-7d 2>/dev/null || dmesg -T 2>/dev/null || dmesg; } | \
         grep -i -E 'out of memory|oom|killed process|no space|i/o error|ext4-fs (error|warning)|xfs .*(error|corrupt|shutdown)|\
btrfs.*error|remount|read-only|blk_update|nvme.*(timeout|reset)|ata[0-9].*(error|failed)|hung_task|blocked for more|soft lockup|segfault' | \
         tail -n 2000; :",
    ),
    (
        "network.txt",
        10,
        "ip -brief address 2>/dev/null || cat /proc/net/fib_trie; echo; ip route 2>/dev/null || cat /proc/net/route; echo; \
         cat /etc/resolv.conf; echo; cat /etc/hosts",
    ),
    (
        "listeners.txt",
        10,
        "ss -H -l -n -t -p 2>/dev/null || netstat -l -n -t -p 2>/dev/null || cat /proc/net/tcp /proc/net/tcp6",
    ),
    (
        "docker.txt",
        20,
        "set -e; docker version; echo; docker info 2>&1; echo; docker compose version 2>&1 || :",
    ),
    (
        "docker-state.txt",
        30,
        "set -e; docker ps -a --no-trunc --format 'table {{.Names}}\\t{{.Status}}\\t{{.Image}}\\t{{.Ports}}'; echo; \
         timeout 10 docker stats --no-stream --format 'table {{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.PIDs}}' || echo 'no usage'; echo; \
         docker network ls; echo; docker volume ls",
    ),
    ("docker-disk.txt", 30, "docker system df"),
    ("images.txt", 20, "docker images --digests --no-trunc"),
    (
        "docker-events.txt",
        15,
        "docker events --since 24h --until 0s --filter type=container --filter event=die --filter event=oom --filter event=kill \
         --filter event=start --filter event=restart --filter event=destroy \
         --format '{{.Time}} {{.Action}} {{index .Actor.Attributes \"name\"}} exit-code={{index .Actor.Attributes \"exitCode\"}}' | tail -n 500",
    ),
];

/// The file of what is allowed of all containers, and of one line for each.
const INSPECT: &str = "containers.json";
/// See [`INSPECT`].
pub(in crate::engine) const CONTAINERS: &str = "containers.txt";

const INSPECT_ALL: &str = "set -e; ids=$(docker ps -a -q --no-trunc); if [ -n \"$ids\" ]; then docker inspect $ids; else echo '[]'; fi";

/// What asking works with.
#[derive(Clone)]
pub(in crate::engine) struct Asking<'a> {
    pub(in crate::engine) spool: &'a Spool,
    pub(in crate::engine) listener: &'a dyn Listener,
    pub(in crate::engine) cancel: &'a Cancel,
    /// When everything must be over.
    pub(in crate::engine) until: Instant,
    /// How many hosts are asked at once.
    pub(in crate::engine) concurrency: usize,
}

impl Asking<'_> {
    /// Asks all hosts everything.
    ///
    /// # Errors
    /// When an answer cannot be kept; one that does not come is named as missing.
    pub(in crate::engine) fn ask(
        &self,
        hosts: Vec<Arc<dyn Host>>,
        stacks: &[ExpectedStack],
    ) -> Result<(), SupportError> {
        let of_hosts = fan_out(hosts, self.concurrency, |host| {
            let all = fan_out(collectors(host.as_ref(), stacks), AT_ONCE, |collector| {
                self.one(&host, &collector)
            });
            all.into_iter().collect::<Result<(), SupportError>>()
        });
        of_hosts.into_iter().collect()
    }

    /// Asks one question and keeps the answer.
    fn one(&self, host: &Arc<dyn Host>, collector: &Collector) -> Result<(), SupportError> {
        if self.cancel.is_raised() {
            return Ok(());
        }
        let label = format!("{}/{}", host.name(), collector.name);
        let left = self.until.saturating_duration_since(Instant::now());
        let limit = Duration::from_secs(collector.limit).min(left);
        let answer = if left.is_zero() {
            Err("the time for everything was over before it was asked".to_owned())
        } else {
            self.answer(host, collector, limit)
        };
        let count = match answer {
            Ok(told) => self.keep(host, collector, &label, &told)?,
            Err(_) if self.cancel.is_raised() => return Ok(()),
            Err(why) => Err(why),
        };
        let count = count.unwrap_or_else(|why| {
            self.spool.miss(&label, &why);
            SourceCount {
                source: label.clone(),
                missing: Some(self.spool.redactor().text(&why)),
                ..SourceCount::default()
            }
        });
        self.listener.hear(Event::LogsEnded { count });
        Ok(())
    }

    /// Waits for an answer on a thread of its own: one that hangs is left to itself, since all it does is read.
    fn answer(
        &self,
        host: &Arc<dyn Host>,
        collector: &Collector,
        limit: Duration,
    ) -> Result<Told, String> {
        let (send, done) = channel();
        let command = command(host.as_ref(), collector, limit);
        let most = if collector.keep == Keep::Lines {
            MOST
        } else {
            MOST_JSON
        };
        let asked = Arc::clone(host);
        thread::spawn(move || {
            // Nobody waits any more when this fails.
            let _ = send.send(run(asked.as_ref(), &command, most));
        });
        let over = Instant::now() + limit + GRACE;
        loop {
            match done.recv_timeout(LOOK) {
                Ok(Ok(told)) => return Ok(told),
                Ok(Err(error)) => return Err(in_one_line(&error)),
                Err(RecvTimeoutError::Timeout) if self.cancel.is_raised() => {
                    return Err("stopped".to_owned());
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < over => {}
                Err(_) => return Err(silent(limit)),
            }
        }
    }

    /// Keeps what may be kept; the inner error says why there is nothing.
    fn keep(
        &self,
        host: &Arc<dyn Host>,
        collector: &Collector,
        label: &str,
        told: &Told,
    ) -> Result<Result<SourceCount, String>, SupportError> {
        let folder = format!("hosts/{}", host.name());
        let file = format!("{folder}/{}", collector.name);
        if let Some(why) = told.failed() {
            // What it said before is worth having where every line may be kept.
            if collector.keep == Keep::Lines && !told.text.trim().is_empty() {
                self.spool.write(&file, label, &told.text)?;
            }
            return Ok(Err(why));
        }
        if collector.keep == Keep::Lines {
            return self.spool.write(&file, label, &told.text).map(Ok);
        }
        let Ok(json) = serde_json::from_str::<Value>(&told.text) else {
            return Ok(Err("the answer is not JSON".to_owned()));
        };
        let kept = if collector.keep == Keep::Containers {
            let kept = allowed::containers(&json);
            let lines = allowed::lines(&kept);
            self.spool
                .write(&format!("{folder}/{CONTAINERS}"), label, &lines)?;
            kept
        } else {
            allowed::project(&json)
        };
        self.spool
            .write(&file, label, &format!("{kept:#}\n"))
            .map(Ok)
    }
}

/// An answer.
#[derive(Debug)]
struct Told {
    text: String,
    complaint: String,
    exit: Exit,
    cut: bool,
}

impl Told {
    /// Returns why it is no answer, when it is none.
    fn failed(&self) -> Option<String> {
        if self.cut {
            return Some(format!("cut after {} bytes", self.text.len()));
        }
        match &self.exit {
            Exit::Code(0) => None,
            // What ends a command that takes too long says so.
            Exit::Code(124 | 137) => Some("it took too long and was ended".to_owned()),
            exit => {
                let said = self.complaint.lines().last().unwrap_or_default().trim();
                let how = match exit {
                    Exit::Code(code) => format!("ended with {code}"),
                    Exit::Signal(signal) => format!("ended by {signal}"),
                };
                Some(if said.is_empty() {
                    how
                } else {
                    format!("{how}: {said}")
                })
            }
        }
    }
}

fn silent(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs().max(1))
}

/// Returns the questions to a host.
fn collectors(host: &dyn Host, stacks: &[ExpectedStack]) -> Vec<Collector> {
    let general = QUESTIONS.iter().map(|(name, limit, script)| Collector {
        name: (*name).to_owned(),
        script: (*script).to_owned(),
        limit: *limit,
        keep: Keep::Lines,
    });
    let inspect = Collector {
        name: INSPECT.to_owned(),
        script: INSPECT_ALL.to_owned(),
        limit: 20,
        keep: Keep::Containers,
    };
    let own = stacks.iter().filter(|stack| stack.host == *host.name());
    let of_stacks = own.flat_map(|stack| {
        let folder = shell_quoted(&stack.folder);
        [
            Collector {
                name: format!("{}.compose.json", stack.stack),
                script: format!("cd {folder} && docker compose config --format json"),
                limit: 20,
                keep: Keep::Project,
            },
            Collector {
                name: format!("{}.files.txt", stack.stack),
                script: format!("cd {folder} && find . -type f ! -path './.run/*' -exec ls -l --full-time {{}} + && sha256sum docker-compose.y*ml"),
                limit: 10,
                keep: Keep::Lines,
            },
        ]
    });
    std::iter::once(inspect)
        .chain(general)
        .chain(of_stacks)
        .collect()
}

/// Returns the command that asks; on the host, too, nothing is left of it when it takes too long.
fn command(host: &dyn Host, collector: &Collector, limit: Duration) -> Command {
    let seconds = limit.as_secs().max(1);
    let script = format!(
        "script={}\nif command -v timeout >/dev/null 2>&1; then exec timeout -k 1 {seconds} sh -c \"$script\"; else exec sh -c \"$script\"; fi",
        shell_quoted(&collector.script)
    );
    let privilege = match host.root_access() {
        RootAccess::None | RootAccess::PasswordMissing => Privilege::User,
        _ => Privilege::Root,
    };
    Command::sh(script)
        .with_privilege(privilege)
        .within(limit + GRACE / 2)
}

fn run(host: &dyn Host, command: &Command, most: usize) -> Result<Told, TransportError> {
    let (mut stdout, mut stderr, mut cut) = (Vec::new(), Vec::new(), false);
    let exit = host.stream(command, &mut |stream, bytes| {
        let held = if stream == Stream::Out {
            &mut stdout
        } else {
            &mut stderr
        };
        held.extend_from_slice(bytes);
        cut = held.len() > most;
        if cut {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let output = Output {
        exit,
        stdout,
        stderr,
    };
    Ok(Told {
        text: output.text(),
        complaint: output.complaint(),
        exit: output.exit,
        cut,
    })
}

#[cfg(test)]
mod tests;
