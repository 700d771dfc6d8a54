//! Poseidon2 of width 12 on eight states at once, in AVX-512 registers.
//!
//! The linear layers work on halves: a number is `low + 2^32 high`, each half in a 64-bit lane, so
//! that sums need no reduction until a layer ends. In the internal rounds the sum of the untouched
//! elements is taken beside the S-box, and multiples and fractions of an element are formed without
//! a reduction of each step.
//!
//! A lane may hold any number below 2^64 and stands for its residue.

use core::arch::x86_64::{
    __m512i as Lanes, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epu64_mask,
    _mm512_mask_add_epi64, _mm512_mask_blend_epi32, _mm512_mask_sub_epi64, _mm512_min_epu64,
    _mm512_mul_epu32, _mm512_permutexvar_epi64, _mm512_set_epi64, _mm512_set1_epi64,
    _mm512_slli_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};
use core::mem::transmute;

use p3_field::PrimeField64;
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL as FINAL,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL as INITIAL,
    GOLDILOCKS_POSEIDON2_RC_12_INTERNAL as INTERNAL, PackedGoldilocksAVX512,
};

use super::WIDTH;
use shardfold_protocol::field::F;

/// Eight elements of the field side by side.
pub type Packed = PackedGoldilocksAVX512;

const P: u64 = F::ORDER_U64;
/// 2^64 mod p.
const EPSILON: u64 = P.wrapping_neg();

/// What an external layer adds: the next round's constant, and p so that both halves are positive.
#[derive(Clone, Copy, Debug)]
struct Addend {
    low: u64,
    high: u64,
}

/// p in halves is 2^39 + 1 and 2^32 - 1 - 2^7; a low half is above -28 (2^33).
const fn addend(constant: u64) -> Addend {
    Addend {
        low: (constant & EPSILON) + (1 << 39) + 1,
        high: (constant >> 32) + EPSILON - (1 << 7),
    }
}

/// The constants of all rounds, in the form in which the layers take them.
#[derive(Debug)]
pub struct Rounds {
    /// Of the layer before the first round, and of those that end the first four.
    initial: [[Addend; WIDTH]; 5],
    internal: [u64; 22],
    /// Of the first of the last four rounds, which no external layer comes before.
    turn: [u64; WIDTH],
    terminal: [[Addend; WIDTH]; 4],
}

impl Rounds {
    /// Takes Plonky3's published constants.
    pub fn new() -> Self {
        let row = |row: Option<&[F; WIDTH]>| {
            core::array::from_fn(|i| addend(row.map_or(0, |row| row[i].as_canonical_u64())))
        };
        Self {
            initial: core::array::from_fn(|i| row(INITIAL.get(i))),
            internal: INTERNAL.map(|c| c.as_canonical_u64()),
            turn: FINAL[0].map(|c| c.as_canonical_u64()),
            terminal: core::array::from_fn(|i| row(FINAL.get(i + 1))),
        }
    }

    /// Permutes eight states.
    #[allow(unsafe_code)]
    pub fn permute(&self, state: &mut [Packed; WIDTH]) {
        // SAFETY: `Packed` is transparent over eight elements and an element over u64, each of
        // whose values is one, as Plonky3 documents; so both arrays are 96 plain numbers of 64
        // bits. This module is compiled only for processors that have AVX-512.
        unsafe {
            let mut lanes: [Lanes; WIDTH] = transmute(*state);
            self.permute_lanes(&mut lanes);
            *state = transmute::<[Lanes; WIDTH], [Packed; WIDTH]>(lanes);
        }
    }

    #[target_feature(enable = "avx512f")]
    fn permute_lanes(&self, state: &mut [Lanes; WIDTH]) {
        let mask = splat(EPSILON);
        let mut low = *state;
        let mut high = *state;
        for i in 0..WIDTH {
            low[i] = _mm512_and_si512(state[i], mask);
            high[i] = _mm512_srli_epi64::<32>(state[i]);
        }
        external_layer(state, low, high, &self.initial[0]);
        for constants in &self.initial[1..] {
            external_round(state, constants);
        }
        internal_rounds(state, &self.internal);
        for (x, &constant) in state.iter_mut().zip(&self.turn) {
            *x = add(*x, splat(constant));
        }
        for constants in &self.terminal {
            external_round(state, constants);
        }
    }
}

