//! How the messages of a day spread over its hours.

use crate::market::NANOS_PER_SECOND;

use super::rng::Rng;

/// Length of a segment: five minutes.
const SEGMENT: u64 = 300 * NANOS_PER_SECOND;
/// Segments between 04:00 and 20:00.
const SEGMENTS: u64 = 16 * 12;
/// 04:00, when the first order may arrive.
pub(super) const SYSTEM_START: u64 = 4 * 3_600 * NANOS_PER_SECOND;
/// 09:30.
pub(super) const MARKET_OPEN: u64 = 34_200 * NANOS_PER_SECOND;
/// 16:00.
pub(super) const MARKET_CLOSE: u64 = 57_600 * NANOS_PER_SECOND;
/// 20:00.
pub(super) const SYSTEM_END: u64 = 72_000 * NANOS_PER_SECOND;
/// From 04:00 to 20:00, in nanoseconds.
pub(super) const DAY: u64 = SYSTEM_END - SYSTEM_START;

/// What a step of the clock brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// Time for a message.
    Message,
    /// A new segment begins at this time; ask again.
    Segment(u64),
    /// The day's messages are used up.
    Over,
}

/// Feed time: never runs backwards, and is at the day's end when the messages are used up.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    now: u64,
    /// Messages that the day still has to spend.
    left: u64,
    segment: u64,
    segment_left: u64,
    weight_left: u64,
    /// Whether every segment is as busy as the others.
    even: bool,
}

/// How busy a segment is: quiet before 07:00, a U between 09:30 and 16:00, quiet again.
fn weight(segment: u64) -> u64 {
    match segment {
        0..36 => 2,
        36..60 => 5,
        60..65 => 12,
        65 => 40,
        66..144 => {
            let from_noon = (2 * (segment - 66)).abs_diff(77);
            28 + 92 * from_noon * from_noon / (77 * 77)
        }
        144..150 => 6,
        _ => 2,
    }
}

impl Clock {
    /// A clock that spreads `messages` over the day.
    pub(super) fn new(messages: u64) -> Self {
        Self {
            now: SYSTEM_START,
            left: messages,
            segment: 0,
            segment_left: 0,
            weight_left: (0..SEGMENTS).map(weight).sum(),
            even: false,
        }
    }

    /// The clock with as many messages in every segment. It must not have ticked.
    pub(super) fn evenly(self) -> Self {
        Self {
            weight_left: SEGMENTS,
            even: true,
            ..self
        }
    }

    fn weight(&self) -> u64 {
        if self.even { 1 } else { weight(self.segment) }
    }

    /// Nanoseconds since midnight.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Messages that the day may still spend.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Spends messages beyond the one that a tick stands for.
    pub(super) fn spend(&mut self, messages: u64) {
        self.left = self.left.saturating_sub(messages);
        self.segment_left = self.segment_left.saturating_sub(messages);
    }

    /// Lets a moment pass without spending a message.
    pub(super) fn pass(&mut self, nanos: u64) {
        self.now += nanos;
    }

    /// Goes on to the next message. Half of them come in bursts; what is left of the segment is
    /// shared out evenly among the rest, so the segment's share is always spent within it.
    #[inline]
    pub(super) fn tick(&mut self, rng: &mut Rng) -> Tick {
        if self.segment_left == 0 {
            return self.next_segment();
        }
        let end = SYSTEM_START + self.segment * SEGMENT;
        let room = end.saturating_sub(self.now + 1);
        let mean = room / self.segment_left;
        let gap = if rng.bits() & 1 == 0 {
            rng.below_wide(mean.min(40_000) + 1)
        } else {
            rng.exponential(2 * mean)
        };
        self.now += gap.min(room);
        self.left -= 1;
        self.segment_left -= 1;
        Tick::Message
    }

    fn next_segment(&mut self) -> Tick {
        if self.segment == SEGMENTS {
            return Tick::Over;
        }
        let start = SYSTEM_START + self.segment * SEGMENT;
        let share = u128::from(self.left) * u128::from(self.weight());
        self.segment_left = (share / u128::from(self.weight_left)) as u64;
        self.weight_left -= self.weight();
        self.segment += 1;
        self.now = self.now.max(start);
        Tick::Segment(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_messages_are_spent_in_the_order_of_time() {
        for messages in [0, 1, 7, 10_000] {
            for even in [false, true] {
                let (mut clock, mut rng) = (Clock::new(messages), Rng::new(4));
                if even {
                    clock = clock.evenly();
                }
                let (mut spent, mut segments, mut last) = (0, Vec::new(), 0);
                let mut before_noon = 0;
                loop {
                    match clock.tick(&mut rng) {
                        Tick::Message => spent += 1,
                        Tick::Segment(start) => segments.push(start),
                        Tick::Over => break,
                    }
                    before_noon = if segments.len() <= SEGMENTS as usize / 2 {
                        spent
                    } else {
                        before_noon
                    };
                    assert!(clock.now() >= last && clock.now() < SYSTEM_END);
                    last = clock.now();
                }
                assert_eq!((spent, clock.left()), (messages, 0));
                assert!(
                    !even || before_noon.abs_diff(messages / 2) <= SEGMENTS / 2,
                    "{before_noon}"
                );
                assert_eq!(segments.len() as u64, SEGMENTS);
                assert!(segments.contains(&MARKET_OPEN) && segments.contains(&MARKET_CLOSE));
            }
        }
    }

    #[test]
    fn the_day_is_busiest_at_the_open_and_the_close() {
        let noon = 66 + 39;
        assert!(weight(66) > 4 * weight(noon) && weight(143) > 4 * weight(noon));
        assert!(weight(noon) > 10 * weight(0));
    }
}
