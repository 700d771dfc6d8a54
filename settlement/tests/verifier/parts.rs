//! Parts of the contract against Rust.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::sol;
use plonky2::field::extension::FieldExtension as _;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::types::{Field as _, PrimeField64 as _, Sample as _};
use plonky2::plonk::config::Hasher as _;
use shardfold_recursion::plonk::onchain::{Coordinates, trace};
use shardfold_recursion::plonk::{PlonkField, Poseidon2Hash};

use crate::fixture::{CASE, HARNESS};

sol! {
    #[derive(Debug, PartialEq, Eq)]
    interface IHarness {
        function trace(bytes calldata proof) external view returns (uint256[] memory slots, uint256 zeta, uint256 batch, uint256[] memory folds, uint256[] memory indices);
        function gasOfParts(bytes calldata proof) external view returns (uint256 data, uint256 transcript, uint256 program, uint256 lowDegree);
        function poseidon2(bytes calldata elements) external view returns (uint256[4] memory digest);
        function field(uint256 x, uint256 y) external pure returns (uint256[4] memory);
    }
}

/// An element as the contract holds it.
fn word([low, high]: Coordinates) -> U256 {
    (U256::from(high) << 128) | U256::from(low)
}

#[test]
fn transcript_and_program_give_the_same_numbers() {
    let (chain, harness) = &*HARNESS;
    let proof = Bytes::from(CASE.bytes.clone());
    let found = chain.ask(*harness, &IHarness::traceCall { proof });
    let expected = trace(&CASE.common, CASE.grinding, &CASE.key, &CASE.proof).unwrap();
    assert_eq!(found.zeta, word(expected.zeta));
    assert_eq!(found.batch, word(expected.batch));
    assert_eq!(
        found.folds,
        expected.folds.into_iter().map(word).collect::<Vec<_>>()
    );
    let indices = expected.indices.into_iter().map(U256::from);
    assert_eq!(found.indices, indices.collect::<Vec<_>>());
    assert_eq!(
        found.slots,
        expected.slots.into_iter().map(word).collect::<Vec<_>>()
    );
    // Nearly all of them are something.
    let zeros = found.slots.iter().filter(|slot| slot.is_zero()).count();
    assert!(zeros < found.slots.len() / 20, "{zeros}");
}

#[test]
fn the_statements_hash_is_that_of_the_recursion() {
    let (chain, harness) = &*HARNESS;
    for count in (0..20).chain([49]) {
        let elements = PlonkField::rand_vec(count);
        let bytes = elements.iter();
        let bytes = bytes.flat_map(|element| element.to_canonical_u64().to_be_bytes());
        let elements_bytes = Bytes::from(bytes.collect::<Vec<u8>>());
        let call = IHarness::poseidon2Call {
            elements: elements_bytes,
        };
        let expected = Poseidon2Hash::hash_no_pad(&elements).elements;
        let expected = expected.map(|element| U256::from(element.to_canonical_u64()));
        assert_eq!(chain.ask(*harness, &call), expected, "{count} elements");
    }
}

#[test]
fn the_field_is_the_extension_by_the_root_of_seven() {
    type Extension = QuadraticExtension<PlonkField>;
    let (chain, harness) = &*HARNESS;
    let word = |x: Extension| {
        let [low, high]: [PlonkField; 2] = x.to_basefield_array();
        word([low.to_canonical_u64(), high.to_canonical_u64()])
    };
    let edge = [PlonkField::ZERO, PlonkField::ONE, PlonkField::NEG_ONE];
    let edges = edge
        .into_iter()
        .flat_map(|x| edge.map(|y| QuadraticExtension([x, y])));
    let values: Vec<Extension> = edges.chain((0..3).map(|_| Extension::rand())).collect();
    for &x in &values {
        for &y in &values {
            let call = IHarness::fieldCall {
                x: word(x),
                y: word(y),
            };
            let inverse = x.try_inverse().unwrap_or(Extension::ZERO);
            let expected = [x + y, x - y, x * y, inverse].map(word);
            assert_eq!(chain.ask(*harness, &call), expected, "{x}, {y}");
        }
    }
}
