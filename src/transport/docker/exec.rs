//! Programs in containers and what containers print.

use std::pin::pin;
use std::time::Duration;

use bollard::Docker as Bollard;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::future::{Either, select};
use futures_util::stream::StreamExt;
use tokio::io::AsyncWriteExt;

use super::super::{Exit, Input, Output};
use super::problem::Trouble;

/// Logs beyond this are cut at their beginning.
const MOST_LOG: usize = 16 << 20;
/// How long to wait between questions for an exit code that is not there yet.
const AGAIN: Duration = Duration::from_millis(20);

pub(super) async fn run(
    engine: &Bollard,
    container: &str,
    arguments: &[String],
    input: &Input,
) -> Result<Output, Trouble> {
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(arguments.to_vec()),
        ..CreateExecOptions::default()
    };
    let exec = engine.create_exec(container, options).await?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let StartExecResults::Attached {
        mut output,
        input: mut stdin,
    } = engine.start_exec(&exec.id, None).await?
    {
        let send = async {
            // A program may end without reading; how it ended is what counts.
            if stdin.write_all(input.bytes()).await.is_ok() {
                let _ = stdin.shutdown().await;
            }
        };
        let receive = async {
            while let Some(part) = output.next().await {
                match part? {
                    LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
                    other => stdout.extend_from_slice(&other.into_bytes()),
                }
            }
            Ok::<(), Trouble>(())
        };
        // A program that ends without reading leaves the rest of its input unread for ever.
        match select(pin!(receive), pin!(send)).await {
            Either::Left((received, _)) => received?,
            Either::Right(((), receive)) => receive.await?,
        }
    }
    Ok(Output {
        exit: Exit::Code(exit_code(engine, &exec.id).await?),
        stdout,
        stderr,
    })
}

/// Returns the exit code; the streams may end a moment before the engine knows it. The caller's limit bounds the wait.
async fn exit_code(engine: &Bollard, exec: &str) -> Result<i32, Trouble> {
    loop {
        let found = engine.inspect_exec(exec).await?;
        if let (Some(code), false) = (found.exit_code, found.running.unwrap_or(false)) {
            return Ok(code.try_into().unwrap_or(i32::MAX));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

pub(super) async fn logs(
    engine: &Bollard,
    container: &str,
    tail: usize,
) -> Result<String, Trouble> {
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .tail(&tail.to_string())
        .build();
    let mut parts = engine.logs(container, Some(options));
    let mut all = Vec::new();
    while let Some(part) = parts.next().await {
        all.extend_from_slice(&part?.into_bytes());
        if all.len() > 2 * MOST_LOG {
            all.drain(..all.len() - MOST_LOG);
        }
    }
    Ok(String::from_utf8_lossy(&all[all.len().saturating_sub(MOST_LOG)..]).into_owned())
}
