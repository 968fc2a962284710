//! What containers print, as it comes: one stream for each, all on the caller's thread.

use std::ops::ControlFlow;
use std::time::Duration;

use bollard::Docker as Bollard;
use bollard::container::LogOutput;
use bollard::errors::Error as EngineError;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, LogsOptions, LogsOptionsBuilder,
};
use futures_util::stream::{self, StreamExt};

use super::super::{LogNews, LogWanted, Stream, Until};
use super::problem::Trouble;

/// How often somebody who waits for lines is told that there are none.
const QUIET: Duration = Duration::from_secs(1);

/// Hands over what is printed until all have ended, or the sink has enough.
pub(super) async fn run(
    engine: &Bollard,
    wanted: &[LogWanted],
    until: Until,
    sink: &mut dyn FnMut(LogNews<'_>) -> ControlFlow<()>,
) -> Result<(), Trouble> {
    let mut all = stream::SelectAll::new();
    for (at, log) in wanted.iter().enumerate() {
        let parts = engine.logs(&log.container, Some(options(log, until)));
        let end = stream::once(async move { (at, None) });
        all.push(parts.map(move |part| (at, Some(part))).chain(end).boxed());
    }
    loop {
        let heard = match tokio::time::timeout(QUIET, all.next()).await {
            Err(_) => sink(LogNews::Quiet),
            Ok(None) => return Ok(()),
            Ok(Some((at, None))) => sink(LogNews::Ended(at)),
            Ok(Some((at, Some(Ok(part))))) => {
                let stream = match part {
                    LogOutput::StdErr { .. } => Stream::Err,
                    _ => Stream::Out,
                };
                sink(LogNews::Piece(at, stream, &part.into_bytes()))
            }
            // A container that is not there, or whose log driver keeps nothing to read: the others go on.
            Ok(Some((
                at,
                Some(Err(EngineError::DockerResponseServerError {
                    status_code: 404 | 409 | 501,
                    message,
                })),
            ))) => sink(LogNews::Unreadable(at, &message)),
            Ok(Some((_, Some(Err(error))))) => return Err(error.into()),
        };
        if heard.is_break() {
            return Ok(());
        }
    }
}

fn options(log: &LogWanted, until: Until) -> LogsOptions {
    let tail = log.tail.map_or("all".to_owned(), |tail| tail.to_string());
    let since = log.since.map_or(0, jiff::Timestamp::as_second);
    // 0 stands for no end.
    let end = log.until.map_or(0, |until| until.as_second() + 1);
    LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(until == Until::Ended)
        .since(i32::try_from(since).unwrap_or(0))
        .until(i32::try_from(end).unwrap_or(0))
        .tail(&tail)
        .build()
}

/// Hands over a path of a container as it comes; a sink that waits makes the engine wait.
pub(super) async fn copy_out(
    engine: &Bollard,
    container: &str,
    path: &str,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), Trouble> {
    let options = DownloadFromContainerOptionsBuilder::new()
        .path(path)
        .build();
    let mut parts = std::pin::pin!(engine.download_from_container(container, Some(options)));
    while let Some(part) = parts.next().await {
        if sink(&part?).is_break() {
            break;
        }
    }
    Ok(())
}
