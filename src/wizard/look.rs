//! Everything a front end shows of a draft: the fields that are asked now, the rule each breaks, and how far every page is.

use std::collections::BTreeMap;

use super::field::{Field, Key};
use super::hosts::HostPart;
use super::pages::{self, PAGES};
use super::{Around, Wizard, answers};
use crate::model::answers as file;
use crate::model::deployment::{Deployment, HostSettings};
use crate::model::fault::Fault;
use crate::model::ids::{HostName, ImageId, RoleId};
use crate::model::image::ImageRef;
use crate::model::preset::Page;
use crate::model::validate::{self, Survey, Unasked};

/// A draft as it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// The pages in order; those on which nothing is asked are among them.
    pub pages: Vec<PageLook>,
    /// How many hosts each role has and wants.
    pub roles: Vec<RoleLook>,
    /// Full references of the images that are wanted now, as far as they are known.
    pub references: BTreeMap<ImageId, ImageRef>,
}

/// One page as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PageLook {
    /// Which.
    pub page: Page,
    /// How far it is.
    pub state: PageState,
    /// Its fields.
    pub fields: Vec<Field>,
    /// What is wrong with the page and belongs to no field.
    pub troubles: Vec<Trouble>,
}

/// How far a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageState {
    /// Nobody was there, and nothing was said.
    Untouched,
    /// Something is still to be said.
    InProgress,
    /// Nothing is missing and nothing is wrong.
    Complete,
    /// Something that was said is wrong.
    Faulty,
}

/// A broken rule as a front end shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The key it is about.
    pub at: Key,
    /// The rule, in words.
    pub rule: String,
    /// Something valid to type instead.
    pub example: Option<String>,
    /// Whether something is merely missing.
    pub missing: bool,
}

/// A role with the hosts it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLook {
    /// Its id.
    pub id: RoleId,
    /// Its name for people.
    pub title: String,
    /// What it does.
    pub help: String,
    /// How many hosts have it.
    pub has: usize,
    /// How many it wants, in words.
    pub wants: String,
    /// Whether that is right.
    pub settled: bool,
}

impl Look {
    /// Returns a page.
    #[must_use]
    pub fn page(&self, page: Page) -> Option<&PageLook> {
        self.pages.iter().find(|look| look.page == page)
    }

    /// Returns whether anything is asked on a page, or shown there.
    #[must_use]
    pub fn asks(&self, page: Page) -> bool {
        matches!(page, Page::Option | Page::Hosts | Page::Review)
            || self.page(page).is_some_and(|look| !look.fields.is_empty())
    }

    /// Returns a field that is asked now.
    #[must_use]
    pub fn field(&self, key: &Key) -> Option<&Field> {
        let mut fields = self.pages.iter().flat_map(|page| &page.fields);
        fields.find(|field| &field.key == key)
    }

    /// Returns everything that is wrong or missing, page by page.
    pub fn troubles(&self) -> impl Iterator<Item = (Page, &Trouble)> {
        self.pages.iter().flat_map(|page| {
            let fields = page
                .fields
                .iter()
                .filter_map(|field| field.trouble.as_ref());
            fields
                .chain(&page.troubles)
                .map(|trouble| (page.page, trouble))
        })
    }

    /// Returns whether an answers file made from it is valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.pages.is_empty() && self.troubles().next().is_none()
    }

    /// Returns the secrets that must still be given before anything is deployed.
    pub fn wanting_secrets(&self) -> impl Iterator<Item = &Field> {
        let fields = self.pages.iter().flat_map(|page| &page.fields);
        fields.filter(|field| field.key.as_secret().is_some() && field.is_missing())
    }
}

