//! Layers fetched into the store, several at once; each goes on where it was cut, in this run or the next.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use oci_client::Reference;
use oci_client::client::BlobResponse;

use super::{Link, Remote, RemoteError, Told, Watch, patiently, protocol_name, until_stopped};
use crate::images::blobs::{BlobStore, Staged};
use crate::images::{Digest, ImagesError};
use crate::model::image::ImageRef;

/// Layers fetched at once.
const AT_ONCE: usize = 4;

/// A layer that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// An image that has it.
    pub image: ImageRef,
    /// The digest of its bytes in the registry.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// The digest of its content.
    pub diff_id: Digest,
}

impl Remote {
    /// Fetches layers into the store.
    ///
    /// # Errors
    /// When a layer does not come whole, is not what it should be, or has no room. What came stays, and is not fetched again.
    pub fn fetch(
        &self,
        wanted: &[Wanted],
        store: &Arc<BlobStore>,
        watch: &dyn Watch,
    ) -> Result<(), ImagesError> {
        let mut jobs = Vec::with_capacity(wanted.len());
        for layer in wanted {
            let name = protocol_name(&layer.image)?;
            let link = self.link(&name)?;
            jobs.push((link, name, layer));
        }
        let all = stream::iter(jobs)
            .map(|(link, name, layer)| async move { one(&link, &name, layer, store, watch).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>();
        self.runtime.block_on(async {
            tokio::select! {
                fetched = all => fetched,
                () = until_stopped(watch) => Err(ImagesError::Cancelled),
            }
        })
    }
}

async fn one(
    link: &Link,
    name: &Reference,
    layer: &Wanted,
    store: &Arc<BlobStore>,
    watch: &dyn Watch,
) -> Result<(), ImagesError> {
    let gained = || store.begun(&layer.digest);
    patiently(link, watch, gained, || {
        download(link, name, layer, store, watch)
    })
    .await?;
    let (digest, diff_id) = (layer.digest, layer.diff_id);
    let own = Arc::clone(store);
    // Unpacking takes the time that the next layers come in.
    let adopted =
        tokio::task::spawn_blocking(move || own.adopt(own.staged(&digest)?, digest, diff_id));
    match adopted.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(ImagesError::Damaged { detail, .. })) => Err(ImagesError::Damaged {
            place: format!("{} > {digest}", layer.image),
            detail,
        }),
        Ok(Err(error)) => Err(error),
        Err(error) => Err(std::io::Error::other(error).into()),
    }
}

/// Brings what is missing of a blob.
async fn download(
    link: &Link,
    name: &Reference,
    layer: &Wanted,
    store: &BlobStore,
    watch: &dyn Watch,
) -> Result<(), ImagesError> {
    let mut staged = store.staged(&layer.digest)?;
    if staged.have() > layer.size {
        watch.hear(Told::Lost(staged.have()));
        staged.restart()?;
    }
    if staged.have() == layer.size {
        return Ok(());
    }
    let digest = layer.digest.to_string();
    let asked = link
        .client
        .pull_blob_stream_partial(name, digest.as_str(), staged.have(), None)
        .await;
    let stream = match asked {
        Ok(BlobResponse::Partial(stream)) => stream,
        Ok(BlobResponse::Full(stream)) => {
            // It knows nothing of ranges and begins anew.
            watch.hear(Told::Lost(staged.have()));
            staged.restart()?;
            stream
        }
        Err(error) => return Err(link.judge(error, name.repository()).await.into()),
    };
    take(link, stream.stream, &mut staged, layer, store, watch).await
}

async fn take(
    link: &Link,
    mut stream: stream::BoxStream<'static, std::io::Result<hyper::body::Bytes>>,
    staged: &mut Staged,
    layer: &Wanted,
    store: &BlobStore,
    watch: &dyn Watch,
) -> Result<(), ImagesError> {
    while let Some(bytes) = stream
        .try_next()
        .await
        .map_err(|error| link.broken(&error))?
    {
        if staged.have() + bytes.len() as u64 > layer.size {
            return Err(ImagesError::Damaged {
                place: format!("{} > {}", layer.image, layer.digest),
                detail: "the registry sends more than it said".to_owned(),
            });
        }
        staged.add(&bytes).map_err(|error| store.sense_of(error))?;
        watch.hear(Told::Moved(bytes.len() as u64));
    }
    if staged.have() < layer.size {
        return Err(RemoteError::Broken {
            registry: link.registry.clone(),
            detail: format!("{} of {} bytes came", staged.have(), layer.size),
        }
        .into());
    }
    Ok(())
}
