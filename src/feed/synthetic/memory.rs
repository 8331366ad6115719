//! Which executions a break may name: young ones, old ones, crosses.

use super::rng::Rng;

const SLOTS: usize = 256;

/// An execution that may be broken later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) locate: u16,
    pub(super) match_number: u64,
}

/// A bounded choice of past executions.
#[derive(Debug)]
pub(super) struct Memory {
    latest: Option<Done>,
    young: Vec<Done>,
    old: Vec<Done>,
    crosses: Vec<Done>,
    broken: Option<Done>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            latest: None,
            young: Vec::with_capacity(SLOTS),
            old: Vec::with_capacity(SLOTS),
            crosses: Vec::with_capacity(SLOTS),
            broken: None,
        }
    }

    /// Remembers an execution among the young ones, where it soon gives way to others, and one in
    /// 64 among the old ones.
    #[inline]
    pub(super) fn remember(&mut self, done: Done, rng: &mut Rng) {
        self.latest = Some(done);
        keep(&mut self.young, done, rng);
        if rng.chance(15_625) {
            keep(&mut self.old, done, rng);
        }
    }

    pub(super) fn remember_cross(&mut self, done: Done, rng: &mut Rng) {
        keep(&mut self.crosses, done, rng);
    }

    /// An execution to break: in 100 breaks about 20 the latest, 30 young, 34 old, 8 crosses, 8
    /// repeated.
    pub(super) fn choose(&mut self, rng: &mut Rng) -> Option<Done> {
        let kind = rng.below(100);
        let mut one_of = |slots: &[Done]| {
            let slot = rng.below(slots.len() as u32) as usize;
            slots.get(slot).copied()
        };
        let chosen = match kind {
            0..20 => self.latest,
            20..50 => one_of(&self.young),
            50..84 => one_of(&self.old),
            84..92 => one_of(&self.crosses),
            _ => self.broken,
        };
        self.broken = chosen.or(self.broken);
        chosen
    }
}

fn keep(slots: &mut Vec<Done>, done: Done, rng: &mut Rng) {
    if slots.len() < SLOTS {
        slots.push(done);
    } else {
        slots[rng.below(SLOTS as u32) as usize] = done;
    }
}