/// The same number in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn splat(x: u64) -> Lanes {
    _mm512_set1_epi64(x.cast_signed())
}

/// x + y for a canonical y.
#[inline]
#[target_feature(enable = "avx512f")]
fn add(x: Lanes, y: Lanes) -> Lanes {
    let sum = _mm512_add_epi64(x, y);
    let carry = _mm512_cmplt_epu64_mask(sum, y);
    _mm512_mask_add_epi64(sum, carry, sum, splat(EPSILON))
}

/// x - y for a canonical y.
#[inline]
#[target_feature(enable = "avx512f")]
fn sub(x: Lanes, y: Lanes) -> Lanes {
    let difference = _mm512_sub_epi64(x, y);
    let borrow = _mm512_cmplt_epu64_mask(x, y);
    _mm512_mask_sub_epi64(difference, borrow, difference, splat(EPSILON))
}

/// The residue below p.
#[inline]
#[target_feature(enable = "avx512f")]
fn canonical(x: Lanes) -> Lanes {
    _mm512_min_epu64(x, _mm512_sub_epi64(x, splat(P)))
}

/// A product of 128 bits: its lowest 32 bits and the next 32 in the lower halves of two lanes,
/// whose upper halves are anything, and its upper 64 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn product(x: Lanes, y: Lanes) -> (Lanes, Lanes, Lanes) {
    let (x1, y1) = (_mm512_srli_epi64::<32>(x), _mm512_srli_epi64::<32>(y));
    let low = _mm512_mul_epu32(x, y);
    let cross = _mm512_mul_epu32(x1, y);
    let other = _mm512_mul_epu32(x, y1);
    let high = _mm512_mul_epu32(x1, y1);
    // At most (2^32 - 1)^2 + 2^32 - 1 each: no carry.
    let a = _mm512_add_epi64(cross, _mm512_srli_epi64::<32>(low));
    let b = _mm512_add_epi64(other, _mm512_and_si512(a, splat(EPSILON)));
    let high = _mm512_add_epi64(high, _mm512_srli_epi64::<32>(a));
    let high = _mm512_add_epi64(high, _mm512_srli_epi64::<32>(b));
    (low, b, high)
}

/// x y.
#[inline]
#[target_feature(enable = "avx512f")]
fn mul(x: Lanes, y: Lanes) -> Lanes {
    let (low, mid, high) = product(x, y);
    let low = _mm512_mask_blend_epi32(0b1010_1010_1010_1010, low, _mm512_slli_epi64::<32>(mid));
    reduce(low, high)
}

/// x^2.
#[inline]
#[target_feature(enable = "avx512f")]
fn square(x: Lanes) -> Lanes {
    let x1 = _mm512_srli_epi64::<32>(x);
    let low = _mm512_mul_epu32(x, x);
    let cross = _mm512_mul_epu32(x1, x);
    let high = _mm512_mul_epu32(x1, x1);
    // x^2 = low + 2^33 cross + 2^64 high.
    let middle = _mm512_add_epi64(cross, _mm512_srli_epi64::<33>(low));
    let high = _mm512_add_epi64(high, _mm512_srli_epi64::<31>(middle));
    let low = _mm512_add_epi64(low, _mm512_slli_epi64::<33>(cross));
    reduce(low, high)
}

/// low + 2^64 high, by 2^64 = 2^32 - 1 and 2^96 = -1.
#[inline]
#[target_feature(enable = "avx512f")]
fn reduce(low: Lanes, high: Lanes) -> Lanes {
    let low = sub(low, _mm512_srli_epi64::<32>(high));
    // A product with 2^32 - 1 is below p.
    add(low, _mm512_mul_epu32(high, splat(EPSILON)))
}

/// x^7.
#[inline]
#[target_feature(enable = "avx512f")]
fn s_box(x: Lanes) -> Lanes {
    let x2 = square(x);
    mul(mul(x2, x), square(x2))
}

