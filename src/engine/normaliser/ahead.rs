//! Many messages at a time: what they need of the book is asked for ahead, and what most of them do is
//! done without a branch on their type.

use super::{MessageError, Normaliser};
use crate::book::{Book, Step};
use crate::columns::Batch;
use crate::cpu::{Work, dispatch};
use crate::market::{Locate, Price, Side, Timestamp};
use crate::wire::binaryfile::Blocks;
use crate::wire::itch50::{Message, OUTLINE, OrderReplace, outline, parse};

/// How many bytes ahead the feed itself is asked for: not every machine fetches on its own what is read in order.
const FEED_AHEAD: usize = 1_024;

/// A message to come.
#[derive(Clone, Copy, Debug, Default)]
struct Coming<'a> {
    /// What it does to the book if it is ordinary; in any case, which order it is about.
    step: Step,
    timestamp: Timestamp,
    /// What it says.
    bytes: &'a [u8],
    /// 0 if it is ordinary: the step is all that it does.
    odd: u64,
}

/// Messages that are looked at together.
struct Group<'a> {
    messages: [Coming<'a>; Book::AHEAD],
    count: usize,
    /// The blocks before the first of them was taken.
    blocks: Blocks<'a>,
}

impl<'a> Group<'a> {
    fn new() -> Self {
        Self {
            messages: [Coming::default(); Book::AHEAD],
            count: 0,
            blocks: Blocks::new(&[]),
        }
    }

    fn messages(&self) -> &[Coming<'a>] {
        &self.messages[..self.count]
    }
}

/// What [`Normaliser::messages`] is asked.
struct Many<'a, 'b, F> {
    normaliser: &'a mut Normaliser,
    blocks: &'a mut Blocks<'b>,
    limit: usize,
    batch: &'a mut Batch,
    undecodable: F,
}

impl<E, F: FnMut(usize, MessageError) -> Result<(), E>> Work for Many<'_, '_, F> {
    type Output = Result<(), E>;

    #[inline(always)]
    fn work(self) -> Result<(), E> {
        let Self {
            normaliser,
            blocks,
            limit,
            batch,
            mut undecodable,
        } = self;
        let mut left = limit;
        // Two groups, so that what is asked for one arrives while the other is decoded.
        let mut groups = [Group::new(), Group::new()];
        let [mut current, mut next] = groups.each_mut();
        *blocks = normaliser.meet(blocks.clone(), &mut left, current);
        normaliser.look_further(current);
        while current.count > 0 {
            *blocks = normaliser.meet(blocks.clone(), &mut left, next);
            normaliser.decode(current, batch, &mut undecodable)?;
            normaliser.look_further(next);
            std::mem::swap(&mut current, &mut next);
        }
        Ok(())
    }
}

impl Normaliser {
    /// Decodes up to `limit` messages of `blocks` into `batch`, as [`Normaliser::message`] does one by
    /// one, but faster. `undecodable` is told the offset of a message that cannot be decoded.
    ///
    /// # Errors
    /// The first error of `undecodable`; the messages behind it are not decoded, and where `blocks` then
    /// stands is not said.
    pub fn messages<E>(
        &mut self,
        blocks: &mut Blocks<'_>,
        limit: usize,
        batch: &mut Batch,
        undecodable: impl FnMut(usize, MessageError) -> Result<(), E>,
    ) -> Result<(), E> {
        dispatch(Many {
            normaliser: self,
            blocks,
            limit,
            batch,
            undecodable,
        })
    }

