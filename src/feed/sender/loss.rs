//! Which packets are lost on purpose.

use super::options::Loss;

/// Decides packet by packet, reproducibly.
#[derive(Debug)]
pub(super) struct Losses {
    both_lines: Vec<u64>,
    lines: [Line; 2],
    packets: u64,
}

/// The choices of one line.
#[derive(Debug)]
struct Line {
    probability: f64,
    state: u64,
}

impl Losses {
    pub(super) fn new(options: &Loss) -> Self {
        let mut both_lines = options.both_lines.clone();
        both_lines.sort_unstable();
        let line = |probability, salt: u64| Line {
            probability,
            state: options.seed ^ salt,
        };
        Self {
            both_lines,
            lines: [
                line(options.line_a, 0x6C69_6E65_2041),
                line(options.line_b, 0x6C69_6E65_2042),
            ],
            packets: 0,
        }
    }

    /// Whether the next packet is lost on lines A and B.
    pub(super) fn next(&mut self) -> [bool; 2] {
        self.packets += 1;
        let both = self.both_lines.binary_search(&self.packets).is_ok();
        let [a, b] = &mut self.lines;
        [a.lose() | both, b.lose() | both]
    }
}

impl Line {
    fn lose(&mut self) -> bool {
        const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
        (self.random() >> 11) as f64 * UNIT < self.probability
    }

    /// A Weyl sequence, its steps scrambled.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        for shift in [32, 29] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        }
        mixed ^ (mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(line_a: f64, line_b: f64, both_lines: Vec<u64>) -> Vec<[bool; 2]> {
        let mut losses = Losses::new(&Loss {
            line_a,
            line_b,
            seed: 7,
            both_lines,
        });
        (0..10_000).map(|_| losses.next()).collect()
    }

    #[test]
    fn listed_packets_are_lost_on_both_lines_and_no_others() {
        let lost = losses(0.0, 0.0, vec![9_999, 1, 500]);
        let places: Vec<_> = (0..lost.len())
            .filter(|at| lost[*at] != [false; 2])
            .collect();
        assert_eq!(places, [0, 499, 9_998]);
        assert!(places.iter().all(|at| lost[*at] == [true; 2]));
    }

    #[test]
    fn lines_lose_independently_at_their_rates_and_reproducibly() {
        let lost = losses(0.2, 0.5, Vec::new());
        assert_eq!(lost, losses(0.2, 0.5, Vec::new()));
        let a = lost.iter().filter(|lost| lost[0]).count();
        let b = lost.iter().filter(|lost| lost[1]).count();
        let both = lost.iter().filter(|lost| lost[0] && lost[1]).count();
        assert!((1_800..2_200).contains(&a), "{a}");
        assert!((4_700..5_300).contains(&b), "{b}");
        assert!((850..1_150).contains(&both), "{both}");
        assert!(
            losses(1.0, 0.0, Vec::new())
                .iter()
                .all(|lost| *lost == [true, false])
        );
    }
}