/// x^7 of each in halves, of which the low one is above -2^33 and both are below 2^33, and then the
/// external layer.
#[inline]
#[target_feature(enable = "avx512f")]
fn external_round(state: &mut [Lanes; WIDTH], addends: &[Addend; WIDTH]) {
    let mask = splat(EPSILON);
    let mut lows = *state;
    let mut highs = *state;
    // Stage by stage: the chains of all elements run beside each other.
    let mut x2 = *state;
    for x in &mut x2 {
        *x = square(*x);
    }
    let (mut x3, mut x4) = (x2, x2);
    for i in 0..WIDTH {
        x3[i] = mul(x2[i], state[i]);
        x4[i] = square(x2[i]);
    }
    for i in 0..WIDTH {
        let (low, mid, high) = product(x3[i], x4[i]);
        let low = _mm512_and_si512(low, mask);
        let mid = _mm512_and_si512(mid, mask);
        let (high0, high1) = (_mm512_and_si512(high, mask), _mm512_srli_epi64::<32>(high));
        // 2^64 high0 = 2^32 high0 - high0, 2^96 high1 = -high1.
        lows[i] = _mm512_sub_epi64(low, _mm512_add_epi64(high0, high1));
        highs[i] = _mm512_add_epi64(mid, high0);
    }
    external_layer(state, lows, highs, addends);
}

/// The external matrix on one of two halves: circ(2, 3, 1, 1) on each four elements, and to each
/// the sum of those at its place in the fours. A row adds up to 28.
#[inline]
#[target_feature(enable = "avx512f")]
fn external_matrix(x: &mut [Lanes; WIDTH]) {
    let plus = |a, b| _mm512_add_epi64(a, b);
    for four in x.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (ab, cd) = (plus(a, b), plus(c, d));
        let all = plus(ab, cd);
        let (with_b, with_d) = (plus(all, b), plus(all, d));
        *four = [
            plus(with_b, ab),
            plus(with_b, plus(c, c)),
            plus(with_d, cd),
            plus(with_d, plus(a, a)),
        ];
    }
    for i in 0..4 {
        let sum = plus(plus(x[i], x[i + 4]), x[i + 8]);
        for j in [i, i + 4, i + 8] {
            x[j] = plus(x[j], sum);
        }
    }
}

/// The external matrix, with the constants that come next.
#[inline]
#[target_feature(enable = "avx512f")]
fn external_layer(
    state: &mut [Lanes; WIDTH],
    mut low: [Lanes; WIDTH],
    mut high: [Lanes; WIDTH],
    addends: &[Addend; WIDTH],
) {
    external_matrix(&mut low);
    external_matrix(&mut high);
    for i in 0..WIDTH {
        state[i] = join(
            _mm512_add_epi64(low[i], splat(addends[i].low)),
            _mm512_add_epi64(high[i], splat(addends[i].high)),
        );
    }
}

/// low + 2^32 high for halves below 2^62.
#[inline]
#[target_feature(enable = "avx512f")]
fn join(low: Lanes, high: Lanes) -> Lanes {
    let above = _mm512_mul_epu32(_mm512_srli_epi64::<32>(high), splat(EPSILON));
    add(_mm512_slli_epi64::<32>(high), _mm512_add_epi64(low, above))
}

/// The sum of eleven numbers.
#[inline]
#[target_feature(enable = "avx512f")]
fn sum(x: &[Lanes; WIDTH - 1]) -> Lanes {
    // Two chains that run beside each other; each keeps what is lost above 2^64.
    let one = splat(EPSILON);
    let mut sums = [x[0], x[1]];
    let mut lost = [splat(0); 2];
    for i in 2..WIDTH - 1 {
        let next = _mm512_add_epi64(sums[i % 2], x[i]);
        let carry = _mm512_cmplt_epu64_mask(next, x[i]);
        lost[i % 2] = _mm512_mask_add_epi64(lost[i % 2], carry, lost[i % 2], one);
        sums[i % 2] = next;
    }
    let all = _mm512_add_epi64(sums[0], sums[1]);
    let carry = _mm512_cmplt_epu64_mask(all, sums[1]);
    let lost = _mm512_add_epi64(lost[0], lost[1]);
    let lost = _mm512_mask_add_epi64(lost, carry, lost, one);
    add(all, lost)
}

