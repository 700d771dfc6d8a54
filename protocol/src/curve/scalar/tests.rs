use num_bigint::BigUint;
use proptest::array::{uniform5, uniform8, uniform10};
use proptest::prelude::*;

use super::*;
use crate::field::canonical;

fn to_big(words: &[u64]) -> BigUint {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

fn order() -> BigUint {
    to_big(&ORDER)
}

/// Words that are often all zeros or ones.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]
}

fn arbitrary_scalar() -> impl Strategy<Value = Scalar> {
    uniform5(word()).prop_map(|mut words| {
        words[4] %= ORDER[4];
        Scalar::from_words(words).unwrap()
    })
}

#[test]
fn the_constants_are_what_they_are_said_to_be() {
    assert_eq!(to_big(&R), (BigUint::from(1_u8) << 320) % order());
    assert_eq!(to_big(&R_SQUARED), (BigUint::from(1_u8) << 640) % order());
    assert_eq!(MINUS_INVERSE.wrapping_neg().wrapping_mul(ORDER[0]), 1);
}

#[test]
fn the_largest_integers_are_reduced() {
    let largest = Scalar::from_words(core::array::from_fn(|i| ORDER[i] - u64::from(i == 0)));
    let largest = largest.unwrap();
    assert_eq!(largest * largest, Scalar::ONE);
    assert_eq!(largest + Scalar::ONE, Scalar::ZERO);
    let all_ones = [u64::MAX; 10];
    assert_eq!(
        to_big(&Scalar::reduce(&all_ones).words()),
        to_big(&all_ones) % order()
    );
    let mut order = [0; 10];
    order[..5].copy_from_slice(&ORDER);
    assert_eq!(Scalar::reduce(&order), Scalar::ZERO);
}

proptest! {
    #[test]
    fn products_are_those_of_integers(k in arbitrary_scalar(), l in arbitrary_scalar()) {
        let product = to_big(&k.words()) * to_big(&l.words()) % order();
        prop_assert_eq!(to_big(&(k * l).words()), product);
        let sum = (to_big(&k.words()) + to_big(&l.words())) % order();
        prop_assert_eq!(to_big(&(k + l).words()), sum);
    }

    #[test]
    fn ten_words_are_reduced(number in uniform10(word())) {
        let reduced = Scalar::reduce(&number);
        prop_assert_eq!(to_big(&reduced.words()), to_big(&number) % order());
    }

    #[test]
    fn uniform_digits_are_in_base_p(digits in uniform8(0..MODULUS)) {
        let number = digits.iter().rev().fold(BigUint::ZERO, |number, digit| {
            number * MODULUS + *digit
        });
        let scalar = Scalar::from_uniform(&digits.map(|digit| canonical(digit).unwrap()));
        prop_assert_eq!(to_big(&scalar.words()), number % order());
    }
}
