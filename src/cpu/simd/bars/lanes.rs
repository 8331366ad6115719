//! Operations on sixteen executions at once: steps of times, folds and sums over lanes, and the lanes that
//! a mask picks out, for [`sixteen`](super::sixteen).

use std::arch::x86_64::{__m256i, __m512i};

use pulp::cast;
use pulp::x86::V4;

use super::{Division, SLOTS};

/// Executions that are looked at together.
pub(super) const LANES: usize = 16;

/// [`Division`] in floating point, which holds times below 2^48 and multiples of the step up to there exactly. The
/// reciprocal and the product are rounded by no more than 2^-53 of their values each, where a time that is no
/// multiple of the step differs from one by 2^-48 of it or more: so the floor is the quotient, or one less.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    lanes: Lanes,
    step: f64,
    reciprocal: f64,
}

impl Steps {
    #[inline(always)]
    pub(super) fn by(lanes: Lanes, division: Division) -> Self {
        let step = division.step as f64;
        Self {
            lanes,
            step,
            reciprocal: 1.0 / step,
        }
    }

    #[inline(always)]
    pub(super) fn of(self, times: &[u64; LANES]) -> __m512i {
        let f = self.lanes.0.avx512f;
        let [low, high]: [__m512i; 2] = cast(*times);
        let low = f._mm512_castsi256_si512(self.of_eight(low));
        f._mm512_inserti64x4::<1>(low, self.of_eight(high))
    }

    #[inline(always)]
    fn of_eight(self, times: __m512i) -> __m256i {
        const DOWN: i32 = 1;
        const AT_LEAST: i32 = 13;
        let V4 {
            avx512f: f,
            avx512dq,
            ..
        } = self.lanes.0;
        let [step, one] = [self.step, 1.0].map(|value| f._mm512_set1_pd(value));
        let times = avx512dq._mm512_cvtepu64_pd(times);
        let quotient = f._mm512_mul_pd(times, f._mm512_set1_pd(self.reciprocal));
        let floor = f._mm512_roundscale_pd::<DOWN>(quotient);
        let rest = f._mm512_fnmadd_pd(floor, step, times);
        let missing = f._mm512_cmp_pd_mask::<AT_LEAST>(rest, step);
        f._mm512_cvttpd_epu32(f._mm512_mask_add_pd(floor, missing, floor, one))
    }
}

/// Operations on lanes: sixteen of 32 bits, or eight of 64 where that is said.
#[derive(Clone, Copy)]
pub(super) struct Lanes(pub(super) V4);

impl Lanes {
    #[inline(always)]
    pub(super) fn all(self, value: u32) -> __m512i {
        self.0.avx512f._mm512_set1_epi32(value as i32)
    }

    #[inline(always)]
    pub(super) fn last(self, values: __m512i) -> u32 {
        let values: [u32; 16] = cast(values);
        values[15]
    }

    /// The last of eight.
    #[inline(always)]
    pub(super) fn last_wide(self, values: __m512i) -> u64 {
        let values: [u64; 8] = cast(values);
        values[7]
    }

    /// `first` and the numbers behind it.
    #[inline(always)]
    pub(super) fn count_from(self, first: u32) -> __m512i {
        const COUNT: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        self.0
            .avx512f
            ._mm512_add_epi32(cast(COUNT), self.all(first))
    }

    /// Each lane the one before it; the first is the last of `before`.
    #[inline(always)]
    pub(super) fn shift(self, values: __m512i, before: __m512i) -> __m512i {
        self.0.avx512f._mm512_alignr_epi32::<15>(values, before)
    }

    /// The greater of each lane and another lane, where the mask has a one.
    #[inline(always)]
    pub(super) fn max(self, mask: u16, values: __m512i, others: __m512i) -> __m512i {
        self.0
            .avx512f
            ._mm512_mask_max_epu32(values, mask, values, others)
    }

    /// The lesser likewise.
    #[inline(always)]
    pub(super) fn min(self, mask: u16, values: __m512i, others: __m512i) -> __m512i {
        self.0
            .avx512f
            ._mm512_mask_min_epu32(values, mask, values, others)
    }

