//! One growable column whose storage starts on a cache line.

use bytemuck::{Pod, Zeroable};

use crate::memory::Memory;

/// One cache line; the allocation unit of every column.
#[derive(Clone, Copy, Zeroable, Pod)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Values of one field, contiguous and aligned to 64 bytes.
#[derive(Clone)]
pub struct Column<T> {
    lines: Vec<Line>,
    length: usize,
    values: std::marker::PhantomData<T>,
}

impl<T: Pod> Column<T> {
    const PER_LINE: usize = 64 / size_of::<T>();

    /// An empty column with room for `capacity` values.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            lines: vec![Line::zeroed(); capacity.div_ceil(Self::PER_LINE)],
            length: 0,
            values: std::marker::PhantomData,
        }
    }

    /// Appends a value, growing the storage by half when it is full.
    #[inline]
    pub fn push(&mut self, value: T) {
        match bytemuck::cast_slice_mut(&mut self.lines).get_mut(self.length) {
            Some(place) => *place = value,
            None => self.grow_for(value),
        }
        self.length += 1;
    }

    /// Puts a value behind the last where there is no room for it.
    #[cold]
    fn grow_for(&mut self, value: T) {
        self.grow();
        bytemuck::cast_slice_mut(&mut self.lines)[self.length] = value;
    }

    /// Appends values, growing the storage as [`Column::push`] does.
    pub fn extend(&mut self, values: &[T]) {
        while self.lines.len() * Self::PER_LINE < self.length + values.len() {
            self.grow();
        }
        let end = self.length + values.len();
        bytemuck::cast_slice_mut(&mut self.lines)[self.length..end].copy_from_slice(values);
        self.length = end;
    }

    /// Appends a value `count` times.
    pub fn repeat(&mut self, value: T, count: usize) {
        while self.lines.len() * Self::PER_LINE < self.length + count {
            self.grow();
        }
        let end = self.length + count;
        bytemuck::cast_slice_mut(&mut self.lines)[self.length..end].fill(value);
        self.length = end;
    }

    #[cold]
    fn grow(&mut self) {
        let lines = (self.lines.len() + self.lines.len() / 2).max(4);
        self.lines.resize(lines, Line::zeroed());
    }

    /// Makes room for `count` values in all; many lie where `memory` says.
    pub(super) fn reserve(&mut self, count: usize, memory: Memory) {
        let lines = count.div_ceil(Self::PER_LINE);
        memory.reserve(&mut self.lines, lines, lines);
    }

    /// Appends `count` values and returns them to be overwritten: until then they are what the storage
    /// held, zeros where it is new.
    pub fn append(&mut self, count: usize) -> &mut [T] {
        let from = self.length;
        self.length += count;
        let lines = self.length.div_ceil(Self::PER_LINE);
        if lines > self.lines.len() {
            let more = self.lines.len() / 2;
            self.lines
                .resize(lines.max(self.lines.len() + more), Line::zeroed());
        }
        &mut bytemuck::cast_slice_mut(&mut self.lines)[from..self.length]
    }

    /// Forgets the values from the place `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Forgets the values and keeps the storage.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// The values, in the order in which they were pushed.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }

    /// The values, to be changed in place.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

impl<T: Pod> Default for Column<T> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<T: Pod + std::fmt::Debug> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_and_growing() {
        let mut column = Column::<u16>::default();
        for value in 0..1000 {
            column.push(value);
            assert_eq!(column.as_slice().as_ptr().addr() % 64, 0);
        }
        assert!(column.as_slice().iter().copied().eq(0..1000));
        column.extend(&[5; 300]);
        column.repeat(6, 300);
        assert_eq!(column.as_slice()[1000..1300], [5; 300]);
        assert_eq!(column.as_slice()[1300..], [6; 300]);
        column.append(100).copy_from_slice(&[9; 100]);
        assert_eq!(column.as_slice()[1599..1601], [6, 9]);
        assert_eq!(column.as_slice().len(), 1700);
        column.as_mut_slice()[3] = 7;
        assert_eq!(column.as_slice()[3], 7);
        column.clear();
        assert!(column.as_slice().is_empty());
    }
}
