//! The newest messages of a session.

use std::collections::VecDeque;

use super::Kept;

/// Bytes that the kept messages of a session take at most.
const MOST_BYTES: usize = 64 << 20;

/// What one takes.
fn size(message: &Kept) -> usize {
    size_of::<Kept>() + message.msg_type.len() + message.body.len()
}

/// Messages in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct KeptMessages {
    list: VecDeque<Kept>,
    bytes: usize,
}

impl KeptMessages {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.bytes = 0;
    }

    /// Keeps one more, and of all of them the newest: `most`, of 64 MiB together.
    pub(super) fn push(&mut self, message: Kept, most: usize) {
        self.bytes += size(&message);
        self.list.push_back(message);
        while (self.list.len() > most || self.bytes > MOST_BYTES)
            && let Some(oldest) = self.list.pop_front()
        {
            self.bytes -= size(&oldest);
        }
    }

    /// The first with a number from `from` on.
    pub(super) fn first_from(&self, from: u64) -> Option<&Kept> {
        let at = self.list.partition_point(|one| one.sequence < from);
        self.list.get(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_by_number_and_by_bytes() {
        let mut kept = KeptMessages::default();
        let mut push = |sequence, length: usize, most| {
            let message = Kept {
                sequence,
                sent_ns: 0,
                msg_type: (*b"X").into(),
                body: vec![0; length].into(),
            };
            kept.push(message, most);
            let numbers = kept.iter().map(|one| one.sequence);
            numbers.collect::<Vec<_>>()
        };
        assert_eq!([1, 2, 3].map(|number| push(number, 1, 2).len()), [1, 2, 2]);
        let all = MOST_BYTES - size_of::<Kept>() - 1;
        assert_eq!(push(4, all - 2 * (size_of::<Kept>() + 2), 9), [2, 3, 4]);
        assert_eq!(push(5, 0, 9), [3, 4, 5]);
        assert_eq!(push(6, all, 9), [6]);
        assert_eq!(push(7, all + 1, 9), [0; 0]);
        assert_eq!(push(8, 0, 9), [8]);
        assert_eq!(kept.first_from(8).map(|one| one.sequence), Some(8));
        assert_eq!(kept.first_from(9), None);
    }
}
