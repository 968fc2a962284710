//! Reads what the script told about the machine itself: system, memory, disks, login, tools, proxies.

use std::collections::BTreeMap;

use super::FactsError;
use super::script::Told;
use crate::model::facts::{Disk, RootAccess, UserFacts};

/// The system as it names itself.
#[derive(Debug, Default, PartialEq)]
pub(super) struct System {
    pub(super) os: String,
    pub(super) os_id: String,
    pub(super) os_version: String,
    pub(super) kernel: String,
    pub(super) hostname: String,
    pub(super) architecture: String,
}

/// Reads `uname -snrm` and os-release.
pub(super) fn system(told: &Told) -> Result<System, FactsError> {
    let uname = told.must("uname", "kernel")?;
    let words: Vec<&str> = uname.split_whitespace().collect();
    let [name, hostname, kernel, architecture] = words[..] else {
        return Err(FactsError::Missing {
            what: "kernel",
            stderr: uname.to_owned(),
        });
    };
    let release: BTreeMap<&str, &str> = told
        .all("os")
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key, value.trim_matches(['"', '\''])))
        .collect();
    let field = |key: &str| release.get(key).copied().unwrap_or_default().to_owned();
    let os = match release.get("PRETTY_NAME") {
        Some(pretty) => (*pretty).to_owned(),
        None => name.to_owned(),
    };
    Ok(System {
        os,
        os_id: field("ID"),
        os_version: field("VERSION_ID"),
        kernel: kernel.to_owned(),
        hostname: hostname.to_owned(),
        architecture: architecture.to_owned(),
    })
}

/// Returns memory in all and available now, in bytes.
pub(super) fn memory(told: &Told) -> Result<(u64, u64), FactsError> {
    let lines: BTreeMap<&str, u64> = told
        .all("mem")
        .filter_map(|line| line.split_once(':'))
        .filter_map(|(key, value)| {
            let kib: u64 = value.split_whitespace().next()?.parse().ok()?;
            Some((key, kib * 1024))
        })
        .collect();
    let total = lines.get("MemTotal").copied().unwrap_or_default();
    if total == 0 {
        return Err(FactsError::Missing {
            what: "memory",
            stderr: told.complaint.clone(),
        });
    }
    // Kernels before 3.14 tell no MemAvailable.
    let available = lines.get("MemAvailable").or_else(|| lines.get("MemFree"));
    Ok((total, available.copied().unwrap_or_default()))
}

/// Returns the file systems under the folders asked about.
pub(super) fn disks(told: &Told) -> Vec<Disk> {
    told.all("disk").filter_map(disk).collect()
}

fn disk(line: &str) -> Option<Disk> {
    let mut parts = line.splitn(3, '\t');
    let (path, numbers, mount) = (parts.next()?, parts.next()?, parts.next().unwrap_or("/"));
    let numbers: Vec<u64> = numbers
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let [block, total, free, inodes, free_inodes] = numbers[..] else {
        return None;
    };
    Some(Disk {
        path: path.to_owned(),
        mount: mount.to_owned(),
        total: block.saturating_mul(total),
        free: block.saturating_mul(free),
        // A file system without a table of inodes, such as btrfs, cannot run out of them.
        free_inodes: if inodes == 0 { u64::MAX } else { free_inodes },
    })
}

/// Returns who logs in.
pub(super) fn user(told: &Told, root: RootAccess) -> Result<UserFacts, FactsError> {
    let uid = told.must("uid", "user id")?;
    Ok(UserFacts {
        name: told.one("user").unwrap_or(uid).to_owned(),
        uid: uid.parse().unwrap_or(u32::MAX),
        groups: told
            .one("groups")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        root,
    })
}

/// Returns which programs are there.
pub(super) fn tools(told: &Told) -> BTreeMap<String, bool> {
    told.all("tool")
        .filter_map(|line| line.split_once(' '))
        .map(|(tool, there)| (tool.to_owned(), there == "yes"))
        .collect()
}

/// Returns the login's proxy variables, names in lower case, without credentials.
pub(super) fn proxies(told: &Told) -> BTreeMap<String, String> {
    told.all("proxy")
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_lowercase(), without_credentials(value)))
        .collect()
}

/// Returns a proxy's address without what stands between `//` and `@`.
pub(in crate::engine) fn without_credentials(address: &str) -> String {
    match (address.split_once("//"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}//{place}"),
        // `user:password@proxy:3128` is understood by some programs, too.
        (None, Some((_, place))) => place.to_owned(),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_system_is_read_from_uname_and_os_release() {
        let told = Told::read(
            "uname\tLinux ray-1 5.15.0-91-generic x86_64\nos\tPRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\nos\tID=ubuntu\nos\tVERSION_ID=\"22.04\"\n",
        );
        assert_eq!(
            system(&told).unwrap(),
            System {
                os: "Ubuntu 22.04.3 LTS".into(),
                os_id: "ubuntu".into(),
                os_version: "22.04".into(),
                kernel: "5.15.0-91-generic".into(),
                hostname: "ray-1".into(),
                architecture: "x86_64".into(),
            }
        );
    }

    #[test]
    fn memory_without_memavailable_takes_what_is_free() {
        let told = Told::read("mem\tMemTotal: 2048 kB\nmem\tMemFree: 1024 kB\n");
        assert_eq!(memory(&told).unwrap(), (2048 * 1024, 1024 * 1024));
        assert!(memory(&Told::read("")).is_err());
    }

    #[rstest]
    #[case(
        "/var/lib/docker\t4096 1000 10 500 400\t/data disk",
        4_096_000,
        40_960,
        400
    )]
    #[case(
        "/var/lib/docker\t4096 1000 10 0 0\t/data disk",
        4_096_000,
        40_960,
        u64::MAX
    )]
    fn disks_are_counted_in_bytes(
        #[case] line: &str,
        #[case] total: u64,
        #[case] free: u64,
        #[case] free_inodes: u64,
    ) {
        let found = disk(line).unwrap();
        assert_eq!(
            (found.total, found.free, found.free_inodes, &found.mount[..]),
            (total, free, free_inodes, "/data disk")
        );
    }

    #[rstest]
    #[case("http://proxy:3128", "http://proxy:3128")]
    #[case("http://joe:pa@ss/wd@proxy:3128", "http://proxy:3128")]
    #[case("joe:password@proxy:3128", "proxy:3128")]
    #[case("localhost,10.0.0.0/8", "localhost,10.0.0.0/8")]
    fn credentials_of_proxies_are_dropped(#[case] given: &str, #[case] kept: &str) {
        assert_eq!(without_credentials(given), kept);
    }

    #[test]
    fn a_login_without_a_name_is_known_by_its_number() {
        let told = Told::read("uid\t1001\ngroups\tstaff docker\n");
        let user = user(&told, RootAccess::None).unwrap();
        assert_eq!((user.name.as_str(), user.uid), ("1001", 1001));
        assert_eq!(user.groups, ["staff", "docker"]);
    }
}
