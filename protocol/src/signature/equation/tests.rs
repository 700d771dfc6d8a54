use rand::SeedableRng;

use super::*;
use crate::curve::{GENERATOR, LANES};

fn multiple_of_g(factor: Scalar) -> AffinePoint {
    Point::mul_generator(&factor).to_affine().unwrap()
}

/// The equation of P = d G, R = k G and e; it holds.
fn equation(d: Scalar, k: Scalar, e: u128) -> Equation {
    Equation {
        public_key: multiple_of_g(d),
        challenge: e,
        r: multiple_of_g(k),
        s: k + Scalar::from(e) * d,
    }
}

/// Equations with all kinds of coincidences between their points; they hold.
fn special() -> Vec<Equation> {
    let number = |value: u128| Scalar::from(value);
    let e = u128::MAX / 3;
    vec![
        equation(number(12), number(34), 0),
        equation(number(12), number(34), 1),
        equation(number(12), number(34), u128::MAX),
        // P = G; R = G; both.
        equation(Scalar::ONE, number(34), e),
        equation(number(12), Scalar::ONE, e),
        equation(Scalar::ONE, Scalar::ONE, e),
        // R = P; R = -P.
        equation(number(12), number(12), e),
        equation(number(12), -number(12), e),
        // s = 0, R = -e P.
        equation(number(12), -(number(12) * number(e)), e),
        // R = e P.
        equation(number(12), number(12) * number(e), e),
        // The same R as another, another P.
        equation(number(13), number(34), e),
        equation(-number(12), number(34), e),
        // P = -G, s = 1 - e.
        equation(-Scalar::ONE, Scalar::ONE, e),
    ]
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

/// Asserts which equations hold, one by one and together.
fn check(equations: &[Equation], expected: &[bool]) {
    let found: Vec<bool> = equations.chunks(LANES).flat_map(hold_each).collect();
    assert_eq!(found, expected);
    let all = expected.iter().all(|holds| *holds);
    assert_eq!(hold_together(equations, &mut rng()), all);
}

#[test]
fn special_equations_hold_and_their_neighbours_do_not() {
    let right = special();
    check(&right, &vec![true; right.len()]);
    assert!(right[8].s == Scalar::ZERO);
    for i in 0..right.len() {
        let wrong = [
            Equation {
                s: right[i].s + Scalar::ONE,
                ..right[i]
            },
            Equation {
                challenge: right[i].challenge ^ 1,
                ..right[i]
            },
            Equation {
                r: multiple_of_g(Scalar::from(99)),
                ..right[i]
            },
            Equation {
                r: -right[i].r,
                ..right[i]
            },
        ];
        for wrong in wrong {
            let mut equations = right.clone();
            equations[i] = wrong;
            let expected: Vec<bool> = (0..right.len()).map(|k| k != i).collect();
            check(&equations, &expected);
        }
    }
}

/// With e = 0 the key does not matter, and any other key is as good.
#[test]
fn a_zero_challenge_leaves_the_key_out() {
    let other_key = Equation {
        public_key: *GENERATOR,
        ..equation(Scalar::from(12), Scalar::from(34), 0)
    };
    check(&[other_key], &[true]);
}

#[test]
fn no_equation_holds_together() {
    check(&[], &[]);
}

#[test]
fn one_equation_many_times_over() {
    let right = special()[2];
    check(&[right; 100], &[true; 100]);
    let wrong = Equation {
        s: right.s + Scalar::ONE,
        ..right
    };
    check(&[wrong; 100], &[false; 100]);
}

/// Wrong equations whose errors add up to nothing when the weights are all the same, in a
/// fixed ratio, or grow from one to the next.
#[test]
fn errors_that_cancel_with_predictable_weights_are_found() {
    let delta = Scalar::from(0x1234_5678);
    let with_error = |i: u128, error: Scalar| {
        let right = equation(Scalar::from(100 + i), Scalar::from(200 + i), 1 << i);
        Equation {
            s: right.s + error,
            ..right
        }
    };
    let two = Scalar::from(2);
    for errors in [
        vec![delta, -delta],
        vec![delta + delta, -delta],
        vec![delta, -(two * delta), delta],
        vec![delta, delta, delta, -(two * delta), -delta],
    ] {
        let indexed = (0..).zip(&errors);
        let equations: Vec<_> = indexed.map(|(i, error)| with_error(i, *error)).collect();
        check(&equations, &vec![false; errors.len()]);
    }
    // The same error in R of one and in P of the other.
    let e = 5;
    let mut pair = [equation(two, two, e), equation(two, two, e)];
    pair[0].r = multiple_of_g(two + Scalar::from(e));
    pair[1].public_key = multiple_of_g(two - Scalar::ONE);
    check(&pair, &[false; 2]);
}

/// The sum is over integers of up to 448 bits and more; nothing is cut off.
#[test]
fn the_largest_numbers_are_weighted() {
    let largest = -Scalar::ONE;
    let equations: Vec<_> = (1..200)
        .map(|i| equation(largest, largest - Scalar::from(i), u128::MAX - i))
        .collect();
    check(&equations, &vec![true; equations.len()]);
    let mut sum = [u64::MAX, u64::MAX, u64::MAX, 0, 0, 0, 0, 0, 0, 0];
    add_product(&mut sum, 1, &[1, 0, 0, 0, 0]);
    assert_eq!(sum, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    sum = [u64::MAX; 10];
    sum[9] = 0;
    add_product(&mut sum, 1 << 64, &[1, 0, 0, 0, 0]);
    assert_eq!(sum, [u64::MAX, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn weights_differ_and_depend_on_the_seed() {
    let draw = |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        [nonzero(&mut rng), nonzero(&mut rng), nonzero(&mut rng)]
    };
    let [a, b, c] = draw(1);
    assert!(a != b && b != c && a != c && draw(2) != draw(1));
    assert!([a, b, c].iter().any(|weight| weight >> 120 != 0));
}

/// The factors of one key are added up, those of keys that only look alike are not.
#[test]
fn a_key_has_one_term() {
    let [a, b] = [
        equation(Scalar::from(3), Scalar::from(5), 7),
        equation(Scalar::from(4), Scalar::from(6), 8),
    ];
    let mut opposite = b;
    opposite.public_key = -b.public_key;
    let mut sum = WeightedSum::default();
    for (equation, weight) in [(&a, 10), (&b, 1), (&a, 20), (&opposite, 1), (&b, 2)] {
        sum.add(equation, weight);
    }
    let Terms { points, factors } = sum.right;
    let factors_of = |point: AffinePoint| -> Vec<u64> {
        let terms = points.iter().zip(&factors);
        terms
            .filter(|(term, _)| **term == point)
            .map(|(_, factor)| factor[0])
            .collect()
    };
    assert_eq!(factors_of(a.public_key), [210]);
    assert_eq!(factors_of(b.public_key), [24]);
    assert_eq!(factors_of(opposite.public_key), [8]);
    assert_eq!(factors_of(a.r), [10, 20]);
}
