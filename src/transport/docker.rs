//! The Docker API of a host through bollard, over whatever byte streams a transport dials.
//!
//! bollard is async; each call here runs a small runtime of its own on the caller's thread, so that nothing else is. A call opens its
//! connections and closes them again: no pool outlives a broken link, and there is no listening socket anywhere. Nothing is decided here.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bollard::errors::Error as EngineError;
use bollard::query_parameters as query;
use bollard::{ClientVersion, Docker as Bollard};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{
    ContainerFilter, Dial, Docker, Input, LogNews, LogWanted, Output, RegistryLogin,
    TransportError, Until,
};
use crate::model::docker::{
    ContainerFacts, ContainerUsage, EngineFacts, ImageFacts, LayerProgress, NetworkFacts,
    VolumeFacts,
};
use crate::model::image::ImageRef;

mod connection;
mod convert;
mod exec;
mod follow;
mod names;
pub(super) mod problem;
mod pull;
mod usage;

use problem::Trouble;

/// Limit for a call that only asks.
const ASK: Duration = Duration::from_secs(30);
/// Limit for a list, which asks for each entry.
const LIST: Duration = Duration::from_mins(2);
/// Limit for a pull as a whole; one that stands still ends long before.
const TRANSFER: Duration = Duration::from_hours(6);
/// Details asked for at once; `docker system dial-stdio` over one SSH session bears no more.
const AT_ONCE: usize = 4;

/// The Docker API of one host.
pub struct EngineClient {
    dial: Arc<dyn Dial>,
    version: OnceLock<ClientVersion>,
}

impl fmt::Debug for EngineClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineClient").finish_non_exhaustive()
    }
}

impl EngineClient {
    /// Returns a client that opens its connections by `dial`; the first call finds out which API version both sides know.
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self {
            dial,
            version: OnceLock::new(),
        }
    }

    /// Runs one piece of work against the engine; `action` completes the sentence "Docker cannot …".
    fn call<T>(
        &self,
        action: &str,
        limit: Duration,
        work: impl AsyncFnOnce(Bollard) -> Result<T, Trouble>,
    ) -> Result<T, TransportError> {
        let fault = connection::Fault::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| problem::local(action, &error))?;
        let outcome = runtime.block_on(async {
            let ready = async {
                let engine =
                    connection::open(&self.dial, &fault, limit, self.version.get().copied())?;
                let engine = if self.version.get().is_none() {
                    let asked = tokio::time::timeout(ASK, engine.negotiate_version()).await;
                    asked.map_err(|_| Trouble::TimedOut(ASK))??
                } else {
                    engine
                };
                let _ = self.version.set(engine.client_version());
                work(engine).await
            };
            tokio::time::timeout(limit, ready)
                .await
                .unwrap_or(Err(Trouble::TimedOut(limit)))
        });
        // A dial that hangs must not hang us.
        runtime.shutdown_background();
        outcome.map_err(|trouble| match connection::take(&fault) {
            Some(error) => error,
            None => problem::of_call(action, limit, trouble),
        })
    }
}

impl Docker for EngineClient {
    fn engine(&self) -> Result<EngineFacts, TransportError> {
        self.call("describe itself", ASK, async |engine| {
            Ok(convert::engine(engine.info().await?))
        })
    }

