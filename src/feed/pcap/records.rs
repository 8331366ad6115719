//! The records of a capture one after the other, whichever format it has.

use pcap_parser::{
    PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use super::super::FeedError;
use super::super::input::Input;
use super::super::recognise::{self, FileKind};
use super::ng::Section;
use crate::wire::ipv4_udp::LinkType;

/// Bytes of the longest record. The longest snap length in use is 262,144.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// Bytes read at once, as long as records are no longer.
const WINDOW: usize = 256 * 1024;

const LEGACY_HEADER: usize = 24;

/// One captured frame.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// How the frame begins, if it is a way known here.
    pub(super) link: Option<LinkType>,
    /// Nanoseconds since 1970, where the record has a time.
    pub(super) time_ns: Option<i128>,
    pub(super) frame: &'a [u8],
}

/// The records of a capture.
pub(super) struct Records {
    window: Window,
    format: Format,
    /// Bytes of the record at the front of the window.
    front: usize,
}

enum Format {
    Legacy(PcapHeader, LinkType),
    Ng(Section),
}

impl Records {
    /// Reads the file header.
    pub(super) fn open(mut input: Input) -> Result<Self, FeedError> {
        let kind = recognise::kind(input.look_ahead(recognise::HEAD));
        if !matches!(kind, FileKind::Pcap | FileKind::PcapNg) {
            return Err(input.refuse("not a packet capture: wanted is pcap or pcapng".to_owned()));
        }
        let mut window = Window::new(input);
        let format = if kind == FileKind::Pcap {
            window.require(LEGACY_HEADER)?;
            legacy_format(&window)?
        } else {
            Format::Ng(Section::default())
        };
        if kind == FileKind::Pcap {
            window.consume(LEGACY_HEADER);
        }
        Ok(Self {
            window,
            format,
            front: 0,
        })
    }

    /// The record at the front, the same until [`Records::advance`]; `None` at the end.
    pub(super) fn front(&mut self) -> Result<Option<Record<'_>>, FeedError> {
        match &mut self.format {
            Format::Legacy(header, link) => {
                self.front = legacy_length(&mut self.window, header)?;
                if self.front == 0 {
                    return Ok(None);
                }
                legacy_record(&self.window, header, *link, self.front).map(Some)
            }
            Format::Ng(section) => {
                self.front = section.next_packet(&mut self.window)?;
                if self.front == 0 {
                    return Ok(None);
                }
                section.record(&self.window, self.front).map(Some)
            }
        }
    }

    /// The error for a capture that cannot be used.
    pub(super) fn refuse(&self, reason: String) -> FeedError {
        FeedError::Format {
            path: self.window.input.path().to_owned(),
            reason,
        }
    }

    /// Leaves the record at the front behind.
    pub(super) fn advance(&mut self) {
        self.window.consume(self.front);
        self.front = 0;
    }
}

fn legacy_format(window: &Window) -> Result<Format, FeedError> {
    let (_, header) = parse_pcap_header(window.bytes(LEGACY_HEADER))
        .map_err(|_| window.damaged("the file header cannot be read"))?;
    // The upper half holds the length of the frame check sequence.
    let code = header.network.0 as u32 & 0xffff;
    match LinkType::from_code(code) {
        Some(link) => Ok(Format::Legacy(header, link)),
        None => Err(window.damaged(&format!(
            "link type {code} is not read here; capture on an Ethernet or IP interface"
        ))),
    }
}

fn record_header(header: &PcapHeader) -> usize {
    if header.is_modified_format() { 24 } else { 16 }
}

/// Bytes of the whole record at the front, 0 at the end.
fn legacy_length(window: &mut Window, header: &PcapHeader) -> Result<usize, FeedError> {
    let head = record_header(header);
    if window.is_at_end()? {
        return Ok(0);
    }
    window.require(head)?;
    let length = u32_at(window.bytes(head), 8, header.is_bigendian()) as usize;
    if length > MAX_RECORD - head {
        return Err(window.damaged(&format!(
            "a record of {length} bytes cannot be: the capture is damaged here"
        )));
    }
    window.require(head + length)?;
    Ok(head + length)
}

fn legacy_record<'a>(
    window: &'a Window,
    header: &PcapHeader,
    link: LinkType,
    length: usize,
) -> Result<Record<'a>, FeedError> {
    let parse = match (header.is_modified_format(), header.is_bigendian()) {
        (true, _) => parse_pcap_frame_modified,
        (false, true) => parse_pcap_frame_be,
        (false, false) => parse_pcap_frame,
    };
    let (_, block) =
        parse(window.bytes(length)).map_err(|_| window.damaged("the record cannot be read"))?;
    let unit = if header.is_nanosecond_precision() {
        1
    } else {
        1000
    };
    let time_ns = i128::from(block.ts_sec) * 1_000_000_000 + i128::from(block.ts_usec) * unit;
    Ok(Record {
        link: Some(link),
        time_ns: Some(time_ns),
        frame: block.data,
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}

/// A stretch of the file, moved forward as records are left behind.
pub(super) struct Window {
    input: Input,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Window {
    fn new(input: Input) -> Self {
        Self {
            input,
            bytes: vec![0; WINDOW],
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// The first `length` bytes, which [`Window::require`] has seen.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        &self.bytes[self.start..self.start + length]
    }

    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
    }

    /// Leaves `length` bytes behind without keeping them; an error if they are not there.
    pub(super) fn skip(&mut self, length: usize) -> Result<(), FeedError> {
        let offset = self.offset();
        let mut left = length;
        while left > 0 {
            let there = self.available(1).min(left);
            if there == 0 {
                return Err(self.cut_short(offset, length, length - left));
            }
            self.consume(there);
            left -= there;
        }
        Ok(())
    }

    /// Whether nothing is left. A stream that should have gone on is cut short.
    pub(super) fn is_at_end(&mut self) -> Result<bool, FeedError> {
        if self.available(1) > 0 {
            return Ok(false);
        }
        match self.input.fault() {
            None => Ok(true),
            Some(_) => Err(self.cut_short(self.offset(), 1, 0)),
        }
    }

    /// Reads on until `length` bytes are there.
    pub(super) fn require(&mut self, length: usize) -> Result<(), FeedError> {
        let there = self.available(length);
        if there < length {
            return Err(self.cut_short(self.offset(), length, there));
        }
        Ok(())
    }

    /// An error at the front.
    pub(super) fn damaged(&self, what: &str) -> FeedError {
        FeedError::Format {
            path: self.input.path().to_owned(),
            reason: format!("at byte {}: {what}", self.offset()),
        }
    }

    /// Offset of the front in the uncompressed file.
    fn offset(&self) -> u64 {
        self.input.position() - (self.end - self.start) as u64
    }

    /// Bytes that are there, at least `wanted` unless the input ends.
    fn available(&mut self, wanted: usize) -> usize {
        if self.end - self.start < wanted && !self.ended {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.bytes.len() < wanted {
                self.bytes.resize(wanted, 0);
            }
            let read = self.input.fill(&mut self.bytes[self.end..]);
            self.end += read;
            self.ended = self.end < self.bytes.len();
        }
        self.end - self.start
    }

    fn cut_short(&mut self, offset: u64, needed: usize, found: usize) -> FeedError {
        self.input
            .take_error()
            .unwrap_or_else(|| FeedError::Truncated {
                path: self.input.path().to_owned(),
                offset,
                needed: needed as u64,
                found: found as u64,
            })
    }
}
