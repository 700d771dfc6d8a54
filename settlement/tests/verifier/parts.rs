//! Parts of the contract against Rust.

use alloy_primitives::{Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolInterface as _, sol};
use plonky2::field::extension::FieldExtension as _;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::types::{Field as _, Field64 as _, PrimeField64 as _, Sample as _};
use plonky2::plonk::config::Hasher as _;
use shardfold_recursion::plonk::onchain::{Coordinates, Trace, trace};
use shardfold_recursion::plonk::{PlonkField, Poseidon2Hash};

use shardfold_settlement::verifier::IVerifier::{self, IVerifierErrors};

use crate::chain::{DEPLOYER, Failed};
use crate::fixture::{CASE, HARNESS};

sol! {
    #[derive(Debug, PartialEq, Eq)]
    interface IHarness {
        function trace(bytes calldata proof) external view returns (uint256[] memory slots, uint256 zeta, uint256 batch, uint256[] memory folds, uint256[] memory indices);
        function challenges(bytes calldata proof) external view returns (uint256[] memory slots, uint256 zeta, uint256 batch, uint256[] memory folds, uint256[] memory indices);
        function gasOfParts(bytes calldata proof) external view returns (uint256 data, uint256 transcript, uint256 program, uint256 lowDegree);
        function poseidon2(bytes calldata elements) external view returns (uint256[4] memory digest);
        function field(uint256 x, uint256 y) external pure returns (uint256[4] memory);
        function programWith(bytes calldata proof, uint256 number) external view returns (bool);
        function quotient(uint256 x, uint256 y) external pure returns (uint256 result);
        function pointOf(uint256 low, uint256 high) external pure returns (uint256);
        function combine(bytes calldata row) external pure returns (uint256);
        function readValues(bytes calldata values, uint256 position) external view returns (uint256 leaf, uint256 value);
        function lowDegreeWith(bytes calldata proof, uint256 what, uint256 number) external view returns (bool);
    }
}

/// An element as the contract holds it.
fn word([low, high]: Coordinates) -> U256 {
    (U256::from(high) << 128) | U256::from(low)
}

/// A trace as the contract gives it, with so many of its slots.
pub fn trace_of(expected: &Trace, slots: usize) -> IHarness::traceReturn {
    let words = |numbers: &[Coordinates]| numbers.iter().copied().map(word).collect::<Vec<_>>();
    IHarness::traceReturn {
        slots: words(&expected.slots[..slots]),
        zeta: word(expected.zeta),
        batch: word(expected.batch),
        folds: words(&expected.folds),
        indices: expected
            .indices
            .iter()
            .map(|&index| U256::from(index))
            .collect(),
    }
}

#[test]
fn transcript_and_program_give_the_same_numbers() {
    let (chain, harness) = &*HARNESS;
    let proof = Bytes::from(CASE.bytes.clone());
    let found = chain.ask(*harness, &IHarness::traceCall { proof });
    let expected = trace(&CASE.common, CASE.grinding, &CASE.key, &CASE.proof).unwrap();
    assert_eq!(found, trace_of(&expected, expected.slots.len()));
    // Nearly all of them are something.
    let zeros = found.slots.iter().filter(|slot| slot.is_zero()).count();
    assert!(zeros < found.slots.len() / 20, "{zeros}");
}

