//! Finds what somebody set up by hand on the hosts, and says by the presets what it is and what would become of it. It reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;

use super::action::Rights;
use super::compose::{DEPLOYMENT_LABEL, PROJECT_LABEL};
use crate::model::adopt::{self, ByHand};
use crate::model::answers::{Adopted, ImageSource, ImagesSection};
use crate::model::check::{CheckResult, Verdict};
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, ImageId, PresetId, QuestionId, RoleId};
use crate::model::image::ImageRef;
use crate::model::preset::{Adopt, Preset};
use crate::model::template::TemplateError;
use crate::model::validate;
use crate::transport::{ContainerFilter, Host, TransportError, files};

/// Compose's labels for where a project comes from.
const FOLDER: &str = "com.docker.compose.project.working_dir";
const CONFIG: &str = "com.docker.compose.project.config_files";
const ENVIRONMENT: &str = "com.docker.compose.project.environment_file";
/// Compose's label for a volume's name in its file.
const VOLUME: &str = "com.docker.compose.volume";

/// A Compose project on a host.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The folder that it was started from.
    pub folder: String,
    /// The file of its variables.
    pub environment: String,
    /// The image that each service runs.
    pub images: BTreeMap<String, String>,
    /// Its volumes by their names in its file.
    pub volumes: BTreeMap<String, String>,
    /// What expressions see of it.
    pub by_hand: ByHand,
}

/// Returns the Compose projects of others on a host.
///
/// # Errors
/// Fails when the host cannot be asked.
pub fn projects(host: &dyn Host, rights: Rights) -> Result<Vec<Project>, TransportError> {
    let docker = host.docker()?;
    let filter = ContainerFilter {
        labels: vec![PROJECT_LABEL.to_owned()],
    };
    let mut by_name: BTreeMap<String, Vec<ContainerFacts>> = BTreeMap::new();
    for container in docker.containers(&filter)? {
        if let Some(name) = container.project().map(str::to_owned) {
            by_name.entry(name).or_default().push(container);
        }
    }
    let ours = format!("{}/", validate::BASE_FOLDER);
    let is_ours = |container: &ContainerFacts| {
        let folder = container.labels.get(FOLDER);
        container.labels.contains_key(DEPLOYMENT_LABEL)
            || folder.is_some_and(|folder| folder.starts_with(&ours))
    };
    by_name.retain(|_, containers| !containers.iter().any(is_ours));
    let volumes = docker.volumes()?;
    let mut projects = Vec::new();
    for (name, containers) in by_name {
        let of_it = volumes
            .iter()
            .filter(|volume| volume.labels.get(PROJECT_LABEL) == Some(&name));
        let named = of_it
            .filter_map(|volume| Some((volume.labels.get(VOLUME)?.clone(), volume.name.clone())));
        let volumes = named.collect();
        projects.push(read(host, rights, name, &containers, volumes)?);
    }
    Ok(projects)
}

fn read(
    host: &dyn Host,
    rights: Rights,
    name: String,
    containers: &[ContainerFacts],
    volumes: BTreeMap<String, String>,
) -> Result<Project, TransportError> {
    let label = |key: &str| {
        let mut values = containers
            .iter()
            .filter_map(|container| container.labels.get(key));
        values.find(|value| !value.is_empty()).cloned()
    };
    let folder = label(FOLDER).unwrap_or_default();
    let environment =
        label(ENVIRONMENT).and_then(|files| files.split(',').next().map(str::to_owned));
    let environment = environment.unwrap_or_else(|| format!("{folder}/.env"));
    let read = |path: &str| -> Result<Option<String>, TransportError> {
        let bytes = files::read(host, path, rights.privilege())?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let mut text = String::new();
    for path in label(CONFIG)
        .unwrap_or_default()
        .split(',')
        .filter(|path| !path.is_empty())
    {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{folder}/{path}")
        };
        text.push_str(&read(&path)?.unwrap_or_default());
    }
    let images: BTreeMap<String, String> = containers
        .iter()
        .filter_map(|container| Some((container.service()?.to_owned(), container.image.clone())))
        .collect();
    let by_hand = ByHand {
        environment: read(&environment)?.map(SecretString::from),
        services: images.keys().cloned().collect(),
        files: text,
    };
    Ok(Project {
        name,
        folder,
        environment,
        images,
        volumes,
        by_hand,
    })
}

