use p3_field::PrimeCharacteristicRing;
use proptest::array::uniform5;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::curve::field5::{is_nonzero_square, mul_b, norm};
use crate::field::MODULUS;

/// Elements that are often zero or at the ends of the range, and not always in lowest terms.
fn arbitrary_element() -> impl Strategy<Value = F> {
    let ends = vec![0, 1, MODULUS - 1, MODULUS, MODULUS + 1, u64::MAX, 1 << 32];
    prop_oneof![proptest::sample::select(ends), any::<u64>()].prop_map(F::new)
}

fn arbitrary_lanes() -> impl Strategy<Value = Vec<F5>> {
    vec(uniform5(arbitrary_element()).prop_map(F5::new), LANES)
}

fn pack(lanes: &[F5]) -> PackedF5 {
    PackedF5::from_fn(|lane| lanes[lane])
}

fn lanes_of(packed: PackedF5) -> Vec<F5> {
    (0..LANES).map(|lane| packed.lane(lane)).collect()
}

fn each(lanes: &[F5], operation: impl Fn(F5) -> F5) -> Vec<F5> {
    lanes.iter().map(|lane| operation(*lane)).collect()
}

fn each_pair(left: &[F5], right: &[F5], operation: impl Fn(F5, F5) -> F5) -> Vec<F5> {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| operation(*left, *right))
        .collect()
}

proptest! {
    #[test]
    fn lanes_are_computed_with_as_single_elements(
        left in arbitrary_lanes(), right in arbitrary_lanes(),
    ) {
        let (a, b) = (pack(&left), pack(&right));
        prop_assert_eq!(lanes_of(a), left.clone());
        prop_assert_eq!(lanes_of(a + b), each_pair(&left, &right, |a, b| a + b));
        prop_assert_eq!(lanes_of(a - b), each_pair(&left, &right, |a, b| a - b));
        prop_assert_eq!(lanes_of(a * b), each_pair(&left, &right, |a, b| a * b));
        prop_assert_eq!(lanes_of(-a), each(&left, |a| -a));
        prop_assert_eq!(lanes_of(a.double()), each(&left, |a| a + a));
        prop_assert_eq!(lanes_of(a.square()), each(&left, |a| a * a));
        prop_assert_eq!(lanes_of(a.mul_b()), each(&left, |a| mul_b(&a)));
        prop_assert_eq!(lanes_of(PackedF5::from(right[0])), vec![right[0]; LANES]);
    }

    #[test]
    fn norms_inverses_and_symbols_are_those_of_each_lane(lanes in arbitrary_lanes()) {
        let packed = pack(&lanes);
        let (norms, cofactors) = packed.norm();
        let [_, symbols] = legendre_symbols([Packed::ZERO, norms]);
        for (lane, value) in lanes.iter().enumerate() {
            prop_assert_eq!(norms.as_slice()[lane], norm(value));
            prop_assert_eq!(cofactors.lane(lane) * *value, F5::from(norm(value)));
            let is_square = symbols.as_slice()[lane] == F::ONE;
            prop_assert_eq!(is_square, is_nonzero_square(value));
        }
        let nonzero = each(&lanes, |value| if value.is_zero() { F5::TWO } else { value });
        let inverse = lanes_of(pack(&nonzero).inverse());
        prop_assert_eq!(inverse, each(&nonzero, |value| value.inverse()));
    }

    #[test]
    fn zero_lanes_are_found(mut lanes in arbitrary_lanes(), zero in 0..LANES, p in any::<bool>()) {
        // Zero may also stand as p.
        lanes[zero] = F5::new([F::new(if p { MODULUS } else { 0 }); 5]);
        let mut packed = pack(&lanes);
        prop_assert!(packed.may_have_zero());
        prop_assert!(packed.zero_lanes()[zero]);
        let expected: Vec<bool> = lanes.iter().map(Field::is_zero).collect();
        prop_assert_eq!(packed.zero_lanes().to_vec(), expected);
        for lane in 0..LANES {
            packed.set_lane(lane, F5::ONE);
        }
        prop_assert!(!packed.may_have_zero());
        prop_assert_eq!(packed.zero_lanes(), [false; LANES]);
        packed.set_lane(zero, F5::ZERO);
        prop_assert_eq!(packed.zero_lanes(), core::array::from_fn(|lane| lane == zero));
    }
}
