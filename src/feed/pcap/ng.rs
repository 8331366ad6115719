//! The blocks of a pcapng capture.

use pcap_parser::{Block, InterfaceDescriptionBlock, OptionCode, parse_block_be, parse_block_le};

use super::super::FeedError;
use super::records::{MAX_RECORD, Record, Window, u32_at};
use crate::wire::ipv4_udp::LinkType;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// What enhanced packets have replaced; old captures hold them.
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type, length and what follows them in a section header: its byte order mark.
const BLOCK_HEAD: usize = 12;

/// Bytes of an old packet's block in front of its frame, and behind frame and options: the length again.
const OLD_HEAD: usize = 28;
const BLOCK_TAIL: usize = 4;

/// Interfaces that one section may describe.
const MAX_INTERFACES: usize = 4096;

/// What the blocks of a section need to know of those before them.
#[derive(Default)]
pub(super) struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: Option<LinkType>,
    /// Bytes kept of each frame, at most; 0 is no limit.
    snap_length: usize,
    units_per_second: u128,
    offset_ns: i128,
}

impl Section {
    /// Reads on to a block that holds a packet; gives the bytes of the block, 0 at the end.
    pub(super) fn next_packet(&mut self, window: &mut Window) -> Result<usize, FeedError> {
        loop {
            if window.is_at_end()? {
                return Ok(0);
            }
            window.require(BLOCK_HEAD)?;
            let head = window.bytes(BLOCK_HEAD);
            let kind = u32_at(head, 0, self.big_endian);
            if kind == SECTION_HEADER {
                self.big_endian = match head[8..12] {
                    [0x1a, 0x2b, 0x3c, 0x4d] => true,
                    [0x4d, 0x3c, 0x2b, 0x1a] => false,
                    _ => return Err(window.damaged("a section without byte order mark")),
                };
            }
            let length = u32_at(window.bytes(BLOCK_HEAD), 4, self.big_endian) as usize;
            if length < BLOCK_HEAD || !length.is_multiple_of(4) {
                return Err(window.damaged(&format!("a block of {length} bytes cannot be")));
            }
            let wanted = matches!(
                kind,
                SECTION_HEADER
                    | INTERFACE_DESCRIPTION
                    | OLD_PACKET
                    | SIMPLE_PACKET
                    | ENHANCED_PACKET
            );
            if !wanted {
                window.skip(length)?;
                continue;
            }
            if length > MAX_RECORD {
                return Err(window.damaged(&format!(
                    "a block of {length} bytes cannot be: the capture is damaged here"
                )));
            }
            window.require(length)?;
            if matches!(kind, OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                return Ok(length);
            }
            self.learn(window, length)?;
            window.consume(length);
        }
    }

    /// The packet in the block at the front.
    pub(super) fn record<'a>(
        &self,
        window: &'a Window,
        length: usize,
    ) -> Result<Record<'a>, FeedError> {
        let none = || window.damaged("a packet of an interface that no block describes");
        if u32_at(window.bytes(BLOCK_HEAD), 0, self.big_endian) == OLD_PACKET {
            return self.old_packet(window, length);
        }
        match self.block(window, length)? {
            Block::EnhancedPacket(packet) => {
                let interface = self
                    .interfaces
                    .get(packet.if_id as usize)
                    .ok_or_else(none)?;
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                Ok(Record {
                    link: interface.link,
                    time_ns: Some(interface.time_ns(units)),
                    frame: front(packet.data, packet.caplen as usize),
                })
            }
            Block::SimplePacket(packet) => {
                let interface = self.interfaces.first().ok_or_else(none)?;
                let kept = match interface.snap_length {
                    0 => packet.origlen as usize,
                    limit => limit.min(packet.origlen as usize),
                };
                Ok(Record {
                    link: interface.link,
                    time_ns: None,
                    frame: front(packet.data, kept),
                })
            }
            _ => Err(window.damaged("the block cannot be read")),
        }
    }

    /// The packet in the block of the old kind at the front. The parser knows no such blocks.
    fn old_packet<'a>(&self, window: &'a Window, length: usize) -> Result<Record<'a>, FeedError> {
        let bytes = window.bytes(length);
        let word = |at| u32_at(bytes, at, self.big_endian);
        let whole = length >= OLD_HEAD + BLOCK_TAIL
            && word(length - BLOCK_TAIL) as usize == length
            && word(20) as usize <= length - OLD_HEAD - BLOCK_TAIL;
        if !whole {
            return Err(window.damaged("the block's lengths contradict each other"));
        }
        // 16 bits of interface, then 16 of drops.
        let interface = match self.big_endian {
            true => word(8) >> 16,
            false => word(8) & 0xffff,
        };
        let interface = self
            .interfaces
            .get(interface as usize)
            .ok_or_else(|| window.damaged("a packet of an interface that no block describes"))?;
        let units = u64::from(word(12)) << 32 | u64::from(word(16));
        Ok(Record {
            link: interface.link,
            time_ns: Some(interface.time_ns(units)),
            frame: &bytes[OLD_HEAD..OLD_HEAD + word(20) as usize],
        })
    }

    /// Takes in a block that says how to read others.
    fn learn(&mut self, window: &Window, length: usize) -> Result<(), FeedError> {
        match self.block(window, length)? {
            Block::SectionHeader(header) if header.major_version == 1 => {
                self.interfaces.clear();
                Ok(())
            }
            Block::SectionHeader(header) => Err(window.damaged(&format!(
                "pcapng version {} is not read here",
                header.major_version
            ))),
            Block::InterfaceDescription(block) => {
                if self.interfaces.len() == MAX_INTERFACES {
                    return Err(window.damaged("more than 4096 interfaces in one section"));
                }
                let interface = Interface::new(&block, self.big_endian)
                    .ok_or_else(|| window.damaged("a time resolution that cannot be"))?;
                self.interfaces.push(interface);
                Ok(())
            }
            _ => Err(window.damaged("the block cannot be read")),
        }
    }

    fn block<'a>(&self, window: &'a Window, length: usize) -> Result<Block<'a>, FeedError> {
        let parse = if self.big_endian {
            parse_block_be
        } else {
            parse_block_le
        };
        match parse(window.bytes(length)) {
            Ok((_, block)) => Ok(block),
            Err(_) => Err(window.damaged("the block's lengths contradict each other")),
        }
    }
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Option<Self> {
        let exponent = u32::from(block.if_tsresol & 0x7f);
        let units_per_second = if block.if_tsresol & 0x80 == 0 {
            10_u128.checked_pow(exponent)?
        } else {
            1_u128.checked_shl(exponent)?
        };
        if units_per_second > u128::from(u64::MAX) + 1 {
            return None;
        }
        // The parser takes the option for little-endian whatever the section's order.
        let offset_seconds = block
            .options
            .iter()
            .find(|option| option.code == OptionCode::IfTsoffset)
            .and_then(|option| option.as_bytes().ok()?.try_into().ok())
            .map_or(0, |bytes: [u8; 8]| {
                if big_endian {
                    i64::from_be_bytes(bytes)
                } else {
                    i64::from_le_bytes(bytes)
                }
            });
        Some(Self {
            link: LinkType::from_code(block.linktype.0 as u32),
            snap_length: block.snaplen as usize,
            units_per_second,
            offset_ns: i128::from(offset_seconds) * 1_000_000_000,
        })
    }

    fn time_ns(&self, units: u64) -> i128 {
        let since_offset = u128::from(units) * 1_000_000_000 / self.units_per_second;
        self.offset_ns + since_offset as i128
    }
}

fn front(data: &[u8], length: usize) -> &[u8] {
    &data[..length.min(data.len())]
}
