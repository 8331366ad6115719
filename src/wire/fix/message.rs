//! A checked view of one message and the walk over its fields.

use super::{parse_uint, tag};

/// The separator after every field.
pub(super) const SOH: u8 = 1;

/// One whole message whose frame has been checked; borrows from the stream.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    begin_string: &'a [u8],
    msg_type: &'a [u8],
    body: &'a [u8],
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its number.
    pub tag: u32,
    /// Its value, never empty.
    pub value: &'a [u8],
}

/// A field that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// No `=`, or what stands before it is not a positive number of at most nine digits without
    /// leading zeros.
    #[error("no tag number at byte {offset} of the fields")]
    Tag {
        /// Where the field starts, counted from MsgType.
        offset: usize,
    },
    /// `tag=` without a value.
    #[error("tag {tag} has no value")]
    Empty {
        /// The tag.
        tag: u32,
    },
    /// A data field that is not as long as the length field before it says.
    #[error("tag {tag} is not as long as its length field says")]
    DataLength {
        /// The data field's tag.
        tag: u32,
    },
}

impl<'a> Message<'a> {
    /// The message of `fields`, which run from MsgType to the separator before CheckSum; `None`
    /// unless they start with a MsgType and end with a separator. For streams there is
    /// [`next_frame`](super::next_frame).
    #[must_use]
    pub fn new(begin_string: &'a [u8], fields: &'a [u8]) -> Option<Self> {
        let after = fields.strip_prefix(b"35=")?;
        let end = after.iter().position(|&byte| byte == SOH)?;
        (end > 0 && fields.last() == Some(&SOH)).then_some(Self {
            begin_string,
            msg_type: &after[..end],
            body: fields,
        })
    }

    /// BeginString, for example `FIX.4.4`.
    #[must_use]
    pub fn begin_string(&self) -> &'a [u8] {
        self.begin_string
    }

    /// MsgType.
    #[must_use]
    pub fn msg_type(&self) -> &'a [u8] {
        self.msg_type
    }

    /// The bytes from MsgType to the separator before CheckSum.
    #[must_use]
    pub fn field_bytes(&self) -> &'a [u8] {
        self.body
    }

    /// Every field from MsgType to the last one before CheckSum, in order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            rest: self.body,
            length: self.body.len(),
            data: None,
        }
    }

    /// The value of the first field with `tag`; faulty fields are passed over.
    #[must_use]
    pub fn get(&self, tag: u32) -> Option<&'a [u8]> {
        self.fields()
            .flatten()
            .find(|field| field.tag == tag)
            .map(|field| field.value)
    }
}

/// Walks the fields of a message. After a fault it goes on with the next field.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    length: usize,
    data: Option<(u32, usize)>,
}

impl<'a> Fields<'a> {
    /// Cuts the value that starts `rest` off, at its separator or after its announced length.
    fn value(&mut self, tag: u32) -> Result<&'a [u8], FieldFault> {
        let announced = self.data.take().filter(|&(data_tag, _)| data_tag == tag);
        let separator = |rest: &[u8]| rest.iter().position(|&byte| byte == SOH);
        let end = match announced {
            Some((_, length)) if self.rest.get(length) == Some(&SOH) => length,
            Some(_) => {
                let end = separator(self.rest).unwrap_or(self.rest.len());
                self.rest = self.rest.get(end + 1..).unwrap_or_default();
                return Err(FieldFault::DataLength { tag });
            }
            None => separator(self.rest).unwrap_or(self.rest.len()),
        };
        let value = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Ok(value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, FieldFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.length - self.rest.len();
        let stop = self
            .rest
            .iter()
            .position(|&byte| byte == b'=' || byte == SOH)
            .unwrap_or(self.rest.len());
        let Some(tag) =
            parse_tag(&self.rest[..stop]).filter(|_| self.rest.get(stop) == Some(&b'='))
        else {
            let end = self.rest[stop..]
                .iter()
                .position(|&byte| byte == SOH)
                .map_or(self.rest.len(), |end| stop + end + 1);
            self.rest = &self.rest[end..];
            self.data = None;
            return Some(Err(FieldFault::Tag { offset }));
        };
        self.rest = &self.rest[stop + 1..];
        let value = match self.value(tag) {
            Ok([]) => return Some(Err(FieldFault::Empty { tag })),
            Ok(value) => value,
            Err(fault) => return Some(Err(fault)),
        };
        self.data = tag::data_after(tag)
            .and_then(|data| Some((data, usize::try_from(parse_uint(value)?).ok()?)));
        Some(Ok(Field { tag, value }))
    }
}

fn parse_tag(digits: &[u8]) -> Option<u32> {
    if digits.first() == Some(&b'0') || digits.len() > 9 {
        return None;
    }
    parse_uint(digits).and_then(|tag| u32::try_from(tag).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Vec<Result<(u32, String), FieldFault>> {
        let bytes = text.replace('|', "\x01").into_bytes();
        let message = Message::new(b"FIX.4.4", &bytes).unwrap();
        message
            .fields()
            .map(|field| {
                field.map(|field| (field.tag, String::from_utf8_lossy(field.value).into_owned()))
            })
            .collect()
    }

    #[test]
    fn fields_in_order_with_repeats() {
        let fields = walk("35=V|146=2|55=A|55=B|");
        let tags: Vec<_> = fields
            .iter()
            .map(|field| field.clone().unwrap().0)
            .collect();
        assert_eq!(tags, [35, 146, 55, 55]);
        assert_eq!(fields[3], Ok((55, "B".to_owned())));
        let bytes = b"35=V\x0155=A\x0155=B\x01";
        let message = Message::new(b"FIX.4.4", bytes).unwrap();
        assert_eq!(message.get(55), Some(&b"A"[..]));
        assert_eq!(message.get(56), None);
        assert_eq!(message.msg_type(), b"V");
    }

    #[test]
    fn faults_are_named_and_passed_over() {
        let faults = walk("35=0|112=|-1=x|0=x|034=1|nothing|58=a=b|");
        assert_eq!(faults[1], Err(FieldFault::Empty { tag: 112 }));
        for (fault, offset) in faults[2..6].iter().zip([10, 15, 19, 25]) {
            assert_eq!(*fault, Err(FieldFault::Tag { offset }));
        }
        assert_eq!(faults[6], Ok((58, "a=b".to_owned())));
    }

    #[test]
    fn data_may_hold_separators() {
        assert_eq!(
            walk("35=A|95=3|96=a|b|108=30|"),
            [
                Ok((35, "A".to_owned())),
                Ok((95, "3".to_owned())),
                Ok((96, "a\x01b".to_owned())),
                Ok((108, "30".to_owned())),
            ]
        );
        assert_eq!(
            walk("35=A|95=4|96=ab|108=30|")[2],
            Err(FieldFault::DataLength { tag: 96 })
        );
    }
}