    /// Fills `group` from `blocks` as far as they go and asks for the orders' slots, and for the feed behind them.
    /// The blocks travel by value, so that they stay in registers.
    #[inline(always)]
    fn meet<'a>(
        &self,
        mut blocks: Blocks<'a>,
        left: &mut usize,
        group: &mut Group<'a>,
    ) -> Blocks<'a> {
        group.blocks = blocks.clone();
        let most = group.messages.len().min(*left);
        let slots = self.book.slots();
        let mut padded = [0; OUTLINE];
        let mut room = group.messages[..most].iter_mut();
        while room.len() > 0
            && let Some((bytes, open)) = blocks.next_open(&mut padded)
            && let Some(coming) = room.next()
        {
            *coming = self.foresee(bytes, open);
            slots.prefetch(&coming.step);
            self.memory.prefetch(bytes, FEED_AHEAD);
        }
        group.count = most - room.len();
        *left -= group.count;
        blocks
    }

    #[inline(always)]
    fn foresee<'a>(&self, bytes: &'a [u8], open: &[u8; OUTLINE]) -> Coming<'a> {
        let told = outline(open, bytes.len());
        let (step, odd) = Step::new(
            told.joins,
            (told.reference, told.locate),
            (told.indicator & 1 == 1, told.shares, told.price),
        );
        // Of an order that joins the side must be known, and its symbol have a name already.
        let strange = Side::NO_INDICATOR[usize::from(told.indicator)] | self.unnamed(told.locate);
        Coming {
            step,
            timestamp: told.timestamp,
            bytes,
            odd: told.more | odd | strange & told.joins,
        }
    }

    /// When the orders' slots have arrived: asks for what else these messages will need.
    #[inline(always)]
    fn look_further(&self, group: &Group<'_>) {
        if !self.book.needs_more() {
            return;
        }
        for coming in group.messages() {
            self.book.prefetch_more(&coming.step);
        }
    }

    #[inline(always)]
    fn decode<E>(
        &mut self,
        group: &Group<'_>,
        batch: &mut Batch,
        undecodable: &mut impl FnMut(usize, MessageError) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut messages = group.messages().iter();
        let mut singly = 0;
        let mut outcome = Ok(());
        while let Err(error) = self.decode_each(&mut messages, &mut singly, batch) {
            let index = group.count - messages.len() - 1;
            let offset = group.blocks.clone().nth(index).map(|(offset, _)| offset);
            outcome = undecodable(offset.unwrap_or_default(), error);
            if outcome.is_err() {
                break;
            }
        }
        let done = (group.count - messages.len() - singly) as u64;
        if done > 0 {
            self.counts.messages += done;
            batch.messages += done;
            batch.now = self.now;
            batch.started = true;
        }
        outcome
    }

    /// Decodes `messages`, up to the first that cannot be; `singly` counts those that count themselves.
    #[inline(always)]
    fn decode_each(
        &mut self,
        messages: &mut std::slice::Iter<'_, Coming<'_>>,
        singly: &mut usize,
        batch: &mut Batch,
    ) -> Result<(), MessageError> {
        // The first message behind a gap ends it, which no ordinary step does.
        while self.pending_gap.is_some()
            && let Some(coming) = messages.next()
        {
            *singly += 1;
            self.message(coming.bytes, batch)?;
        }
        for coming in messages {
            if coming.odd == 0 && self.ordinary(coming, batch) || self.replaced(coming.bytes, batch)
            {
                continue;
            }
            *singly += 1;
            self.message(coming.bytes, batch)?;
        }
        Ok(())
    }

    /// Does what an ordinary message says. False, and nothing is done, if the book does not find its
    /// order where most are.
    #[inline(always)]
    fn ordinary(&mut self, coming: &Coming<'_>, batch: &mut Batch) -> bool {
        let Some(top_changed) = self.book.step(&coming.step) else {
            return false;
        };
        self.counts.orders_added += coming.step.joins() & 1;
        self.stepped(coming.timestamp, coming.step.locate(), top_changed, batch);
        true
    }

    /// Does what a replacement says, of the messages that are not ordinary the most frequent. False, and
    /// nothing is done, if it is none or the book does not find its orders where most are.
    #[inline(always)]
    fn replaced(&mut self, bytes: &[u8], batch: &mut Batch) -> bool {
        // So that the others are not parsed twice.
        if bytes.first() != Some(&OrderReplace::KIND) {
            return false;
        }
        let Ok(Message::OrderReplace(replace)) = parse(bytes) else {
            return false;
        };
        let header = replace.header();
        let original = (replace.original_reference(), header.locate);
        let (leaves, odd) = Step::new(0, original, (false, 0, Price(0)));
        let order = (false, replace.shares(), replace.price());
        let new = (replace.new_reference(), header.locate);
        let (joins, odd_too) = Step::new(u64::MAX, new, order);
        if odd | odd_too != 0 {
            return false;
        }
        let Some(top_changed) = self.book.replace_step(&leaves, joins) else {
            return false;
        };
        self.stepped(header.timestamp, header.locate, top_changed, batch);
        true
    }

    /// The book has taken the steps of a message.
    #[inline(always)]
    fn stepped(&mut self, time: Timestamp, locate: Locate, top_changed: bool, batch: &mut Batch) {
        self.pass(time);
        if top_changed {
            self.quote(locate, batch);
        }
    }

    /// 1 if no message has named `locate` so far, otherwise 0.
    #[inline(always)]
    pub(super) fn unnamed(&self, locate: Locate) -> u64 {
        self.unnamed[locate.index() / 64] >> (locate.index() % 64) & 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::wire::binaryfile;
    use crate::wire::itch50::length_of;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// The references of orders that replace others are this and above, each higher than those before it.
    const NEW: u64 = 1_000;

    /// A message of a day on which nothing is sure: few references and symbols, so that orders meet,
    /// times that go back, sides that are none, wrong lengths, unknown types.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let kind = prop::sample::select(b"AAAADDDDFUUEEXCPQBSz".to_vec());
        let reference = || prop_oneof![8 => 0..40_u64, 4 => NEW..NEW + 40, 1 => Just(1 << 47), 1 => any::<u64>()];
        let shares = || prop_oneof![8 => 0..4_u32, 1 => (1_u32 << 30) - 1..=(1 << 30) + 1, 1 => any::<u32>()];
        let numbers = (reference(), reference(), shares(), shares(), 0..5_u32);
        let header = (0..3_u16, 0..30_u64);
        let side = prop::sample::select(b"BBBBSSSSX".to_vec());
        let length = prop_oneof![15 => Just(None), 1 => (0..60_usize).prop_map(Some)];
        (kind, header, numbers, side, length).prop_map(
            |(kind, (locate, time), (first, second, some, more, price), side, length)| {
                let mut bytes = vec![kind];
                bytes.extend_from_slice(&locate.to_be_bytes());
                bytes.extend_from_slice(&(time & ((1 << 48) - 1)).to_be_bytes());
                bytes.extend_from_slice(&first.to_be_bytes());
                match kind {
                    b'A' | b'F' | b'P' => {
                        bytes.push(side);
                        bytes.extend_from_slice(&some.to_be_bytes());
                        bytes.extend_from_slice(b"SYMBOL  ");
                        bytes.extend_from_slice(&price.to_be_bytes());
                    }
                    b'U' => {
                        bytes.extend_from_slice(&second.to_be_bytes());
                        bytes.extend_from_slice(&some.to_be_bytes());
                        bytes.extend_from_slice(&price.to_be_bytes());
                    }
                    _ => {
                        bytes.extend_from_slice(&some.to_be_bytes());
                        bytes.extend_from_slice(&more.to_be_bytes());
                    }
                }
                bytes.resize(length.or(length_of(kind)).unwrap_or(9), b'Y');
                bytes
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn many_at_a_time_are_as_one_by_one(
            mut messages in prop::collection::vec(message(), 0..200),
            (tops, cut, gap) in (any::<bool>(), 1..100_usize, 0..200_usize),
        ) {
            for (message, later) in messages.iter_mut().zip(0_u8..) {
                if let Some(time) = message.get_mut(10) {
                    *time += later;
                }
                if let (Some(b'U'), Some(new)) = (message.first().copied(), message.get_mut(19..27)) {
                    new.copy_from_slice(&(NEW + u64::from(later)).to_be_bytes());
                }
            }
            let (mut many, mut single) = (Normaliser::new(tops), Normaliser::new(tops));
            many = many.with_memory(Memory::Plain, 20_000);
            let (mut batches, mut refused) = ((Batch::default(), Batch::default()), (Vec::new(), Vec::new()));
            let mut offset = 0;
            for (index, packet) in messages.chunks(cut).enumerate() {
                if index * cut <= gap && gap < (index + 1) * cut {
                    many.gap(5, 2);
                    single.gap(5, 2);
                }
                let mut bytes = Vec::new();
                for message in packet {
                    let at = bytes.len();
                    binaryfile::emit(message, &mut bytes).expect("short");
                    if let Err(error) = single.message(message, &mut batches.1) {
                        refused.1.push((offset + at, error));
                    }
                }
                let mut blocks = Blocks::new(&bytes);
                while blocks.consumed() < bytes.len() {
                    let told: Result<(), Infallible> = many.messages(&mut blocks, 50, &mut batches.0, |at, error| {
                        refused.0.push((offset + at, error));
                        Ok(())
                    });
                    prop_assert!(told.is_ok());
                }
                offset += bytes.len();
            }
            prop_assert_eq!(refused.0, refused.1);
            prop_assert_eq!(many.counts(), single.counts());
            prop_assert_eq!(format!("{:?}", batches.0), format!("{:?}", batches.1));
            prop_assert_eq!(many.book().counts().live, single.book().counts().live);
            for locate in 0..3 {
                prop_assert_eq!(many.book().top(Locate(locate)), single.book().top(Locate(locate)));
            }
        }
    }

    #[test]
    fn marks_are_no_messages_and_a_refusal_ends_it() {
        let bytes = [0, 0, 0, 1, b'z', 0, 0, 0, 1, b'y'];
        let mut normaliser = Normaliser::new(false);
        let mut batch = Batch::default();
        let mut blocks = Blocks::new(&bytes).without_marks();
        let refused = normaliser.messages(&mut blocks, 9, &mut batch, |at, _| Err(at));
        assert_eq!((refused, batch.messages), (Err(2), 1));
        let mut blocks = Blocks::new(&bytes);
        let mut refused = Vec::new();
        let all: Result<(), ()> = normaliser.messages(&mut blocks, 9, &mut batch, |at, _| {
            refused.push(at);
            Ok(())
        });
        assert_eq!(
            (all, refused, blocks.consumed()),
            (Ok(()), vec![0, 2, 5, 7], 10)
        );
    }
}