#[test]
fn the_statements_hash_is_that_of_the_recursion() {
    let (chain, harness) = &*HARNESS;
    for count in (0..20).chain([59]) {
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

/// What the harness refuses a call for.
#[track_caller]
fn refusal(call: &impl SolCall) -> IVerifierErrors {
    let (chain, harness) = &*HARNESS;
    match chain.clone().call(DEPLOYER, *harness, call) {
        Err(Failed::Reverted(reason)) => IVerifierErrors::abi_decode(&reason).unwrap(),
        Err(failed) => panic!("found {failed:?}, expected an error"),
        Ok(_) => panic!("found an answer, expected an error"),
    }
}

#[test]
fn a_point_in_the_base_field_is_refused() {
    let (chain, harness) = &*HARNESS;
    let call = |low, high| IHarness::pointOfCall {
        low: U256::from(low),
        high: U256::from(high),
    };
    let expected = IVerifierErrors::PointInBaseField(IVerifier::PointInBaseField {});
    assert_eq!(refusal(&call(5, 0)), expected);
    assert_eq!(chain.ask(*harness, &call(0, 1)), U256::ONE << 128);
}

/// p - 1, the largest element, and p, which is none.
const LAST: u64 = PlonkField::ORDER - 1;

/// An element at each place of a row or of a fold's values; p at one of them.
fn with_one_that_is_none(count: usize, place: usize) -> Bytes {
    let element = |i| if i == place { LAST + 1 } else { LAST };
    let bytes = (0..count).flat_map(|i| element(i).to_be_bytes());
    bytes.collect::<Vec<u8>>().into()
}

#[test]
fn each_element_of_a_row_must_be_canonical() {
    let (chain, harness) = &*HARNESS;
    let row = |count, place| IHarness::combineCall {
        row: with_one_that_is_none(count, place),
    };
    let expected = IVerifierErrors::NotCanonical(IVerifier::NotCanonical { part: 4 });
    for count in 1..10 {
        for place in 0..count {
            assert_eq!(refusal(&row(count, place)), expected, "{place} of {count}");
        }
        // So many times p - 1, which is -1.
        let sum = PlonkField::from_canonical_usize(count);
        let sum = [-sum, -(sum + sum)].map(|sum| sum.to_canonical_u64());
        assert_eq!(chain.ask(*harness, &row(count, count)), word(sum));
    }
}

#[test]
fn each_element_of_a_fold_must_be_canonical() {
    let (chain, harness) = &*HARNESS;
    let call = |values, position| IHarness::readValuesCall {
        values,
        position: U256::from(position),
    };
    let expected = IVerifierErrors::NotCanonical(IVerifier::NotCanonical { part: 5 });
    for place in 0..32 {
        assert_eq!(
            refusal(&call(with_one_that_is_none(32, place), 0)),
            expected
        );
    }
    let elements: Vec<u64> = (0..32).map(|i| LAST - i).collect();
    let bytes: Bytes = elements
        .iter()
        .flat_map(|x| x.to_be_bytes())
        .collect::<Vec<u8>>()
        .into();
    for (position, pair) in elements.as_chunks::<2>().0.iter().enumerate() {
        let found = chain.ask(*harness, &call(bytes.clone(), position));
        assert_eq!(found.value, word(*pair));
        assert_eq!(found.leaf, U256::from_be_bytes(keccak256(&bytes).0));
    }
}

/// Each thing that the low-degree test rests on, changed after the transcript was played, is
/// noticed where it enters.
#[test]
fn whatever_the_low_degree_test_rests_on_is_noticed() {
    let call = |what: u8, number: usize| IHarness::lowDegreeWithCall {
        proof: CASE.bytes.clone().into(),
        what: U256::from(what),
        number: U256::from(number),
    };
    let folded = |fold: usize| {
        let query = U256::ZERO;
        let fold = U256::from(fold);
        IVerifierErrors::FoldedValue(IVerifier::FoldedValue { query, fold })
    };
    let last = IVerifierErrors::FinalValue(IVerifier::FinalValue { query: U256::ZERO });
    for coefficient in 0..CASE.common.fri_params.final_poly_len() {
        assert_eq!(refusal(&call(0, coefficient)), last);
    }
    let folds = CASE.common.fri_params.reduction_arity_bits.len();
    for fold in 0..folds {
        let expected = if fold + 1 == folds {
            last.clone()
        } else {
            folded(fold + 1)
        };
        assert_eq!(refusal(&call(1, fold)), expected);
    }
    for index in 0..CASE.common.fri_params.config.num_query_rounds {
        let found = refusal(&call(2, index));
        assert!(matches!(found, IVerifierErrors::Path(_)), "{found:?}");
    }
    for opening in 0..opening_count() {
        assert_eq!(refusal(&call(3, opening)), folded(0), "{opening}");
    }
    assert_eq!(refusal(&call(4, 0)), folded(0));
    assert_eq!(refusal(&call(5, 0)), folded(0));
}

fn opening_count() -> usize {
    let openings = &CASE.proof.plonky2.proof.openings;
    let lists = [
        &openings.constants,
        &openings.plonk_sigmas,
        &openings.wires,
        &openings.plonk_zs,
        &openings.partial_products,
        &openings.quotient_polys,
        &openings.plonk_zs_next,
    ];
    lists.iter().map(|list| list.len()).sum()
}

#[test]
fn each_opening_enters_the_constraints() {
    let expected = IVerifierErrors::Constraints(IVerifier::Constraints {});
    for opening in 0..opening_count() {
        let call = IHarness::programWithCall {
            proof: CASE.bytes.clone().into(),
            number: U256::from(opening),
        };
        assert_eq!(refusal(&call), expected, "{opening}");
    }
}

#[test]
fn a_division_by_zero_is_refused() {
    let (chain, harness) = &*HARNESS;
    let call = |x: u64, y: u64| IHarness::quotientCall {
        x: U256::from(x),
        y: U256::from(y),
    };
    let expected = IVerifierErrors::Constraints(IVerifier::Constraints {});
    assert_eq!(refusal(&call(5, 0)), expected);
    assert_eq!(chain.ask(*harness, &call(35, 5)), U256::from(7));
}
