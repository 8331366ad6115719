//! How a message is declared: a table of fields, from which the view, its owned twin and the writer
//! are generated.
//!
//! A table names the type byte, the length, and for each field its offset, name and type, in the
//! order of the wire. It does not compile unless the fields cover the message from the end of the
//! header to its last byte without hole or overlap. That is also why reading a field cannot fail:
//! offsets and lengths are constants, so the bounds checks are decided by the compiler.

use crate::market::{Price, Symbol};

use super::header;

/// A value with a fixed width on the wire.
pub(super) trait Field: Copy {
    /// Bytes on the wire.
    const WIDTH: usize;

    /// The value at offset `at`, where `at + WIDTH <= N`.
    fn read<const N: usize>(message: &[u8; N], at: usize) -> Self;

    /// Puts the value at offset `at`, where `at + WIDTH <= N`.
    fn write<const N: usize>(self, message: &mut [u8; N], at: usize);

    /// The value as a symbol, if it is one.
    fn as_symbol(self) -> Option<Symbol> {
        None
    }
}

macro_rules! big_endian {
    ($($integer:ident)+) => { $(
        impl Field for $integer {
            const WIDTH: usize = size_of::<$integer>();

            #[inline(always)]
            fn read<const N: usize>(message: &[u8; N], at: usize) -> Self {
                $integer::from_be_bytes(Field::read(message, at))
            }

            #[inline(always)]
            fn write<const N: usize>(self, message: &mut [u8; N], at: usize) {
                self.to_be_bytes().write(message, at);
            }
        }
    )+ };
}

big_endian! { u8 u16 u32 u64 }

impl<const W: usize> Field for [u8; W] {
    const WIDTH: usize = W;

    #[inline(always)]
    fn read<const N: usize>(message: &[u8; N], at: usize) -> Self {
        let mut bytes = [0; W];
        bytes.copy_from_slice(&message[at..at + W]);
        bytes
    }

    #[inline(always)]
    fn write<const N: usize>(self, message: &mut [u8; N], at: usize) {
        message[at..at + W].copy_from_slice(&self);
    }
}

impl Field for Price {
    const WIDTH: usize = 4;

    #[inline(always)]
    fn read<const N: usize>(message: &[u8; N], at: usize) -> Self {
        Price(Field::read(message, at))
    }

    #[inline(always)]
    fn write<const N: usize>(self, message: &mut [u8; N], at: usize) {
        self.0.write(message, at);
    }
}

impl Field for Symbol {
    const WIDTH: usize = 8;

    #[inline(always)]
    fn read<const N: usize>(message: &[u8; N], at: usize) -> Self {
        Symbol(Field::read(message, at))
    }

    #[inline(always)]
    fn write<const N: usize>(self, message: &mut [u8; N], at: usize) {
        self.0.write(message, at);
    }

    fn as_symbol(self) -> Option<Symbol> {
        Some(self)
    }
}

/// Whether fields, as (offset, width), cover a message of `length` bytes from the end of the header
/// to its last byte, in order, each byte once.
pub(super) const fn tiles(length: usize, fields: &[(usize, usize)]) -> bool {
    let mut next = header::LENGTH;
    let mut index = 0;
    while index < fields.len() {
        let (at, width) = fields[index];
        if at != next {
            return false;
        }
        next += width;
        index += 1;
    }
    next == length
}

/// Declares one message: `b'A' 36 View OwnedTwin { offset => name: type, ... }`. A field's type may
/// be followed by `as Shown` where `inspect` shows it as `Shown(value)`.
macro_rules! message {
    (
        $(#[$doc:meta])*
        $kind:literal $length:literal $view:ident $owned:ident {
            $( $(#[$field_doc:meta])* $at:literal => $field:ident: $type:ty $(as $shown:ident)?, )+
        }
    ) => {
        $(#[$doc])*
        ///
        /// A checked view of the bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $view<'a> {
            bytes: &'a [u8; $length],
        }

        const _: () = assert!(
            $crate::wire::itch50::layout::tiles(
                $length,
                &[$( ($at, <$type as $crate::wire::itch50::layout::Field>::WIDTH) ),+],
            ),
            concat!("the fields of ", stringify!($view), " do not tile it"),
        );

        impl<'a> $view<'a> {
            /// The type byte.
            pub const KIND: u8 = $kind;
            /// Bytes of the message, header included.
            pub const LENGTH: usize = $length;
            pub(in crate::wire::itch50) const NAME: &'static str = stringify!($view);

            #[inline(always)]
            pub(in crate::wire::itch50) const fn over(bytes: &'a [u8; $length]) -> Self {
                Self { bytes }
            }

            /// The message as it is on the wire.
            #[inline]
            #[must_use]
            pub const fn bytes(&self) -> &'a [u8; $length] {
                self.bytes
            }

            /// Symbol number, tracking number and time.
            #[inline(always)]
            #[must_use]
            pub fn header(&self) -> $crate::wire::itch50::Header {
                $crate::wire::itch50::Header::read(self.bytes)
            }

            $(
                $(#[$field_doc])*
                #[inline(always)]
                #[must_use]
                pub fn $field(&self) -> $type {
                    $crate::wire::itch50::layout::Field::read(self.bytes, $at)
                }
            )+

            /// Every field, copied out of the message.
            #[inline]
            #[must_use]
            pub fn fields(&self) -> $owned {
                $owned { $( $field: self.$field(), )+ }
            }

            pub(in crate::wire::itch50) fn symbol(&self) -> Option<$crate::market::Symbol> {
                None $( .or($crate::wire::itch50::layout::Field::as_symbol(self.$field())) )+
            }

            pub(in crate::wire::itch50) fn describe(
                &self,
                line: &mut std::fmt::Formatter<'_>,
            ) -> std::fmt::Result {
                $(
                    $crate::wire::itch50::describe::Shown::show(
                        &$crate::wire::itch50::layout::shown!(self.$field() $(, $shown)?),
                        stringify!($field),
                        line,
                    )?;
                )+
                Ok(())
            }
        }

        $(#[$doc])*
        ///
        /// The fields without the header, to be written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $owned {
            $( $(#[$field_doc])* pub $field: $type, )+
        }

        impl $owned {
            /// Appends the message, without a length prefix, to `out`. Of the header's timestamp the
            /// low 48 bits are written.
            #[inline]
            pub fn emit(&self, header: &$crate::wire::itch50::Header, out: &mut Vec<u8>) {
                let mut bytes = [0; $length];
                header.write($kind, &mut bytes);
                $( $crate::wire::itch50::layout::Field::write(self.$field, &mut bytes, $at); )+
                out.extend_from_slice(&bytes);
            }
        }
    };
}

/// A field's value in the type that shows it.
macro_rules! shown {
    ($value:expr) => {
        $value
    };
    ($value:expr, $shown:ident) => {
        $shown($value)
    };
}

pub(super) use {message, shown};

#[cfg(test)]
mod tests {
    use super::tiles;

    #[test]
    fn a_hole_an_overlap_or_a_wrong_length_is_noticed() {
        assert!(tiles(19, &[(11, 8)]));
        assert!(tiles(20, &[(11, 8), (19, 1)]));
        assert!(!tiles(20, &[(11, 8)]), "a hole at the end");
        assert!(!tiles(18, &[(11, 8)]), "past the end");
        assert!(!tiles(20, &[(11, 4), (16, 4)]), "a hole");
        assert!(!tiles(20, &[(11, 4), (14, 6)]), "an overlap");
        assert!(!tiles(20, &[(12, 8)]), "a hole after the header");
        assert!(!tiles(20, &[(19, 1), (11, 8)]), "out of order");
    }
}
