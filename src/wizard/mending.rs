//! Which answer a check that failed is about, as far as that can be told from the check.
//!
//! Many checks are about machines and not about answers; for those there is nothing to go to.

use super::{HostPart, Key, Wizard};
use crate::model::check::CheckResult;
use crate::model::ids::HostName;
use crate::model::preset::Page;

/// Checks by the page whose answers they follow from, and the part of their host when they are about one.
const ANSWERS: &[(&str, Page, Option<HostPart>)] = &[
    ("address", Page::Hosts, Some(HostPart::PrivateAddress)),
    ("address-unique", Page::Hosts, None),
    ("collisions", Page::Option, None),
    ("cpus", Page::Sizing, None),
    ("docker-access", Page::Hosts, Some(HostPart::User)),
    ("images", Page::Images, None),
    ("memory", Page::Sizing, None),
    ("ports", Page::Application, None),
    ("reach", Page::Hosts, Some(HostPart::PrivateAddress)),
    ("registry", Page::Images, None),
    ("rights", Page::Hosts, Some(HostPart::User)),
];

/// Where in the wizard something can be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mending {
    page: Page,
    host: Option<(HostName, HostPart)>,
}

impl Mending {
    /// Returns where the answer is that a check is about; `None` when that cannot be told.
    #[must_use]
    pub fn of_check(check: &CheckResult) -> Option<Self> {
        let (_, page, part) = ANSWERS.iter().find(|(id, ..)| *id == check.id)?;
        Some(Self {
            page: *page,
            host: check.host.clone().zip(*part),
        })
    }

    /// Returns where a host is answered for that could not be reached.
    #[must_use]
    pub fn of_host(host: &HostName) -> Self {
        Self {
            page: Page::Hosts,
            host: Some((host.clone(), HostPart::Address)),
        }
    }
}

impl Wizard {
    /// Goes to where something can be mended.
    pub fn go_to_mend(&mut self, mending: &Mending) {
        self.go(mending.page);
        let Some((host, part)) = &mending.host else {
            return;
        };
        let mut hosts = self.draft().hosts.iter();
        let number = hosts.position(|own| own.name == host.as_str());
        if let Some(number) = number {
            self.stand_at(&Key::host(number, *part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::Verdict;
    use crate::wizard::read_list;
    use rstest::rstest;

    fn check(id: &str) -> CheckResult {
        CheckResult {
            id: id.to_owned(),
            host: Some("node-2".parse().unwrap()),
            title: id.to_owned(),
            verdict: Verdict::Fail,
            found: String::new(),
            cause: None,
            remedy: None,
            command: None,
            mends: false,
            opening: None,
        }
    }

    #[rstest]
    #[case("ports", Page::Application, None)]
    #[case("reach", Page::Hosts, Some("hosts[1].private-address"))]
    #[case("rights", Page::Hosts, Some("hosts[1].user"))]
    fn a_check_leads_to_its_answer(
        #[case] id: &str,
        #[case] page: Page,
        #[case] field: Option<&str>,
    ) {
        let mut wizard = Wizard::default();
        wizard.add_hosts(read_list("node-1 10.0.0.1\nnode-2 10.0.0.2").0);
        wizard.go_to_mend(&Mending::of_check(&check(id)).unwrap());
        assert_eq!(wizard.place().page, page);
        assert_eq!(wizard.place().field.as_ref().map(Key::as_str), field);
    }

    #[test]
    fn machines_are_no_answers() {
        assert_eq!(Mending::of_check(&check("inodes")), None);
    }
}
