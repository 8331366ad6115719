//! The eleven bytes with which every message begins: type, stock locate, tracking number, time.

use crate::market::{Locate, Timestamp};

/// Bytes of the header, the type included; the fields of a message begin here.
pub(super) const LENGTH: usize = 11;

/// The low 48 bits, which is all of a timestamp that the wire has room for.
const TIME_MASK: u64 = (1 << 48) - 1;

/// What every message carries beside its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Symbol as the feed numbers it; 0 where the message concerns no single symbol.
    pub locate: Locate,
    /// Number that the exchange gives for its own tracking.
    pub tracking_number: u16,
    /// Nanoseconds since midnight, below 2^48 on the wire.
    pub timestamp: Timestamp,
}

impl Header {
    /// Reads the header of a message whose length has been checked.
    #[inline(always)]
    pub(super) fn read<const N: usize>(message: &[u8; N]) -> Self {
        const { assert!(N >= LENGTH) };
        let m = message;
        let tracking_and_time =
            u64::from_be_bytes([m[3], m[4], m[5], m[6], m[7], m[8], m[9], m[10]]);
        Self {
            locate: Locate(u16::from_be_bytes([m[1], m[2]])),
            tracking_number: (tracking_and_time >> 48) as u16,
            timestamp: Timestamp(tracking_and_time & TIME_MASK),
        }
    }

    /// Writes type and header. Of the timestamp the low 48 bits are kept; a day needs 47.
    #[inline(always)]
    pub(super) fn write<const N: usize>(&self, kind: u8, message: &mut [u8; N]) {
        const { assert!(N >= LENGTH) };
        let tracking_and_time =
            u64::from(self.tracking_number) << 48 | self.timestamp.0 & TIME_MASK;
        message[0] = kind;
        message[1..3].copy_from_slice(&self.locate.0.to_be_bytes());
        message[3..11].copy_from_slice(&tracking_and_time.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_own_bytes() {
        let message = *b"S\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a";
        let header = Header::read(&message);
        assert_eq!(header.locate, Locate(0x0102));
        assert_eq!(header.tracking_number, 0x0304);
        assert_eq!(header.timestamp, Timestamp(0x0506_0708_090a));
        let mut written = [0xff; 11];
        header.write(b'S', &mut written);
        assert_eq!(written, message);
    }

    #[test]
    fn a_time_beyond_48_bits_never_reaches_the_tracking_number() {
        let header = Header {
            locate: Locate(u16::MAX),
            tracking_number: 0,
            timestamp: Timestamp(u64::MAX),
        };
        let mut written = [0; 11];
        header.write(b'S', &mut written);
        assert_eq!(&written, b"S\xff\xff\0\0\xff\xff\xff\xff\xff\xff");
    }
}