/// Looks at a draft.
pub(super) fn look(wizard: &Wizard, around: &Around<'_>) -> Look {
    let judged = judge(wizard, around);
    let survey = judged.as_ref().map(|(survey, _)| survey);
    let mut pages: Vec<PageLook> = PAGES
        .map(|page| PageLook {
            page,
            state: PageState::Untouched,
            fields: pages::fields(wizard, page, survey, around),
            troubles: Vec::new(),
        })
        .into();
    match &judged {
        Some((_, faults)) => {
            for fault in faults {
                place(fault, &mut pages);
            }
        }
        None => nothing_chosen(&mut pages),
    }
    for page in &mut pages {
        page.state = state(wizard, page);
    }
    let open = |page: &PageLook| {
        page.page != Page::Review
            && (page.state == PageState::Faulty || page.troubles_in_all().next().is_some())
    };
    let unfinished = pages.iter().any(open);
    if let Some(review) = pages.last_mut() {
        review.state = match (judged.is_some(), unfinished) {
            (true, false) => PageState::Complete,
            (true, true) if wizard.draft().visited.contains(&Page::Review) => PageState::InProgress,
            _ => PageState::Untouched,
        };
    }
    Look {
        pages,
        roles: roles(wizard),
        references: judged.map_or_else(BTreeMap::new, |(survey, _)| survey.references),
    }
}

impl PageLook {
    /// Returns everything that is wrong or missing on it.
    pub fn troubles_in_all(&self) -> impl Iterator<Item = &Trouble> {
        let fields = self
            .fields
            .iter()
            .filter_map(|field| field.trouble.as_ref());
        fields.chain(&self.troubles)
    }
}

/// Writes the draft as an answers file and judges it as one; `None` before a preset was chosen.
fn judge(wizard: &Wizard, around: &Around<'_>) -> Option<(Survey, Vec<Fault>)> {
    let preset = wizard.preset()?;
    let text = answers::in_the_making(wizard, preset);
    let reading = file::read("draft", &text);
    let surroundings = validate::Surroundings {
        files: around.files,
        now: around.now,
    };
    let mut answers = reading.file?;
    // A section that lost a host would give every later one the number of the one before.
    let whole = answers.hosts.len() == wizard.draft().hosts.len();
    let names = host_names(wizard);
    let facts = wizard.all_facts();
    answers.version = 1;
    let survey = validate::survey(&answers, preset, &surroundings, &facts, Unasked::Leave);
    let mut faults = reading.faults;
    faults.extend(names);
    for fault in &survey.faults {
        let lost = !whole && fault.at.starts_with("hosts");
        let known = faults.iter().any(|known| known.at == fault.at);
        if !lost && !known {
            faults.push(fault.clone());
        }
    }
    Some((survey, faults))
}

/// Returns the deployment as far as its answers are good; `None` when a host's part is missing from it.
pub(super) fn deployment(wizard: &Wizard, around: &Around<'_>) -> Option<Deployment> {
    let (survey, _) = judge(wizard, around)?;
    let whole = survey.deployment.hosts.len() == wizard.draft().hosts.len();
    whole.then_some(survey.deployment)
}

/// Returns how a host would be reached, when nothing about that is wrong.
pub(super) fn host_settings(
    wizard: &Wizard,
    number: usize,
    around: &Around<'_>,
) -> Option<HostSettings> {
    let (survey, faults) = judge(wizard, around)?;
    let ways = [
        HostPart::Address,
        HostPart::User,
        HostPart::Port,
        HostPart::Jump,
        HostPart::HostKey,
    ];
    let about_the_way = |fault: &Fault| {
        ways.iter().any(|part| {
            fault.at == Key::host(number, *part).as_str()
                || fault.at == format!("ssh.{}", part.key())
        })
    };
    if faults.iter().any(about_the_way)
        || survey.deployment.hosts.len() != wizard.draft().hosts.len()
    {
        return None;
    }
    survey.deployment.hosts.into_iter().nth(number)
}

