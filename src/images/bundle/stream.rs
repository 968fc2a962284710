//! Readers put around each other: the file with its meter, a decoder, and a tap that counts what comes out and knows when it is too much.
//!
//! The tar reader wraps errors in its own words, so what really went wrong is noted in [`Gauge`], which everything here shares.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::sniff::Packing;
use super::{Limits, Progress, Tell};

/// How much is read in one go.
pub(super) const CHUNK: usize = 256 << 10;

/// Bytes between two words about progress.
const TELL_EVERY: u64 = 4 << 20;

/// The most that the headers of one entry may take: long names, and the attributes that newer tars put before an entry.
const HEADERS: u64 = 1 << 20;

/// What stopped a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The operator.
    Cancelled,
    /// More than the limits allow.
    TooMuch(String),
    /// Reading the file failed.
    Unreadable(String),
    /// What is compressed ends too early.
    CutOff,
    /// What is compressed is damaged.
    Damaged(String),
}

/// What the readers of one file share.
#[derive(Debug)]
pub(super) struct Gauge {
    limits: Limits,
    /// Bytes of the file that were read.
    pub(super) read: Cell<u64>,
    /// Bytes that came out of decoders.
    unpacked: Cell<u64>,
    /// What is left for headers, while headers are read.
    headers: Cell<Option<u64>>,
    stop: RefCell<Option<Stop>>,
}

impl Gauge {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            read: Cell::new(0),
            unpacked: Cell::new(0),
            headers: Cell::new(None),
            stop: RefCell::new(None),
        })
    }

    /// Returns what stopped a reader, once.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stop.borrow_mut().take()
    }

    /// Bounds what is read until [`Gauge::headers_end`].
    pub(super) fn headers_begin(&self) {
        self.headers.set(Some(HEADERS));
    }

    /// Ends the bound.
    pub(super) fn headers_end(&self) {
        self.headers.set(None);
    }

    fn fail(&self, stop: Stop) -> io::Error {
        let text = format!("{stop:?}");
        self.stop.borrow_mut().get_or_insert(stop);
        io::Error::other(text)
    }

    /// Counts bytes that came out of a decoder.
    fn count(&self, bytes: u64) -> io::Result<()> {
        let unpacked = self.unpacked.get() + bytes;
        self.unpacked.set(unpacked);
        let Limits { ratio, free, .. } = self.limits;
        if unpacked > self.limits.unpacked || unpacked > free && unpacked / ratio > self.read.get()
        {
            let text = format!(
                "{} MB of it came to {} MB: no image is packed like that",
                self.read.get() >> 20,
                unpacked >> 20
            );
            return Err(self.fail(Stop::TooMuch(text)));
        }
        Ok(())
    }

    fn count_headers(&self, bytes: u64) -> io::Result<()> {
        let Some(left) = self.headers.get() else {
            return Ok(());
        };
        let Some(left) = left.checked_sub(bytes) else {
            let text = format!("the name of an entry takes more than {} kB", HEADERS >> 10);
            return Err(self.fail(Stop::TooMuch(text)));
        };
        self.headers.set(Some(left));
        Ok(())
    }
}

/// The file: counts, tells, and stops when it is told to.
pub(super) struct Meter<'t, R> {
    inner: R,
    gauge: Rc<Gauge>,
    total: u64,
    told: u64,
    tell: Tell<'t>,
}

impl<'t, R: Read> Meter<'t, R> {
    pub(super) fn new(inner: R, gauge: Rc<Gauge>, total: u64, tell: Tell<'t>) -> Self {
        Self {
            inner,
            gauge,
            total,
            told: 0,
            tell,
        }
    }
}

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.gauge.fail(Stop::Unreadable(error.to_string()))),
        };
        let done = self.gauge.read.get() + count as u64;
        self.gauge.read.set(done);
        if done - self.told >= TELL_EVERY || count == 0 {
            self.told = done;
            let progress = Progress {
                done,
                total: self.total.max(done),
            };
            if (self.tell)(progress) == ControlFlow::Break(()) {
                return Err(self.gauge.fail(Stop::Cancelled));
            }
        }
        Ok(count)
    }
}

/// A decoder's outcome, counted; its errors told apart.
struct Decoded<R> {
    inner: R,
    gauge: Rc<Gauge>,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let stop = match error.kind() {
                    io::ErrorKind::UnexpectedEof => Stop::CutOff,
                    _ if error.to_string().contains("incomplete frame") => Stop::CutOff,
                    _ => Stop::Damaged(error.to_string()),
                };
                // A fault further below comes first and stays.
                return Err(self.gauge.fail(stop));
            }
        };
        self.gauge.count(count as u64)?;
        Ok(count)
    }
}

/// Counts headers on their way to the tar reader.
pub(super) struct Tap<R> {
    inner: R,
    gauge: Rc<Gauge>,
}

impl<R: Read> Tap<R> {
    pub(super) fn new(inner: R, gauge: &Rc<Gauge>) -> Self {
        Self {
            inner,
            gauge: Rc::clone(gauge),
        }
    }
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.gauge.count_headers(count as u64)?;
        Ok(count)
    }
}

/// What is known of a stream by its first bytes, and the stream from its beginning, decoded.
pub(super) struct Opened<'r> {
    /// How it was packed.
    pub(super) packing: Packing,
    /// The first bytes, decoded; fewer than asked for only when there are no more.
    pub(super) head: Vec<u8>,
    /// All of it.
    pub(super) plain: Box<dyn BufRead + 'r>,
}

/// Looks into a stream and undoes its compression.
pub(super) fn open<'r>(mut source: impl Read + 'r, gauge: &Rc<Gauge>) -> io::Result<Opened<'r>> {
    let head = peek(&mut source, 6)?;
    let packing = Packing::of(&head);
    let source = io::Cursor::new(head).chain(source);
    let counted = |inner: Box<dyn Read + 'r>| Decoded {
        inner,
        gauge: Rc::clone(gauge),
    };
    let mut plain: Box<dyn Read + 'r> = match packing {
        Packing::Gzip => Box::new(counted(Box::new(flate2::bufread::MultiGzDecoder::new(
            BufReader::with_capacity(CHUNK, source),
        )))),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::new(source)?;
            // 128 MB, what `zstd --long` makes; more is asked for by nobody who means well.
            decoder.window_log_max(27)?;
            Box::new(counted(Box::new(decoder)))
        }
        Packing::None | Packing::Unknown(_) => Box::new(source),
    };
    let head = peek(&mut plain, super::sniff::HEAD)?;
    Ok(Opened {
        packing,
        plain: Box::new(BufReader::with_capacity(
            CHUNK,
            io::Cursor::new(head.clone()).chain(plain),
        )),
        head,
    })
}

fn peek(source: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(bytes);
    source.take(bytes as u64).read_to_end(&mut head)?;
    Ok(head)
}
