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
        let mut values = Vec::with_capacity(length);
        let room = values.spare_capacity_mut();
        if self == Memory::Fast && size_of_val(room) >= LARGE {
            ask_for_huge_pages(room);
        }
        // Writing brings the pages in now, not message by message.
        values.resize(length, T::zeroed());
        values.into_boxed_slice()
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
}