/// A project that a preset knows.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The host.
    pub host: &'a HostName,
    /// The project.
    pub project: &'a Project,
    /// By what it is known.
    pub adopt: &'a Adopt,
}

/// Returns what of all this a preset knows.
///
/// # Errors
/// Fails when an expression of the preset is broken.
pub fn known<'a>(
    preset: &'a Preset,
    found: &'a BTreeMap<HostName, Vec<Project>>,
) -> Result<Vec<Known<'a>>, TemplateError> {
    let mut known = Vec::new();
    for (host, projects) in found {
        for project in projects {
            if let Some(adopt) = adopt::fitting(preset, &project.by_hand)? {
                known.push(Known {
                    host,
                    project,
                    adopt,
                });
            }
        }
    }
    Ok(known)
}

/// Returns the preset that knows most of it and lacks no host that it needs.
///
/// # Errors
/// As [`known`].
pub fn fitting<'p>(
    presets: &'p [Arc<Preset>],
    found: &BTreeMap<HostName, Vec<Project>>,
) -> Result<Option<&'p Arc<Preset>>, TemplateError> {
    let mut best: Option<(&Arc<Preset>, usize)> = None;
    for preset in presets {
        let known = known(preset, found)?;
        let enough = preset.roles.iter().all(|role| {
            let of_role = known
                .iter()
                .filter(|known| role_of(preset, known.adopt) == Some(&role.id));
            let count = of_role.count();
            let bounds = role.bounds();
            bounds.is_some_and(|(least, most)| {
                count >= least && most.is_none_or(|most| count <= most)
            })
        });
        // The first of equals, as presets are offered.
        if enough && known.len() > best.map_or(0, |(_, count)| count) {
            best = Some((preset, known.len()));
        }
    }
    Ok(best.map(|(preset, _)| preset))
}

fn role_of<'p>(preset: &'p Preset, adopt: &Adopt) -> Option<&'p RoleId> {
    preset.stack(&adopt.stack).map(|stack| &stack.role)
}

/// What a takeover would be.
#[derive(Debug, Clone)]
pub struct Takeover {
    /// The preset.
    pub preset: PresetId,
    /// What each host is for.
    pub roles: BTreeMap<HostName, Vec<RoleId>>,
    /// Answers, as they would be typed.
    pub answers: BTreeMap<QuestionId, String>,
    /// The images that run.
    pub images: ImagesSection,
    /// What is taken over.
    pub adopted: Vec<Adopted>,
    /// What was found, and what is wrong with it.
    pub told: Vec<CheckResult>,
}

impl Takeover {
    /// Returns whether something must be mended first.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.told.iter().any(|told| told.verdict == Verdict::Fail)
    }
}

