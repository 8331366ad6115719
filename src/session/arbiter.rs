//! Which of lines A and B is first, how often, and by how much.
//!
//! Both lines carry the same packets. The first copy of a packet is remembered in a table of fixed
//! size, addressed by its first number; when the other line brings the second copy, the difference
//! of their times of arrival is that line's lag. A packet that overwrites an older one in the table
//! only costs a measurement, which is counted as unmatched.

/// Packets remembered; a power of two.
const REMEMBERED: usize = 1024;

/// How one line fares against the other. Only packets with messages take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineRace {
    /// Packets that this line brought first.
    pub first: u64,
    /// Packets that this line brought after the other one.
    pub second: u64,
    /// Packets that brought nothing new and whose first copy is not remembered as the other
    /// line's: repeats on this line, other cuts of the stream, or too late to be matched.
    pub unmatched: u64,
    /// Sum over `second` of the time behind the other line, in nanoseconds.
    pub lag_total_ns: u64,
    /// The longest time behind the other line, in nanoseconds.
    pub lag_max_ns: u64,
}

/// Measures the race between lines A (0) and B (1).
#[derive(Debug)]
pub struct Arbiter {
    remembered: Box<[First]>,
    races: [LineRace; 2],
}

/// The first copy of a packet; sequence 0 is nobody's.
#[derive(Clone, Copy, Debug, Default)]
struct First {
    sequence: u64,
    received_ns: u64,
    line: u8,
}

impl Default for Arbiter {
    fn default() -> Self {
        Self {
            remembered: vec![First::default(); REMEMBERED].into_boxed_slice(),
            races: [LineRace::default(); 2],
        }
    }
}

impl Arbiter {
    /// Takes note of a packet whose first message is `sequence`; `fresh` says whether any of its
    /// messages was still wanted. Lines other than 0 and 1 don't race.
    pub fn observe(&mut self, line: u8, sequence: u64, received_ns: u64, fresh: bool) {
        let Some(race) = self.races.get_mut(usize::from(line)) else {
            return;
        };
        let first = &mut self.remembered[place(sequence)];
        if fresh {
            race.first += 1;
            *first = First {
                sequence,
                received_ns,
                line,
            };
        } else if first.sequence == sequence && first.line != line {
            let lag = received_ns.saturating_sub(first.received_ns);
            race.second += 1;
            race.lag_total_ns = race.lag_total_ns.saturating_add(lag);
            race.lag_max_ns = race.lag_max_ns.max(lag);
            first.sequence = 0;
        } else {
            race.unmatched += 1;
        }
    }

    /// Forgets the packets remembered, not the counts: numbers start again in each session.
    pub fn restart(&mut self) {
        self.remembered.fill(First::default());
    }

    /// How lines A and B fared so far.
    #[must_use]
    pub fn races(&self) -> [LineRace; 2] {
        self.races
    }
}

/// Where a packet is remembered. The numbers of successive packets grow by similar steps, which a
/// single multiplication would map to few places.
fn place(sequence: u64) -> usize {
    let mut mixed = sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize % REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_copy_measures_the_lag() {
        let mut arbiter = Arbiter::default();
        arbiter.observe(0, 1, 100, true);
        arbiter.observe(1, 1, 130, false);
        arbiter.observe(1, 4, 200, true);
        arbiter.observe(0, 4, 205, false);
        arbiter.observe(0, 9, 300, true);
        arbiter.observe(1, 9, 301, false);
        arbiter.observe(1, 9, 399, false);
        arbiter.observe(0, 9, 399, false);
        arbiter.observe(255, 9, 999, false);
        let [a, b] = arbiter.races();
        assert_eq!(
            a,
            LineRace {
                first: 2,
                second: 1,
                unmatched: 1,
                lag_total_ns: 5,
                lag_max_ns: 5
            }
        );
        assert_eq!(
            b,
            LineRace {
                first: 1,
                second: 2,
                unmatched: 1,
                lag_total_ns: 31,
                lag_max_ns: 30
            }
        );
    }

    #[test]
    fn a_new_session_is_not_compared_with_the_old_one() {
        let mut arbiter = Arbiter::default();
        arbiter.observe(0, 1, 100, true);
        arbiter.restart();
        arbiter.observe(1, 1, 130, false);
        assert_eq!(arbiter.races()[1].unmatched, 1);
    }

    #[test]
    fn a_line_dozens_of_packets_behind_is_matched_for_the_most_part() {
        for step in [1, 2, 7, 37, 64, 1024] {
            let mut arbiter = Arbiter::default();
            for packet in 0..64 + 10_000 {
                arbiter.observe(0, 1 + packet * step, packet, true);
                if packet >= 64 {
                    arbiter.observe(1, 1 + (packet - 64) * step, packet, false);
                }
            }
            let b = arbiter.races()[1];
            assert_eq!((b.lag_max_ns, b.second + b.unmatched), (64, 10_000));
            assert!(b.unmatched < 1_000, "step {step}: {b:?}");
        }
    }
}
