//! How memory is asked for: huge pages for large arrays, and lines brought into cache before they are
//! needed. Both change when something is fast and never what it is; [`Memory::Plain`] does without
//! them, and everything that uses [`Memory`] is compared with itself on both.
#![expect(
    unsafe_code,
    reason = "measured in benches/pipeline.rs: page walks and waits for memory are most of what a \
              message costs without them"
)]

use std::mem::MaybeUninit;

use bytemuck::Zeroable;

/// Smallest array for which huge pages are asked for, in bytes: two of them.
const LARGE: usize = 4 << 20;
/// From so many bytes on a table that grows is expected to become large.
const NOT_FEW: usize = 512 << 10;

/// How memory is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// Huge pages where the system grants them, and prefetches.
    #[default]
    Fast,
    /// Ordinary pages, nothing ahead of time: the twin that the fast way is compared with.
    Plain,
}

impl Memory {
    /// What the environment asks for: with `WIDETAPE_SAFE` set to anything, [`Memory::Plain`]. Sockets
    /// heed it too: then none of the crate's `unsafe` runs.
    #[must_use]
    pub fn asked() -> Self {
        Self::asked_by(std::env::var_os("WIDETAPE_SAFE").is_some())
    }

    fn asked_by(safe: bool) -> Self {
        if safe { Memory::Plain } else { Memory::Fast }
    }

    /// `length` zeroed values, their pages there already.
    pub(crate) fn array<T: Zeroable + Copy>(self, length: usize) -> Box<[T]> {
        self.array_of(T::zeroed(), length)
    }

    /// The same value `length` times, the pages there already.
    pub(crate) fn array_of<T: Copy>(self, value: T, length: usize) -> Box<[T]> {
        let mut values = self.room(length);
        // Writing brings the pages in now, not message by message.
        values.resize(length, value);
        values.into_boxed_slice()
    }

    /// Sees to it that there is room for `length` values; as soon as these are not few, for `most` at once, as a table
    /// that grows bit by bit never lies on huge pages.
    pub(crate) fn reserve<T>(self, values: &mut Vec<T>, length: usize, most: usize) {
        if length > values.capacity() && length * size_of::<T>() >= NOT_FEW {
            let more = length.next_power_of_two();
            let most = if length > most { more } else { most };
            let mut larger = self.room(most.max(LARGE / size_of::<T>()));
            larger.append(values);
            *values = larger;
        }
    }

    /// Room for `length` values.
    fn room<T>(self, length: usize) -> Vec<T> {
        let mut values = Vec::with_capacity(length);
        let room = values.spare_capacity_mut();
        if self == Memory::Fast && size_of_val(room) >= LARGE {
            ask_for_huge_pages(room);
        }
        values
    }

    /// Brings the line of `values[index]` into cache; an index outside is no harm.
    #[inline(always)]
    pub(crate) fn prefetch<T>(self, values: &[T], index: usize) {
        if self == Memory::Fast {
            prefetch_line(values.as_ptr().wrapping_add(index));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch_line<T>(line: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that the program could see and cannot fault, whatever the
    // address; SSE, which has it, is part of x86_64.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch_line<T>(_: *const T) {}

#[cfg(target_os = "linux")]
fn ask_for_huge_pages<T>(room: &mut [MaybeUninit<T>]) {
    use rustix::mm::{Advice, madvise};
    const PAGE: usize = 4096;
    let address = room.as_mut_ptr().addr();
    let skipped = address.next_multiple_of(PAGE) - address;
    let length = size_of_val(room).saturating_sub(skipped) / PAGE * PAGE;
    let first = room.as_mut_ptr().cast::<u8>().wrapping_add(skipped);
    // Pages that are there already, from something else that has been given up, would stay small: so they are
    // given back first.
    for advice in [Advice::LinuxDontNeed, Advice::LinuxHugepage] {
        // SAFETY: the whole pages inside `room`, which is borrowed mutably and stays mapped. Their content may be
        // lost, and there is none: nothing in `room` has been written. The advice changes no protection, and a
        // refusal costs speed alone.
        let _ = unsafe { madvise(first.cast(), length, advice) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages<T>(_: &mut [MaybeUninit<T>]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_arrays() {
        for memory in [Memory::asked_by(false), Memory::asked_by(true)] {
            let array = memory.array::<u64>(LARGE / 8 + 3);
            assert_eq!(array.len(), LARGE / 8 + 3);
            assert!(array.iter().all(|&value| value == 0));
            memory.prefetch(&array, 7);
            memory.prefetch(&array, usize::MAX);
        }
        assert_eq!(Memory::asked_by(true), Memory::Plain);
    }

    #[test]
    fn a_table_that_becomes_large_has_room_for_all_of_it_at_once() {
        let few = NOT_FEW / 8 - 1;
        for memory in [Memory::Fast, Memory::Plain] {
            let mut table: Vec<u64> = (0..few as u64).collect();
            table.shrink_to_fit();
            memory.reserve(&mut table, few, 10 * few);
            assert_eq!(table.capacity(), few);
            memory.reserve(&mut table, few + 1, 10 * few);
            assert!(table.capacity() >= 10 * few);
            assert!(table.iter().copied().eq(0..few as u64));
            // More than is expected at most, and again room for more than one more.
            table.resize(table.capacity(), 7);
            let length = table.len() + 1;
            memory.reserve(&mut table, length, 10 * few);
            assert!(table.capacity() > length);
            assert_eq!((table.len(), table[few - 1]), (length - 1, few as u64 - 1));
        }
    }
}