/// Decides what becomes of what a preset knows.
///
/// # Errors
/// Fails when an expression of the preset is broken.
pub fn takeover(preset: &Preset, known: &[Known<'_>]) -> Result<Takeover, TemplateError> {
    let mut taken = Takeover {
        preset: preset.id.clone(),
        roles: BTreeMap::new(),
        answers: BTreeMap::new(),
        images: images(preset, known),
        adopted: Vec::new(),
        told: Vec::new(),
    };
    for known in known {
        if let Some(role) = role_of(preset, known.adopt) {
            taken
                .roles
                .entry(known.host.clone())
                .or_default()
                .push(role.clone());
        }
        taken
            .answers
            .extend(adopt::answers(known.adopt, &known.project.by_hand)?);
        let volumes = known.adopt.volumes.iter().filter_map(|(ours, theirs)| {
            Some((ours.clone(), known.project.volumes.get(theirs)?.clone()))
        });
        taken.adopted.push(Adopted {
            host: known.host.clone(),
            stack: known.adopt.stack.clone(),
            form: known.adopt.id.clone(),
            project: known.project.name.clone(),
            folder: known.project.folder.clone(),
            environment: known.project.environment.clone(),
            volumes: volumes.collect(),
        });
        taken.told.push(told(known)?);
        for trap in adopt::traps(known.adopt, &known.project.by_hand)? {
            taken.told.push(CheckResult {
                verdict: if trap.refuse {
                    Verdict::Fail
                } else {
                    Verdict::Warn
                },
                found: trap.title.clone(),
                cause: Some(trap.why.clone()),
                remedy: Some(trap.repair.clone()),
                ..result(known)
            });
        }
    }
    Ok(taken)
}

fn result(known: &Known<'_>) -> CheckResult {
    CheckResult {
        id: "adopt".to_owned(),
        host: Some(known.host.clone()),
        title: known.adopt.title.clone(),
        verdict: Verdict::Pass,
        found: String::new(),
        cause: None,
        remedy: None,
        command: None,
        mends: false,
        opening: None,
    }
}

/// Says what is kept and what is made anew; no value.
fn told(known: &Known<'_>) -> Result<CheckResult, TemplateError> {
    let project = known.project;
    let mut said = vec![format!(
        "the Compose project `{}` in {}",
        project.name, project.folder
    )];
    let mut lost = Vec::new();
    for (ours, theirs) in &known.adopt.volumes {
        match project.volumes.get(theirs) {
            Some(name) => said.push(format!("the data in volume `{name}` stays there")),
            None => lost.push(ours.as_str()),
        }
    }
    let kept = adopt::secrets(known.adopt, &project.by_hand)?;
    let (kept, other): (Vec<&QuestionId>, Vec<&QuestionId>) = known
        .adopt
        .secrets
        .keys()
        .partition(|id| kept.contains_key(*id));
    let words = |ids: &[&QuestionId]| {
        ids.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !kept.is_empty() {
        said.push(format!("kept from its variables: {}", words(&kept)));
    }
    if !other.is_empty() {
        said.push(format!("made anew or asked for: {}", words(&other)));
    }
    let result = result(known);
    // Without its volume a database would begin empty.
    let missing = (!lost.is_empty()).then(|| CheckResult {
        verdict: Verdict::Fail,
        found: format!(
            "no volume of the project `{}` holds {}",
            project.name,
            lost.join(", ")
        ),
        cause: Some("its data would not be found, and an empty database would start".to_owned()),
        remedy: Some("put the data into a volume that the project's Compose file names".to_owned()),
        ..result.clone()
    });
    Ok(missing.unwrap_or(CheckResult {
        found: said.join("; "),
        ..result
    }))
}

/// Returns how `[images]` names exactly the images that run: by the registry and release that most have, and whole for the others.
fn images(preset: &Preset, known: &[Known<'_>]) -> ImagesSection {
    let mut running: BTreeMap<ImageId, ImageRef> = BTreeMap::new();
    for known in known {
        for (id, service) in &known.adopt.images {
            let image = known.project.images.get(service);
            if let Some(image) = image.and_then(|image| ImageRef::parse(image).ok()) {
                running.insert(id.clone(), image);
            }
        }
    }
    let section = |registry: Option<&str>, tag: Option<&str>| ImagesSection {
        source: ImageSource::Present,
        registry: registry.map(str::to_owned),
        tag: tag.map(str::to_owned),
        ..ImagesSection::default()
    };
    let named_one_by_one = |section: &ImagesSection| -> BTreeMap<ImageId, ImageRef> {
        let usual = validate::every_reference(preset, section).0;
        let other = running
            .iter()
            .filter(|(id, image)| usual.get(*id) != Some(image));
        other
            .map(|(id, image)| (id.clone(), image.clone()))
            .collect()
    };
    let places: BTreeSet<(Option<&str>, Option<&str>)> = running
        .values()
        .flat_map(|image| [(image.registry(), image.tag()), (None, image.tag())])
        .collect();
    let best = places
        .into_iter()
        .map(|(registry, tag)| section(registry, tag))
        .min_by_key(|section| named_one_by_one(section).len());
    let best = best.unwrap_or_else(|| section(None, None));
    ImagesSection {
        refs: named_one_by_one(&best),
        ..best
    }
}

#[cfg(test)]
mod tests;