    fn images(&self) -> Result<Vec<ImageFacts>, TransportError> {
        self.call("list images", LIST, async |engine| {
            let options = query::ListImagesOptionsBuilder::new().build();
            let listed = engine.list_images(Some(options)).await?;
            let found: Vec<Option<ImageFacts>> = stream::iter(listed)
                .map(|summary| image(&engine, summary.id))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn image(&self, reference: &ImageRef) -> Result<Option<ImageFacts>, TransportError> {
        let action = format!("inspect the image {reference}");
        self.call(&action, ASK, async |engine| {
            Ok(image(&engine, reference.to_string()).await?)
        })
    }

    fn containers(&self, filter: &ContainerFilter) -> Result<Vec<ContainerFacts>, TransportError> {
        self.call("list containers", LIST, async |engine| {
            let filters = HashMap::from([("label".to_owned(), filter.labels.clone())]);
            let options = query::ListContainersOptionsBuilder::new()
                .all(true)
                .filters(&filters)
                .build();
            let listed = engine.list_containers(Some(options)).await?;
            let ids = listed.into_iter().filter_map(|summary| summary.id);
            let found: Vec<Option<ContainerFacts>> = stream::iter(ids)
                .map(|id| container(&engine, id))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn usage(&self, containers: &[String]) -> Result<Vec<ContainerUsage>, TransportError> {
        self.call("tell what containers take", ASK, async |engine| {
            let found: Vec<Option<ContainerUsage>> = stream::iter(containers)
                .map(|id| usage::of(&engine, id))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn read_logs(
        &self,
        wanted: &[LogWanted],
        until: Until,
        sink: &mut dyn FnMut(LogNews<'_>) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        self.call("show logs", TRANSFER, async |engine| {
            follow::run(&engine, wanted, until, sink).await
        })
    }

    fn at_once(&self) -> usize {
        self.dial.at_once()
    }

    fn networks(&self) -> Result<Vec<NetworkFacts>, TransportError> {
        self.call("list networks", ASK, async |engine| {
            let options = query::ListNetworksOptionsBuilder::new().build();
            let listed = engine.list_networks(Some(options)).await?;
            Ok(listed.into_iter().map(convert::network).collect())
        })
    }

    fn volumes(&self) -> Result<Vec<VolumeFacts>, TransportError> {
        self.call("list volumes", ASK, async |engine| {
            let options = query::ListVolumesOptionsBuilder::new().build();
            let listed = engine.list_volumes(Some(options)).await?;
            let volumes = listed.volumes.unwrap_or_default();
            Ok(volumes.into_iter().map(convert::volume).collect())
        })
    }

    fn pull(
        &self,
        reference: &ImageRef,
        login: Option<&RegistryLogin>,
        progress: &mut dyn FnMut(LayerProgress),
    ) -> Result<(), TransportError> {
        let action = format!("pull {reference}");
        self.call(&action, TRANSFER, async |engine| {
            pull::run(&engine, reference, login, progress).await
        })
        .map_err(problem::of_registry)
    }

    fn tag(&self, image: &str, name: &ImageRef) -> Result<(), TransportError> {
        let action = format!("name an image {name}");
        self.call(&action, ASK, async |engine| {
            names::tag(&engine, image, name).await
        })
    }

    fn untag(&self, name: &ImageRef) -> Result<(), TransportError> {
        let action = format!("take the name {name} from an image");
        self.call(&action, LIST, async |engine| {
            names::untag(&engine, name).await
        })
    }

    fn load(&self, archive: Box<dyn std::io::Read + Send>) -> Result<(), TransportError> {
        self.call("load an archive", TRANSFER, async |engine| {
            names::load(&engine, archive).await
        })
    }

    fn logs(&self, container: &str, tail: usize) -> Result<String, TransportError> {
        let action = format!("show the logs of {container}");
        self.call(&action, LIST, async |engine| {
            exec::logs(&engine, container, tail).await
        })
    }

    fn copy_out(
        &self,
        container: &str,
        path: &str,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        let action = format!("copy {path} out of {container}");
        self.call(&action, TRANSFER, async |engine| {
            follow::copy_out(&engine, container, path, sink).await
        })
    }

    fn exec(
        &self,
        container: &str,
        arguments: &[String],
        input: &Input,
        limit: Duration,
    ) -> Result<Output, TransportError> {
        let program = arguments.first().map_or("", String::as_str);
        let action = format!("run `{program}` in {container}");
        self.call(&action, limit, async |engine| {
            exec::run(&engine, container, arguments, input).await
        })
    }
}

/// Returns an image, or `None` when it is not there, perhaps any more.
async fn image(engine: &Bollard, reference: String) -> Result<Option<ImageFacts>, EngineError> {
    let found = unless_gone(engine.inspect_image(&reference).await)?;
    Ok(found.map(convert::image))
}

/// Returns a container, or `None` when it went away between the list and the question.
async fn container(engine: &Bollard, id: String) -> Result<Option<ContainerFacts>, EngineError> {
    let found = unless_gone(engine.inspect_container(&id, None).await)?;
    Ok(found.map(convert::container))
}

fn unless_gone<T>(found: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(EngineError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::Mutex;

    use rstest::rstest;

    use super::*;

    /// An engine whose end of each stream is kept open and silent, or dropped.
    struct Mute(Option<Mutex<Vec<UnixStream>>>);

    impl Dial for Mute {
        fn dial(&self) -> Result<UnixStream, TransportError> {
            let (ours, theirs) = UnixStream::pair().unwrap();
            if let Some(kept) = &self.0 {
                kept.lock().unwrap().push(theirs);
            }
            Ok(ours)
        }
    }

    #[rstest]
    #[case::silent(Some(Mutex::default()))]
    #[case::hung_up(None)]
    fn an_engine_that_says_nothing_is_a_fault_of_the_link(
        #[case] kept: Option<Mutex<Vec<UnixStream>>>,
    ) {
        let silent = kept.is_some();
        let client = EngineClient::new(Arc::new(Mute(kept)));
        let limit = Duration::from_millis(200);
        let outcome = client.call("answer", limit, async |engine| Ok(engine.ping().await?));
        let error = outcome.unwrap_err();
        assert!(error.is_link_fault());
        assert_eq!(
            matches!(error, TransportError::TimedOut { .. }),
            silent,
            "{error}"
        );
    }

    /// A dialler that fails in its own way.
    struct Refusing;

    impl Dial for Refusing {
        fn dial(&self) -> Result<UnixStream, TransportError> {
            Err(TransportError::Refused {
                what: "streamlocal forwarding".to_owned(),
            })
        }
    }

    #[test]
    fn the_diallers_own_error_comes_through() {
        let error = EngineClient::new(Arc::new(Refusing)).engine().unwrap_err();
        assert!(matches!(error, TransportError::Refused { .. }), "{error}");
    }
}
