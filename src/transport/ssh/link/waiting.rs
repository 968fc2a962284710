//! Jobs that have no channel yet.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};

use super::doors::Doors;
use super::job::{ExecJob, Far, Request, StreamJob};
use super::opening::For;

/// Commands and streams in the order in which they came.
#[derive(Default)]
pub(super) struct Waiting {
    commands: VecDeque<ExecJob>,
    streams: VecDeque<StreamJob>,
}

impl Waiting {
    /// Takes what callers have sent; returns whether there are callers at all.
    pub(super) fn collect(&mut self, inbox: &Receiver<Request>, doors: &mut Doors) -> bool {
        loop {
            match inbox.try_recv() {
                Ok(Request::Exec(job)) => self.commands.push_back(job),
                Ok(Request::Stream(job)) => self.streams.push_back(job),
                Ok(Request::Door(job)) => doors.push(job),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Returns the command that waits longest and is still wanted.
    pub(super) fn command(&mut self) -> Option<ExecJob> {
        self.commands.retain(|job| !job.outlet.abandoned());
        self.commands.pop_front()
    }

    /// Returns the stream that waits longest; one to a command only where there is `room` for it.
    pub(super) fn stream(&mut self, room: bool) -> Option<StreamJob> {
        let next = self.streams.iter().position(|job| match job.far {
            Far::Command(..) => room,
            Far::Unix(_) | Far::Tcp(..) => true,
        });
        next.and_then(|index| self.streams.remove(index))
    }

    /// Puts a job back to the front.
    pub(super) fn put_back(&mut self, whose: For) {
        match whose {
            For::Exec(job) => self.commands.push_front(job),
            For::Command(line, input, answer) => {
                let far = Far::Command(line, input);
                self.streams.push_front(StreamJob { far, answer });
            }
            For::Unix(..) | For::Tcp(..) | For::Stock => {}
        }
    }

    /// Returns all that wait for one of the host's sessions.
    pub(super) fn drain_sessions(&mut self) -> Vec<For> {
        let streams = std::mem::take(&mut self.streams);
        let (away, stay) = streams
            .into_iter()
            .partition(|job| matches!(job.far, Far::Command(..)));
        self.streams = stay;
        let away: VecDeque<StreamJob> = away;
        let commands = self.commands.drain(..).map(For::Exec);
        commands.chain(away.into_iter().map(For::from)).collect()
    }

    /// Returns all.
    pub(super) fn drain(&mut self) -> Vec<For> {
        let mut all = self.drain_sessions();
        all.extend(self.streams.drain(..).map(For::from));
        all
    }
}