/// Returns the faults of names for which others stand in.
fn host_names(wizard: &Wizard) -> Vec<Fault> {
    let hosts = wizard.draft().hosts.iter().enumerate();
    hosts
        .filter_map(|(number, host)| {
            let error = host.name.parse::<HostName>().err()?;
            let rule = if host.name.is_empty() {
                "is missing: it is the host's name here".to_owned()
            } else {
                error.to_string()
            };
            let key = Key::host(number, HostPart::Name);
            Some(Fault::new(key.as_str(), rule).example("host-1"))
        })
        .collect()
}

/// Puts a fault where it belongs: to its field, to the page of the section it names, or to the review.
fn place(fault: &Fault, pages: &mut [PageLook]) {
    let at = match fault.at.as_str() {
        "images.bundles" => Key::new("images.bundle"),
        at => Key::new(at),
    };
    let mut trouble = Trouble {
        at: at.clone(),
        rule: fault.message.clone(),
        example: fault.example.as_deref().map(|text| plain(&at, text)),
        missing: fault.message.starts_with("is missing"),
    };
    for page in &mut *pages {
        if let Some(field) = page.fields.iter_mut().find(|field| field.key == at) {
            trouble.missing = field.effective().is_none();
            field.trouble.get_or_insert(trouble);
            return;
        }
    }
    let home = match at.as_str().split(['.', '[']).next() {
        Some("name" | "preset" | "version") => Page::Option,
        Some("images") => Page::Images,
        Some("hosts" | "ssh") => Page::Hosts,
        _ => Page::Review,
    };
    // Too few hosts of a role is something to do, not something done wrong.
    trouble.missing |= at.as_str() == "hosts" || at.last() == "roles";
    if let Some(page) = pages.iter_mut().find(|page| page.page == home) {
        page.troubles.push(trouble);
    }
}

/// Returns an example as it is typed into a field: without `key =` and quotes.
fn plain(at: &Key, example: &str) -> String {
    let value = example
        .strip_prefix(at.last())
        .and_then(|rest| rest.trim_start().strip_prefix('='))
        .map_or(example, str::trim);
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
        .to_owned()
}

/// Says that everything begins with a choice.
fn nothing_chosen(pages: &mut [PageLook]) {
    if let Some(page) = pages.iter_mut().find(|page| page.page == Page::Option) {
        page.troubles.push(Trouble {
            at: Key::new("preset"),
            rule: "nothing is chosen yet".to_owned(),
            example: None,
            missing: true,
        });
    }
}

fn state(wizard: &Wizard, page: &PageLook) -> PageState {
    let visited = wizard.draft().visited.contains(&page.page);
    let said = page.fields.iter().any(|field| field.value.is_some())
        || (page.page == Page::Hosts && !wizard.draft().hosts.is_empty())
        || (page.page == Page::Option && wizard.preset().is_some());
    let wrong = page.troubles_in_all().any(|trouble| !trouble.missing);
    let missing =
        page.troubles_in_all().next().is_some() || page.fields.iter().any(Field::is_missing);
    match (wrong, visited || said, missing) {
        (true, _, _) => PageState::Faulty,
        (_, false, _) => PageState::Untouched,
        (_, true, true) => PageState::InProgress,
        (_, true, false) => PageState::Complete,
    }
}

fn roles(wizard: &Wizard) -> Vec<RoleLook> {
    let Some(preset) = wizard.preset() else {
        return Vec::new();
    };
    let roles = preset.roles.iter().enumerate();
    roles
        .map(|(number, role)| {
            let has =
                |host: &&super::HostDraft| host.roles.iter().any(|own| own == role.id.as_str());
            let has = wizard.draft().hosts.iter().filter(has).count();
            let bounds = role.bounds().unwrap_or((0, None));
            RoleLook {
                id: role.id.clone(),
                title: role.title.clone(),
                help: role.help.clone(),
                has,
                wants: pages::wanted(preset, number),
                settled: has >= bounds.0 && bounds.1.is_none_or(|most| has <= most),
            }
        })
        .collect()
}