    /// Folds each lane with those before it from the last start on; before the first start with the last lane of
    /// `before` too.
    #[inline(always)]
    pub(super) fn since_start(
        self,
        values: __m512i,
        before: __m512i,
        starts: u16,
        fold: impl Fn(Self, u16, __m512i, __m512i) -> __m512i,
    ) -> __m512i {
        let f = self.0.avx512f;
        let values = fold(
            self,
            !starts & 1,
            values,
            f._mm512_alignr_epi32::<15>(before, before),
        );
        // The lanes that go on with the 1, 2, 4 and 8 before them.
        let one = !starts & !1;
        let two = one & one << 1;
        let four = two & two << 2;
        let eight = four & four << 4;
        let values = fold(
            self,
            one,
            values,
            f._mm512_alignr_epi32::<15>(values, values),
        );
        let values = fold(
            self,
            two,
            values,
            f._mm512_alignr_epi32::<14>(values, values),
        );
        let values = fold(
            self,
            four,
            values,
            f._mm512_alignr_epi32::<12>(values, values),
        );
        fold(
            self,
            eight,
            values,
            f._mm512_alignr_epi32::<8>(values, values),
        )
    }

    /// The lanes as twice eight of 64 bits.
    #[inline(always)]
    pub(super) fn widen(self, values: __m512i) -> [__m512i; 2] {
        let f = self.0.avx512f;
        [
            f._mm512_cvtepu32_epi64(f._mm512_castsi512_si256(values)),
            f._mm512_cvtepu32_epi64(f._mm512_extracti64x4_epi64::<1>(values)),
        ]
    }

    /// Products of eight lanes below 2^32.
    #[inline(always)]
    pub(super) fn product(self, values: __m512i, others: __m512i) -> __m512i {
        self.0.avx512f._mm512_mul_epu32(values, others)
    }

    /// Sums of eight lanes with all before them, and with the last lane of `before`.
    #[inline(always)]
    fn sums(self, values: __m512i, before: __m512i) -> __m512i {
        let f = self.0.avx512f;
        let none = self.all(0);
        let values = f._mm512_add_epi64(values, f._mm512_alignr_epi64::<7>(values, none));
        let values = f._mm512_add_epi64(values, f._mm512_alignr_epi64::<6>(values, none));
        let values = f._mm512_add_epi64(values, f._mm512_alignr_epi64::<4>(values, none));
        let last = f._mm512_permutexvar_epi64(f._mm512_set1_epi64(7), before);
        f._mm512_add_epi64(values, last)
    }

    /// Puts the lanes that have a one in the mask to the place `at` of a column and behind.
    #[inline(always)]
    pub(super) fn put(self, column: &mut [u32; SLOTS], at: usize, mask: u16, values: __m512i) {
        let values: [u32; 16] = cast(self.0.avx512f._mm512_maskz_compress_epi32(mask, values));
        column[at..][..16].copy_from_slice(&values);
    }

    /// Puts what has been summed up before each of the twice eight lanes that have a one in the mask to the place
    /// `at` of a column and behind; the last lane of `before` is what has been before all, and becomes what is
    /// behind them.
    #[inline(always)]
    pub(super) fn put_sums(
        self,
        column: &mut [u64; SLOTS],
        at: usize,
        mask: u16,
        [low, high]: [__m512i; 2],
        before: &mut __m512i,
    ) {
        let low = self.sums(low, *before);
        let high = self.sums(high, low);
        let f = self.0.avx512f;
        let [low_mask, high_mask] = mask.to_le_bytes();
        let mut at = at;
        for (mask, sums, before) in [(low_mask, low, *before), (high_mask, high, low)] {
            let exclusive = f._mm512_alignr_epi64::<7>(sums, before);
            let values: [u64; 8] = cast(f._mm512_maskz_compress_epi64(mask, exclusive));
            column[at..][..8].copy_from_slice(&values);
            at += mask.count_ones() as usize;
        }
        *before = high;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Duration;

    #[test]
    fn division_is_exact_on_both_sides_of_every_step() {
        let Some(simd) = V4::try_new() else {
            println!("SKIPPED: this processor has no AVX-512");
            return;
        };
        for millis in [1, 3, 7, 100, 1_000, 1_001, 60_000, 86_399_999, 86_400_000] {
            let division = Division::by(Duration::from_millis(millis).unwrap());
            let last = crate::columns::Resident::TIME_LIMIT - 1;
            for multiple in [0, 1, 2, 1_000, last / division.step] {
                let bound = multiple * division.step;
                let times: [u64; LANES] = std::array::from_fn(|lane| {
                    (bound + lane as u64)
                        .saturating_sub(LANES as u64 / 2)
                        .min(last)
                });
                let steps: [u32; LANES] = cast(Steps::by(Lanes(simd), division).of(&times));
                assert_eq!(steps, times.map(|time| division.of(time)));
            }
        }
    }
}
