//! The entries of market data: 35=W and 35=X.
//!
//! The group NoMDEntries follows 268; the field behind 268 opens each of its entries (279 in 35=X,
//! 269 in 35=W). An entry without a symbol is about that of the entry before it, the first about that
//! of the message.
//!
//! Source: FIX 4.4 volume 3, MarketDataSnapshotFullRefresh and MarketDataIncrementalRefresh.

use super::{Fields, Message, parse_uint, tag};

/// One entry; fields that are not there are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MdEntry<'a> {
    /// MDUpdateAction; none in 35=W.
    pub action: Option<&'a [u8]>,
    /// MDEntryType.
    pub kind: Option<&'a [u8]>,
    /// Symbol.
    pub symbol: Option<&'a [u8]>,
    /// MDEntryID.
    pub id: Option<&'a [u8]>,
    /// MDEntryPx.
    pub price: Option<&'a [u8]>,
    /// MDEntrySize.
    pub size: Option<&'a [u8]>,
    /// MDEntryTime.
    pub time: Option<&'a [u8]>,
    /// Text.
    pub text: Option<&'a [u8]>,
}

/// Walks the entries of a message.
#[derive(Clone, Debug)]
pub struct MdEntries<'a> {
    fields: Fields<'a>,
    opener: u32,
    /// The opening field's value of the entry to come.
    opened: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
}

impl<'a> MdEntries<'a> {
    /// The entries of `message`; `None` if it has no group NoMDEntries or as many entries as the group
    /// says are not there.
    #[must_use]
    pub fn of(message: &Message<'a>) -> Option<Self> {
        let mut fields = message.fields();
        let mut symbol = None;
        let announced = loop {
            let field = fields.next()?.ok()?;
            match field.tag {
                tag::SYMBOL => symbol = Some(field.value),
                tag::NO_MD_ENTRIES => break parse_uint(field.value)?,
                _ => {}
            }
        };
        let first = fields.next().transpose().ok()?;
        let opener = first.map_or(0, |field| field.tag);
        let opens = |field: &Result<super::Field<'_>, _>| {
            field.as_ref().is_ok_and(|field| field.tag == opener)
        };
        let more = fields.clone().filter(opens).count() as u64;
        let found = match announced {
            0 => 0,
            _ => more + u64::from(first.is_some()),
        };
        (found == announced).then_some(Self {
            fields,
            opener,
            opened: first.filter(|_| announced > 0).map(|field| field.value),
            symbol,
        })
    }
}

impl<'a> MdEntry<'a> {
    fn set(&mut self, tag: u32, value: &'a [u8]) {
        let place = match tag {
            tag::MD_UPDATE_ACTION => &mut self.action,
            tag::MD_ENTRY_TYPE => &mut self.kind,
            tag::SYMBOL => &mut self.symbol,
            tag::MD_ENTRY_ID => &mut self.id,
            tag::MD_ENTRY_PX => &mut self.price,
            tag::MD_ENTRY_SIZE => &mut self.size,
            tag::MD_ENTRY_TIME => &mut self.time,
            tag::TEXT => &mut self.text,
            _ => return,
        };
        *place = Some(value);
    }
}

impl<'a> Iterator for MdEntries<'a> {
    type Item = MdEntry<'a>;

    fn next(&mut self) -> Option<MdEntry<'a>> {
        let mut entry = MdEntry {
            symbol: self.symbol,
            ..MdEntry::default()
        };
        entry.set(self.opener, self.opened.take()?);
        for field in self.fields.by_ref().flatten() {
            if field.tag == self.opener {
                self.opened = Some(field.value);
                break;
            }
            entry.set(field.tag, field.value);
        }
        self.symbol = entry.symbol;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symbol, action, type, price and size of each entry, `-` for what is absent.
    fn read(fields: &str) -> Option<Vec<String>> {
        let bytes = fields.replace('|', "\x01").into_bytes();
        let message = Message::new(b"FIX.4.4", &bytes).unwrap();
        let text = |value: Option<&[u8]>| {
            value.map_or("-".to_owned(), |v| String::from_utf8_lossy(v).into_owned())
        };
        let entry = |e: MdEntry<'_>| {
            [e.symbol, e.action, e.kind, e.price, e.size, e.id]
                .map(text)
                .join(" ")
        };
        Some(MdEntries::of(&message)?.map(entry).collect())
    }

    #[test]
    fn entries_begin_with_the_field_behind_the_count() {
        let full = "35=W|262=R|55=A|268=2|269=0|270=1.5|271=3|269=2|270=1.6|271=4|278=9|";
        assert_eq!(
            read(full).unwrap(),
            ["A - 0 1.5 3 -", "A - 2 1.6 4 9"],
            "the symbol is the message's"
        );
        let steps = "35=X|268=3|279=0|269=2|55=A|270=1|271=2|279=1|269=0|270=3|279=2|269=1|55=B|";
        assert_eq!(
            read(steps).unwrap(),
            ["A 0 2 1 2 -", "A 1 0 3 - -", "B 2 1 - - -"],
            "a symbol holds until another comes"
        );
        assert_eq!(read("35=W|55=A|268=0|").unwrap(), [""; 0]);
        assert_eq!(read("35=W|55=A|268=0|58=none|").unwrap(), [""; 0]);
    }

    #[test]
    fn a_count_that_does_not_hold_is_no_group() {
        for fields in [
            "35=X|262=R|",
            "35=X|268=2|279=0|269=2|55=A|",
            "35=X|268=1|279=0|269=2|279=0|269=2|",
            "35=X|268=1|",
            "35=X|268=x|279=0|",
        ] {
            assert_eq!(read(fields), None, "{fields}");
        }
    }
}
