//! Images pushed to a registry: a blob that is there is not sent, one that another repository there has is mounted.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};

use camino::Utf8PathBuf;
use futures_util::stream;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use oci_client::errors::OciDistributionError;
use oci_client::{Reference, RegistryOperation};

use super::{Link, Remote, RemoteError, Told, Watch, protocol_name};
use crate::images::{Digest, ImagesError};
use crate::model::image::ImageRef;

/// How much is read in one go.
const CHUNK: usize = 256 << 10;

/// Where a blob's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a file, from an offset on.
    File(Utf8PathBuf, u64),
    /// Nowhere here: it must be in the registry already. The name of what has it is for the error.
    Elsewhere(String),
}

/// A blob to push.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes, counted.
    pub size: u64,
    /// Where they are.
    pub source: Source,
}

/// An image to push.
#[derive(Debug, Clone)]
pub struct Cargo {
    /// The name it gets.
    pub name: ImageRef,
    /// Its manifest, byte for byte.
    pub manifest: Vec<u8>,
    /// What kind of manifest that is.
    pub media_type: String,
    /// Its configuration and its layers.
    pub blobs: Vec<Blob>,
}

/// What came of a push.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Blobs that went over.
    pub sent: usize,
    /// Blobs that another repository there had.
    pub mounted: usize,
    /// Blobs that were there.
    pub there: usize,
}

/// What is known of the registry so far: which repository has which blob.
type Known = BTreeMap<Digest, Reference>;

impl Remote {
    /// Pushes images, one after another.
    ///
    /// # Errors
    /// When the registry does not take something. What it took it has, and it is not sent again.
    pub fn push(&self, cargo: &[Cargo], watch: &dyn Watch) -> Result<Sent, ImagesError> {
        let mut known = Known::new();
        let mut sent = Sent::default();
        for image in cargo {
            let name = protocol_name(&image.name)?;
            let link = self.link(&name)?;
            self.ask(&link, watch, || link.log_in(&name, RegistryOperation::Push))?;
            for blob in &image.blobs {
                self.blob(&link, &name, blob, &mut known, &mut sent, watch)?;
            }
            self.ask(&link, watch, || link.manifest(&name, image))?;
        }
        Ok(sent)
    }

    fn blob(
        &self,
        link: &Link,
        name: &Reference,
        blob: &Blob,
        known: &mut Known,
        sent: &mut Sent,
        watch: &dyn Watch,
    ) -> Result<(), ImagesError> {
        let holder = known.get(&blob.digest).cloned();
        let way = self.ask(link, watch, || link.way_of(name, blob, holder.as_ref()))?;
        match way {
            Way::There => sent.there += 1,
            Way::Mounted => sent.mounted += 1,
            Way::Missing => {
                self.ask(link, watch, || link.upload(name, blob, watch))?;
                sent.sent += 1;
            }
        }
        if way != Way::Missing && holder.is_none() {
            watch.hear(Told::Moved(blob.size));
        }
        known.entry(blob.digest).or_insert_with(|| name.clone());
        Ok(())
    }
}

/// How a blob comes to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Mounted,
    Missing,
}

impl Link {
    async fn way_of(
        &self,
        name: &Reference,
        blob: &Blob,
        holder: Option<&Reference>,
    ) -> Result<Way, ImagesError> {
        let digest = blob.digest.to_string();
        match self.client.blob_exists(name, &digest).await {
            Ok(true) => return Ok(Way::There),
            Ok(false) => {}
            Err(error) => return Err(self.judge(error, name.repository()).await.into()),
        }
        if let Some(holder) = holder.filter(|holder| holder.repository() != name.repository())
            && self.client.mount_blob(name, holder, &digest).await.is_ok()
        {
            return Ok(Way::Mounted);
        }
        // A registry that does not mount says so in many ways; uploading tells what is really wrong.
        Ok(Way::Missing)
    }

    async fn upload(
        &self,
        name: &Reference,
        blob: &Blob,
        watch: &dyn Watch,
    ) -> Result<(), ImagesError> {
        let digest = blob.digest.to_string();
        let (pieces, mut moved) = tokio::sync::mpsc::unbounded_channel();
        let body = open(blob, &self.registry, pieces)?;
        let upload = self
            .client
            .push_blob_stream(name, body, &digest, Some(blob.size));
        tokio::pin!(upload);
        let mut gone = 0;
        let ended = loop {
            tokio::select! {
                ended = &mut upload => break ended,
                Some(count) = moved.recv() => {
                    gone += count;
                    watch.hear(Told::Moved(count));
                }
            }
        };
        while let Ok(count) = moved.try_recv() {
            gone += count;
            watch.hear(Told::Moved(count));
        }
        match ended {
            Ok(_) => Ok(()),
            Err(error) => {
                watch.hear(Told::Lost(gone));
                Err(self.refused(error, name).await)
            }
        }
    }

    async fn manifest(&self, name: &Reference, image: &Cargo) -> Result<(), ImagesError> {
        let media_type =
            HeaderValue::from_str(&image.media_type).map_err(|error| RemoteError::Unusable {
                what: image.name.to_string(),
                detail: error.to_string(),
            })?;
        let pushed = self
            .client
            .push_manifest_raw(name, image.manifest.clone(), media_type)
            .await;
        match pushed {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused(error, name).await),
        }
    }

    /// Returns why something was not taken. The login was good for looking, so where it is not good for writing the right to write is missing.
    async fn refused(&self, error: OciDistributionError, name: &Reference) -> ImagesError {
        match self.judge(error, name.repository()).await {
            RemoteError::Login {
                registry,
                user: Some(user),
                detail,
            } => RemoteError::Denied {
                registry,
                user: Some(user),
                repository: name.repository().to_owned(),
                detail,
            },
            other => other,
        }
        .into()
    }
}

/// A body of a request, as the protocol's crate takes it.
type Body = stream::BoxStream<'static, Result<Bytes, OciDistributionError>>;

/// Opens a blob; each piece is told when it is taken.
fn open(
    blob: &Blob,
    registry: &str,
    moved: tokio::sync::mpsc::UnboundedSender<u64>,
) -> Result<Body, ImagesError> {
    let (path, from) = match &blob.source {
        Source::Elsewhere(base) => {
            return Err(RemoteError::LacksBase {
                registry: registry.to_owned(),
                base: base.clone(),
            }
            .into());
        }
        Source::File(path, from) => (path, *from),
    };
    let mut file = crate::images::bundle::open_joined(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut left = blob.size;
    let pieces = std::iter::from_fn(move || {
        let room = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        if room == 0 {
            return None;
        }
        let mut buffer = vec![0; room];
        let read = file.read_exact(&mut buffer);
        left -= room as u64;
        // Nobody listens any more once the upload has ended.
        let _ = moved.send(room as u64);
        Some(
            read.map(|()| Bytes::from(buffer))
                .map_err(OciDistributionError::from),
        )
    });
    Ok(Box::pin(stream::iter(pieces)))
}
