//! Names of images, and archives loaded as they are sent.

use std::io::Read;

use bollard::Docker as Bollard;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    ImportImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::stream::{self, StreamExt};
use hyper::body::Bytes;

use super::problem::Trouble;
use super::{pull, unless_gone};
use crate::model::image::ImageRef;

/// How much of an archive is sent in one go.
const CHUNK: usize = 256 << 10;

pub(super) async fn tag(engine: &Bollard, image: &str, name: &ImageRef) -> Result<(), Trouble> {
    let (repository, tag) = pull::split(name);
    let options = TagImageOptionsBuilder::new()
        .repo(&repository)
        .tag(tag)
        .build();
    Ok(engine.tag_image(image, Some(options)).await?)
}

pub(super) async fn untag(engine: &Bollard, name: &ImageRef) -> Result<(), Trouble> {
    let options = RemoveImageOptionsBuilder::new().noprune(true).build();
    let name = name.to_string();
    let gone = engine.remove_image(&name, Some(options), None::<DockerCredentials>);
    unless_gone(gone.await)?;
    Ok(())
}

pub(super) async fn load(engine: &Bollard, archive: Box<dyn Read + Send>) -> Result<(), Trouble> {
    let body = stream::unfold(Some(archive), |archive| async {
        let mut archive = archive?;
        let mut buffer = vec![0; CHUNK];
        match archive.read(&mut buffer) {
            Ok(0) => None,
            Ok(count) => {
                buffer.truncate(count);
                Some((Ok(Bytes::from(buffer)), Some(archive)))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    let options = ImportImageOptionsBuilder::new().quiet(true).build();
    let mut told = std::pin::pin!(engine.import_image_stream(options, body, None));
    while let Some(line) = told.next().await {
        line?;
    }
    Ok(())
}
