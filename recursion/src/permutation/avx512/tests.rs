//! Each step of the kernel on numbers at which it carries or borrows: on a random state most of these
//! happen once in 2^32 times.
#![allow(
    unsafe_code,
    reason = "the steps may be called where AVX-512 is, as it is here"
)]

use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::MATRIX_DIAG_12_GOLDILOCKS;

use super::*;
use crate::permutation::tests::edges;

fn lanes(x: [u64; 8]) -> Lanes {
    // SAFETY: both are 64 bytes, of which any are good.
    unsafe { transmute(x) }
}

fn numbers(x: Lanes) -> [u64; 8] {
    // SAFETY: the same.
    unsafe { transmute(x) }
}

/// What a step gives, as elements.
fn elements(x: Lanes) -> [F; 8] {
    numbers(x).map(F::new)
}

/// Every pair of edges, eight at a time: the one, and the other.
fn pairs() -> Vec<([u64; 8], [u64; 8])> {
    let edges = edges();
    let count = edges.len();
    let pair = |number: usize| (edges[number / count % count], edges[number % count]);
    (0..count * count)
        .step_by(8)
        .map(|start| {
            let eight: [(u64, u64); 8] = core::array::from_fn(|lane| pair(start + lane));
            (eight.map(|pair| pair.0), eight.map(|pair| pair.1))
        })
        .collect()
}

/// A step on every pair gives what the field does.
#[track_caller]
fn check_pairs(step: impl Fn(Lanes, Lanes) -> Lanes, expected: impl Fn(F, F) -> F) {
    for (x, y) in pairs() {
        let found = elements(step(lanes(x), lanes(y)));
        let expected: [F; 8] = core::array::from_fn(|i| expected(F::new(x[i]), F::new(y[i])));
        assert_eq!(found, expected, "{x:x?}, {y:x?}");
    }
}

#[test]
fn sums_and_products_are_those_of_the_field() {
    // SAFETY, here and below: this module is compiled where AVX-512 is.
    check_pairs(|x, y| unsafe { add(x, canonical(y)) }, |x, y| x + y);
    check_pairs(|x, y| unsafe { sub(x, canonical(y)) }, |x, y| x - y);
    check_pairs(|x, y| unsafe { mul(x, y) }, |x, y| x * y);
    check_pairs(|x, _| unsafe { square(x) }, |x, _| x * x);
    check_pairs(|x, _| unsafe { s_box(x) }, |x, _| x.exp_const_u64::<7>());
    check_pairs(|x, _| unsafe { four_times(x) }, |x, _| x + x + x + x);
    for (x, _) in pairs() {
        let found = numbers(unsafe { canonical(lanes(x)) });
        assert_eq!(found, x.map(|x| F::new(x).as_canonical_u64()));
    }
}

#[test]
fn products_of_128_bits_are_reduced() {
    let shift = F::from_u64(EPSILON);
    check_pairs(
        |x, y| unsafe { reduce(x, y) },
        |low, high| low + high * shift,
    );
}

#[test]
fn fractions_are_those_of_the_field() {
    let [half, quarter, eighth] = [2, 4, 8].map(|n| F::from_u64(n).inverse());
    check_pairs(
        |c, x| unsafe { add_fraction::<1>(canonical(c), x) },
        |c, x| c + x * half,
    );
    check_pairs(
        |c, x| unsafe { add_fraction::<2>(canonical(c), x) },
        |c, x| c + x * quarter,
    );
    check_pairs(
        |c, x| unsafe { add_fraction::<3>(canonical(c), x) },
        |c, x| c + x * eighth,
    );
    check_pairs(
        |c, x| unsafe { sub_fraction::<1>(canonical(c), x) },
        |c, x| c - x * half,
    );
    check_pairs(
        |c, x| unsafe { sub_fraction::<2>(canonical(c), x) },
        |c, x| c - x * quarter,
    );
}

/// All elements from the edges, drawn by a seed.
fn drawn(seed: &mut u64) -> [u64; 8] {
    let edges = edges();
    core::array::from_fn(|_| {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        edges[(*seed % edges.len() as u64) as usize]
    })
}

#[test]
fn the_internal_matrix_is_plonky3s_whatever_stands_for_a_residue() {
    let mut seed = 1;
    for round in 0..100_000 {
        let mut state: [[u64; 8]; WIDTH] = core::array::from_fn(|_| drawn(&mut seed));
        if round == 0 {
            state = [[u64::MAX; 8]; WIDTH];
        }
        let mut s: [Lanes; WIDTH - 1] = core::array::from_fn(|i| lanes(state[i + 1]));
        let first = unsafe { internal_matrix(lanes(state[0]), &mut s) };
        let all: [F; 8] =
            core::array::from_fn(|lane| state.map(|x| F::new(x[lane])).into_iter().sum());
        for (i, found) in [first].into_iter().chain(s).enumerate() {
            let multiple = MATRIX_DIAG_12_GOLDILOCKS[i];
            let own = state[i].map(|x| F::new(x) * multiple);
            let expected: [F; 8] = core::array::from_fn(|lane| all[lane] + own[lane]);
            assert_eq!(elements(found), expected, "element {i} of {state:x?}");
        }
    }
}

/// The least and the greatest halves that S-boxes give.
const LOW: [i64; 4] = [1 - (1 << 33), -1, 0, (1 << 32) - 1];
const HIGH: [i64; 4] = [0, 1, (1 << 32) - 1, (1 << 33) - 2];

#[test]
fn the_external_layer_takes_the_least_and_the_greatest_halves() {
    let rows: [[i128; 4]; 4] = [[2, 3, 1, 1], [1, 2, 3, 1], [1, 1, 2, 3], [3, 1, 1, 2]];
    let constants: [u64; WIDTH] = core::array::from_fn(|i| if i % 2 == 0 { P - 1 } else { 0 });
    let mut seed = 1;
    for round in 0..10_000 {
        let mut draw = |from: &[i64; 4], same: usize| -> [[i64; 8]; WIDTH] {
            core::array::from_fn(|_| {
                let drawn = drawn(&mut seed);
                core::array::from_fn(|lane| match round {
                    // All the same first.
                    0..16 => from[same],
                    _ => from[(drawn[lane].count_ones() % 4) as usize],
                })
            })
        };
        let (low, high) = (draw(&LOW, round / 4 % 4), draw(&HIGH, round % 4));
        let as_lanes = |x: [[i64; 8]; WIDTH]| x.map(|x| lanes(x.map(i64::cast_unsigned)));
        let mut found = as_lanes(low);
        let addends = constants.map(addend);
        unsafe { external_layer(&mut found, as_lanes(low), as_lanes(high), &addends) };
        for lane in 0..8 {
            let x: [i128; WIDTH] = core::array::from_fn(|i| {
                i128::from(low[i][lane]) + (i128::from(high[i][lane]) << 32)
            });
            let four = |i: usize| -> i128 {
                let block = &x[i / 4 * 4..][..4];
                rows[i % 4].iter().zip(block).map(|(a, b)| a * b).sum()
            };
            for i in 0..WIDTH {
                let sum: i128 = (0..3).map(|block| four(4 * block + i % 4)).sum();
                let whole = four(i) + sum + i128::from(constants[i]);
                let expected = whole.rem_euclid(i128::from(P)) as u64;
                let found = F::new(numbers(found[i])[lane]).as_canonical_u64();
                assert_eq!(found, expected, "element {i}, lane {lane}");
            }
        }
    }
}
