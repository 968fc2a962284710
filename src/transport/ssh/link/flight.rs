//! How much of a channel may be on its way at once: as much as keeps the connection busy, and hardly more.
//!
//! What is on its way when a cable is pulled must be sent again, and on a slow link it also stands before everything else that somebody wants to send.
//! SSH allows two megabytes for each channel and TCP fills whatever queue there is; so the rate at which the other side confirms, and how soon it does
//! at best, decide here. Sans I/O: time and windows are told.

use std::time::{Duration, Instant};

use ssh2::Channel;

use super::wire::{Fault, PACKET, Wire};

/// This much may always be on its way. OpenSSH confirms after three packets, so less could wait for ever.
const FLOOR: u64 = 6 * PACKET as u64;

/// What keeps a connection busy while one of both sides has something else to do.
const SLACK: Duration = Duration::from_millis(10);

/// The rate is measured over at least so long.
const ROUND: Duration = Duration::from_millis(25);

/// After this long the best time is found out anew: the way may be another.
const AGE: Duration = Duration::from_secs(10);

/// When nothing was confirmed for so long, somebody confirms less often than was thought.
const UNCONFIRMED: Duration = Duration::from_millis(200);

/// Rounds that count for the rate.
const ROUNDS: usize = 4;

/// A byte whose confirmation is waited for.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// How many bytes were sent with it.
    place: u64,
    when: Instant,
    /// What was confirmed when it was sent.
    arrived: u64,
    /// Hardly anything was before it, so that it tells how long the way is.
    calm: bool,
}

/// What is known of one channel.
#[derive(Debug)]
pub(super) struct Flight {
    sent: u64,
    arrived: u64,
    mark: Option<Mark>,
    /// The shortest times in which bytes were confirmed, of now and of before.
    soonest: [Option<Duration>; 2],
    turned: Instant,
    probing: bool,
    /// Bytes a second.
    rates: [f64; ROUNDS],
    round: usize,
    grace: u64,
    moved: Instant,
    held: bool,
}

impl Flight {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            arrived: 0,
            mark: None,
            soonest: [None; 2],
            turned: now,
            probing: false,
            rates: [0.0; ROUNDS],
            round: 0,
            grace: 0,
            moved: now,
            held: false,
        }
    }

    /// Writes up to one packet; `None` means that enough is on its way, or what it means for [`Wire::write`].
    pub(super) fn write(
        &mut self,
        wire: &Wire,
        channel: &mut Channel,
        bytes: &[u8],
    ) -> Result<Option<usize>, Fault> {
        let now = Instant::now();
        if !self.admits(now, under_way(channel)) {
            return Ok(None);
        }
        let count = wire.write(channel, bytes)?;
        self.wrote(now, count.unwrap_or(0) as u64);
        Ok(count)
    }

    /// Returns whether a packet would be written, as far as this and the window of the channel go.
    pub(super) fn has_room(&self, channel: &Channel) -> bool {
        channel.write_window().remaining > 0 && under_way(channel) < self.limit()
    }

    /// Returns whether something waits for a confirmation.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Takes note of how much is on its way and returns whether more may be.
    fn admits(&mut self, now: Instant, under_way: u64) -> bool {
        self.note(now, self.sent.saturating_sub(under_way));
        self.held = under_way >= self.limit();
        if self.held && now.duration_since(self.moved) >= UNCONFIRMED {
            self.grace += FLOOR / 2;
            self.moved = now;
        }
        self.held = under_way >= self.limit();
        !self.held
    }

    fn note(&mut self, now: Instant, arrived: u64) {
        if arrived > self.arrived {
            (self.arrived, self.moved, self.grace) = (arrived, now, 0);
        }
        if let Some(mark) = self.mark
            && self.arrived >= mark.place
        {
            let took = now.duration_since(mark.when);
            self.soonest[0] = Some(self.soonest[0].map_or(took, |soonest| soonest.min(took)));
            self.probing &= !mark.calm;
            if took >= ROUND {
                self.end_round(mark, took);
            } else {
                // Too short a time to tell a rate by: it goes on until the next byte is confirmed.
                self.mark = Some(Mark {
                    place: self.sent.max(mark.place + 1),
                    ..mark
                });
            }
        }
        if now.duration_since(self.turned) >= AGE {
            self.soonest = [None, self.soonest[0]];
            (self.turned, self.probing, self.mark) = (now, true, None);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate need not be exact to the byte"
    )]
    fn end_round(&mut self, mark: Mark, took: Duration) {
        self.rates[self.round % ROUNDS] = (self.arrived - mark.arrived) as f64 / took.as_secs_f64();
        self.round += 1;
        self.mark = None;
    }

    fn wrote(&mut self, now: Instant, count: u64) {
        let before = self.sent - self.arrived;
        self.sent += count;
        if self.mark.is_none() && count > 0 {
            self.mark = Some(Mark {
                place: self.sent,
                when: now,
                arrived: self.arrived,
                calm: before <= FLOOR,
            });
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is never negative, and what is too much is as good as no limit"
    )]
    fn limit(&self) -> u64 {
        let soonest = self.soonest.iter().flatten().min();
        let (Some(soonest), false) = (soonest, self.probing) else {
            return FLOOR + self.grace;
        };
        let rate = self.rates.iter().copied().fold(0.0, f64::max);
        let enough = rate * (soonest.mul_f64(1.25) + SLACK).as_secs_f64();
        (enough as u64).max(FLOOR) + self.grace
    }
}