/// m / 2^k mod p for m = i mod 2^k, at place i: a multiple of p is added that 2^k divides with m,
/// and p = 1 mod 2^k.
const fn fractions(k: u32) -> [u64; 8] {
    let mut table = [0; 8];
    let mut i = 0;
    while i < 8 {
        let m = i as u128 % (1 << k);
        let multiple = (1 << k) - m;
        let fraction = if m == 0 {
            0
        } else {
            (m + multiple * P as u128) >> k
        };
        table[i] = fraction as u64;
        i += 1;
    }
    table
}

/// -m / 2^k mod p, from 1 to p.
const fn negative_fractions(k: u32) -> [u64; 8] {
    let mut table = fractions(k);
    let mut i = 0;
    while i < 8 {
        table[i] = P - table[i];
        i += 1;
    }
    table
}

/// Each lane's lowest three bits, looked up.
#[inline]
#[target_feature(enable = "avx512f")]
fn lookup(table: &[u64; 8], x: Lanes) -> Lanes {
    let t = |i: usize| table[i].cast_signed();
    let table = _mm512_set_epi64(t(7), t(6), t(5), t(4), t(3), t(2), t(1), t(0));
    _mm512_permutexvar_epi64(x, table)
}

/// c + x / 2^K for a canonical c.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_fraction<const K: u32>(c: Lanes, x: Lanes) -> Lanes {
    let table = const { fractions(K) };
    let part = _mm512_add_epi64(_mm512_srli_epi64::<K>(x), lookup(&table, x));
    add(part, c)
}

/// c - x / 2^K for a canonical c.
#[inline]
#[target_feature(enable = "avx512f")]
fn sub_fraction<const K: u32>(c: Lanes, x: Lanes) -> Lanes {
    let table = const { negative_fractions(K) };
    let x = canonical(x);
    let part = _mm512_sub_epi64(lookup(&table, x), _mm512_srli_epi64::<K>(x));
    add(part, c)
}

/// 4 x.
#[inline]
#[target_feature(enable = "avx512f")]
fn four_times(x: Lanes) -> Lanes {
    let above = _mm512_mul_epu32(_mm512_srli_epi64::<62>(x), splat(EPSILON));
    add(_mm512_slli_epi64::<2>(x), above)
}

/// The internal rounds: the S-box on the first element, then the internal matrix.
#[inline]
#[target_feature(enable = "avx512f")]
fn internal_rounds(state: &mut [Lanes; WIDTH], constants: &[u64; 22]) {
    let [mut first, mut s @ ..] = *state;
    for &constant in constants {
        first = internal_matrix(s_box(add(first, splat(constant))), &mut s);
    }
    state[0] = first;
    state[1..].copy_from_slice(&s);
}

/// The internal matrix: each element becomes the sum of all and its own multiple. Takes the first
/// element and returns it; the sum of the others does not wait for it.
#[inline]
#[target_feature(enable = "avx512f")]
fn internal_matrix(first: Lanes, s: &mut [Lanes; WIDTH - 1]) -> Lanes {
    let rest = sum(s);
    let x = canonical(first);
    let all = canonical(add(rest, x));
    // The multiples: -2, then 1, 2, 1/2, 3, 4, -1/2, -3, -4, 1/4, -1/4, 1/8.
    s[0] = add(s[0], all);
    let y = canonical(s[1]);
    s[1] = add(add(y, y), all);
    s[2] = add_fraction::<1>(all, s[2]);
    let y = canonical(s[3]);
    s[3] = add(add(add(y, y), y), all);
    s[4] = add(four_times(s[4]), all);
    s[5] = sub_fraction::<1>(all, s[5]);
    let y = canonical(s[6]);
    s[6] = sub(sub(sub(all, y), y), y);
    let y = _mm512_sub_epi64(splat(P), canonical(s[7]));
    s[7] = add(four_times(y), all);
    s[8] = add_fraction::<2>(all, s[8]);
    s[9] = sub_fraction::<2>(all, s[9]);
    s[10] = add_fraction::<3>(all, s[10]);
    sub(rest, x)
}

#[cfg(test)]
mod tests;
