//! What all sessions that asked for the same get of one update: whole groups, assembled once.

use super::entries::Entries;
use super::subscription::Interest;
use crate::wire::fix::Body;

/// Selections that are kept at a time; one more takes the place of the last.
const MAX_KEPT: usize = 8;

/// The group NoMDEntries of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// How many entries there are.
    pub(super) count: usize,
    start: usize,
    end: usize,
    /// The rows and tops that it comes from.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Byte sum.
    pub(super) sum: u8,
}

/// The groups that one interest gets, in the order of the messages.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Number of the interest.
    interest: u64,
    body: Body,
    groups: Vec<Group>,
    open: Option<Group>,
}

impl Selection {
    pub(super) fn clear(&mut self, interest: u64) {
        self.interest = interest;
        self.body.clear();
        self.groups.clear();
        self.open = None;
    }

    /// Adds an entry of row or top `item` to the open group and returns how many that has.
    pub(super) fn push(&mut self, item: usize, entry: &[u8], sum: u8) -> usize {
        let start = self.body.len();
        self.body.splice(entry, sum);
        let group = self.open.get_or_insert(Group {
            count: 0,
            start,
            end: start,
            first: item,
            last: item,
            sum: 0,
        });
        group.count += 1;
        group.last = item;
        group.end = start + entry.len();
        group.sum = group.sum.wrapping_add(sum);
        group.count
    }

    /// Ends the open group.
    pub(super) fn close(&mut self) {
        self.groups.extend(self.open.take());
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The entries of `group`.
    pub(super) fn bytes(&self, group: &Group) -> &[u8] {
        &self.body.bytes()[group.start..group.end]
    }
}

/// The selections of one update.
#[derive(Debug, Default)]
pub(super) struct Selections {
    kept: Vec<Selection>,
    used: usize,
}

impl Selections {
    /// Forgets them; another update follows.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// What `interest` gets of `entries`.
    pub(super) fn of(&mut self, entries: &Entries, interest: &Interest) -> &Selection {
        let made = &self.kept[..self.used];
        if let Some(place) = made.iter().position(|one| one.interest == interest.number) {
            return &self.kept[place];
        }
        let place = self.used.min(MAX_KEPT - 1);
        if self.kept.len() <= place {
            self.kept.push(Selection::default());
        }
        self.used = place + 1;
        let selection = &mut self.kept[place];
        selection.clear(interest.number);
        entries.select(interest, selection);
        selection
    }
}
