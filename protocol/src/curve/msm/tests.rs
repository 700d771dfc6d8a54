use proptest::array::uniform5;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::curve::{GENERATOR, Scalar, hash_to_curve};

/// The sum of the multiples, one by one.
fn naive(points: &[AffinePoint], factors: &[Words]) -> Point {
    let mut sum = Point::NEUTRAL;
    for (point, factor) in points.iter().zip(factors) {
        let mut wide = [0; 10];
        wide[..5].copy_from_slice(factor);
        sum = sum + Point::from(*point).mul(&Scalar::reduce(&wide));
    }
    sum
}

/// Few different points, so that equal and opposite ones meet in a bucket.
fn arbitrary_point() -> impl Strategy<Value = AffinePoint> {
    (0..6_u32, any::<bool>()).prop_map(|(label, is_negative)| {
        let point = if label == 0 {
            *GENERATOR
        } else {
            hash_to_curve(label)
        };
        if is_negative { -point } else { point }
    })
}

/// Factors of all lengths, often the same, with long runs of zeros and ones.
fn arbitrary_factor() -> impl Strategy<Value = Words> {
    let word = || prop_oneof![Just(0), Just(u64::MAX), Just(1 << 63), any::<u64>()];
    prop_oneof![
        Just([5, 0, 0, 0, 0]),
        Just([u64::MAX; 5]),
        uniform5(word()),
        (word(), word()).prop_map(|(low, high)| [low, high, 0, 0, 0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_sum_is_that_of_the_multiples(
        terms in vec((arbitrary_point(), arbitrary_factor()), 0..80),
    ) {
        let (points, factors): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        prop_assert_eq!(multi_scalar_mul(&points, &factors), naive(&points, &factors));
    }
}

/// As many terms as a batch has, so with wide digits and one window per task.
#[test]
fn many_terms_are_summed() {
    let count = 40_000;
    let factor = |i: u64| {
        let word = |k: u64| (k + i).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        if i.is_multiple_of(2) {
            [word(1), word(2), 0, 0, 0]
        } else {
            [word(3), word(4), word(5), word(6), 0]
        }
    };
    let factors: Vec<Words> = (0..count).map(factor).collect();
    let next = |point: &Point| Some(*point + *GENERATOR);
    let multiples = core::iter::successors(Some(Point::from(*GENERATOR)), next);
    let points: Vec<Point> = multiples.take(factors.len()).collect();
    let points = crate::curve::batch_to_affine(&points).unwrap();
    // The points are G, 2 G, 3 G, ...
    let expected = factors
        .iter()
        .zip(1_u128..)
        .fold(Scalar::ZERO, |sum, (factor, i)| {
            let mut wide = [0; 10];
            wide[..5].copy_from_slice(factor);
            sum + Scalar::reduce(&wide) * Scalar::from(i)
        });
    assert_eq!(
        multi_scalar_mul(&points, &factors),
        Point::mul_generator(&expected)
    );
}

#[test]
fn equal_and_opposite_terms_meet_in_every_bucket() {
    let [p, q] = [hash_to_curve(1), hash_to_curve(2)];
    let factor = [u64::MAX / 3, u64::MAX / 5, u64::MAX / 7, u64::MAX / 17, 0];
    for points in [
        vec![p; 300],
        [vec![p; 150], vec![-p; 150]].concat(),
        [vec![p; 7], vec![q; 9]].concat(),
    ] {
        let factors = vec![factor; points.len()];
        assert_eq!(
            multi_scalar_mul(&points, &factors),
            naive(&points, &factors)
        );
    }
}
