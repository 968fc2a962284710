//! Pulling an image: the login travels with this one request and nothing of it stays on the host.

use std::time::Duration;

use bollard::Docker as Bollard;
use bollard::auth::DockerCredentials;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::stream::StreamExt;
use secrecy::ExposeSecret;

use super::super::RegistryLogin;
use super::problem::Trouble;
use crate::model::docker::LayerProgress;
use crate::model::image::ImageRef;

/// A pull that says nothing for this long stands still.
const STALL: Duration = Duration::from_mins(2);

pub(super) async fn run(
    engine: &Bollard,
    reference: &ImageRef,
    login: Option<&RegistryLogin>,
    progress: &mut dyn FnMut(LayerProgress),
) -> Result<(), Trouble> {
    let (name, version) = split(reference);
    let options = CreateImageOptionsBuilder::new()
        .from_image(&name)
        .tag(version)
        .build();
    let mut events = engine.create_image(Some(options), None, login.map(credentials));
    loop {
        match tokio::time::timeout(STALL, events.next()).await {
            Err(_) => return Err(Trouble::TimedOut(STALL)),
            Ok(None) => return Ok(()),
            Ok(Some(event)) => {
                if let Some(layer) = layer(event?) {
                    progress(layer);
                }
            }
        }
    }
}

/// Returns the name and the tag or digest; without either Docker would fetch every tag there is.
pub(super) fn split(reference: &ImageRef) -> (String, &str) {
    let name = match reference.registry() {
        Some(registry) => format!("{registry}/{}", reference.repository()),
        None => reference.repository().to_owned(),
    };
    let version = reference.digest().or(reference.tag());
    (name, version.unwrap_or("latest"))
}

fn credentials(login: &RegistryLogin) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose_secret().to_owned()),
        serveraddress: Some(login.registry.clone()),
        ..DockerCredentials::default()
    }
}

/// Returns the progress of a layer; lines about the image as a whole have none.
fn layer(event: CreateImageInfo) -> Option<LayerProgress> {
    let status = event.status?;
    // There the id is the tag.
    if status.starts_with("Pulling from") {
        return None;
    }
    let detail = event.progress_detail.unwrap_or_default();
    let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    Some(LayerProgress {
        layer: event.id?,
        status,
        done: bytes(detail.current),
        total: bytes(detail.total).filter(|total| *total > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("postgres:14.5", "postgres", "14.5")]
    #[case("postgres", "postgres", "latest")]
    #[case("r.example:5000/a/b:1", "r.example:5000/a/b", "1")]
    fn names(#[case] reference: &str, #[case] name: &str, #[case] version: &str) {
        let reference = ImageRef::parse(reference).unwrap();
        assert_eq!(split(&reference), (name.to_owned(), version));
    }

    #[test]
    fn a_digest_goes_before_a_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let reference = ImageRef::parse(&format!("a:1@{digest}")).unwrap();
        assert_eq!(split(&reference).1, digest);
    }

    #[test]
    fn only_layers_have_progress() {
        let event = |value| layer(serde_json::from_value(value).unwrap());
        assert_eq!(
            event(json!({"status": "Pulling from library/postgres", "id": "14.5"})),
            None
        );
        assert_eq!(
            event(json!({"status": "Status: Downloaded newer image"})),
            None
        );
        let progress = event(json!({"status": "Downloading", "id": "9f2c", "progressDetail": {"current": 5, "total": 10}})).unwrap();
        assert_eq!(
            (progress.layer.as_str(), progress.done, progress.total),
            ("9f2c", Some(5), Some(10))
        );
        let done =
            event(json!({"status": "Pull complete", "id": "9f2c", "progressDetail": {}})).unwrap();
        assert_eq!((done.done, done.total), (None, None));
    }
}