/// Returns how long to sleep at most, when some channel is `held` or none is.
pub(super) fn bounded(held: bool, nap: Duration) -> Duration {
    if held { nap.min(UNCONFIRMED) } else { nap }
}

/// Returns how many bytes were sent and not confirmed.
fn under_way(channel: &Channel) -> u64 {
    let window = channel.write_window();
    u64::from(window.window_size_initial.saturating_sub(window.remaining))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rstest::rstest;

    use super::*;

    /// What became of a minute of sending.
    struct Seen {
        /// Bytes a second that arrived in its second half.
        rate: f64,
        /// The most that was on its way then.
        most: u64,
    }

    /// Sends as much as may be over a link with this rate and time there and back, to someone who confirms `every` so many bytes.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a model"
    )]
    fn send(rate: f64, round_trip: Duration, every: u64) -> Seen {
        let (step, begin) = (Duration::from_micros(500), Instant::now());
        let mut flight = Flight::new(begin);
        let (mut sent, mut told, mut carried) = (0_u64, 0_u64, 0.0_f64);
        let mut acks: VecDeque<(Instant, u64)> = VecDeque::new();
        let mut seen = Seen { rate: 0.0, most: 0 };
        let mut half = 0_u64;
        let mut confirmed = 0_u64;
        for tick in 0..120_000_u32 {
            let now = begin + step * tick;
            carried = (carried + rate * step.as_secs_f64()).min(sent as f64);
            let there = carried as u64;
            if there - confirmed >= every {
                confirmed = there;
                acks.push_back((now + round_trip, there));
            }
            while acks.front().is_some_and(|(when, _)| *when <= now) {
                told = acks.pop_front().unwrap().1;
            }
            while flight.admits(now, sent - told) && sent - told < 2 << 20 {
                flight.wrote(now, PACKET as u64);
                sent += PACKET as u64;
            }
            if tick == 60_000 {
                half = there;
            }
            if tick > 60_000 {
                seen.most = seen.most.max(sent - there);
                seen.rate = (there - half) as f64 / (step * (tick - 60_000)).as_secs_f64();
            }
        }
        seen
    }

    #[rstest]
    #[case::office(12.5e6, 1, 98_304, 550_000, 0.93)]
    #[case::home(1.25e6, 30, 98_304, 450_000, 0.93)]
    #[case::modem(1.25e5, 60, 98_304, 450_000, 0.93)]
    #[case::abroad(6e6, 120, 98_304, 1_300_000, 0.93)]
    #[case::data_centre(125e6, 1, 98_304, 2 << 20, 0.93)]
    #[case::who_confirms_seldom(12.5e6, 1, 1 << 20, 2 << 20, 0.6)]
    fn the_link_is_busy_and_no_queue_grows(
        #[case] rate: f64,
        #[case] milliseconds: u64,
        #[case] every: u64,
        #[case] most: u64,
        #[case] busy: f64,
    ) {
        let seen = send(rate, Duration::from_millis(milliseconds), every);
        assert!(
            seen.rate > rate * busy && seen.most < most,
            "{:.0} of {rate} bytes a second, {} on their way",
            seen.rate,
            seen.most
        );
    }

    #[test]
    fn what_is_never_confirmed_is_not_waited_for_alone() {
        let begin = Instant::now();
        let mut flight = Flight::new(begin);
        let mut sent = 0;
        while flight.admits(begin, sent) {
            flight.wrote(begin, 1000);
            sent += 1000;
        }
        assert!(flight.is_held());
        assert!(!flight.admits(begin + UNCONFIRMED / 2, sent));
        assert!(flight.admits(begin + UNCONFIRMED, sent));
    }
}
