//! What is refused, and why.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolInterface as _;
use shardfold_settlement::verifier::IVerifier::IVerifierErrors;
use shardfold_settlement::verifier::{IVerifier, data_creations, data_hash};

use crate::chain::{DEPLOYER, Failed};
use crate::fixture::{CASE, CHAIN};

/// What the verifier says to these bytes.
///
/// # Panics
/// If it accepts them, runs out of gas, or says nothing.
#[track_caller]
fn refusal(bytes: Vec<u8>) -> IVerifierErrors {
    let (chain, verifier) = &*CHAIN;
    let call = IVerifier::verifyCall {
        proof: Bytes::from(bytes),
    };
    match chain.clone().call(DEPLOYER, *verifier, &call) {
        Err(Failed::Reverted(reason)) => {
            IVerifierErrors::abi_decode(&reason).expect("one of the errors that there are")
        }
        other => panic!("found {other:?}, expected an error"),
    }
}

/// The proof with one bit of a byte flipped.
fn flipped(place: usize) -> Vec<u8> {
    let mut bytes = CASE.bytes.clone();
    bytes[place] ^= 1 << (place % 8);
    bytes
}

/// The proof with p in place of an element.
fn not_canonical(place: usize) -> Vec<u8> {
    let mut bytes = CASE.bytes.clone();
    bytes[place..place + 8].copy_from_slice(&0xffff_ffff_0000_0001_u64.to_be_bytes());
    bytes
}

/// Where the parts of a proof begin.
struct Places {
    openings: usize,
    /// The nonces, in order.
    nonces: Vec<usize>,
    final_polynomial: usize,
    queries: usize,
    /// From a query's beginning: its paths, and the values of each fold.
    paths: usize,
    folds: Vec<usize>,
    query: usize,
}

impl Places {
    fn new() -> Self {
        let fri = &CASE.common.fri_params;
        let config = &CASE.common.config;
        let cap = 26 << fri.config.cap_height;
        let columns = CASE.common.num_constants
            + config.num_routed_wires
            + config.num_wires
            + config.num_challenges
                * (CASE.common.num_partial_products + 1 + CASE.common.quotient_degree_factor);
        let point = 8 * 59 + 3 * cap;
        let openings = point + 8;
        let batch = openings + 16 * (columns + config.num_challenges);
        let rounds = fri.reduction_arity_bits.len();
        let folds = (1..=rounds).map(|round| batch + round * (cap + 8));
        let final_polynomial = batch + 8 + rounds * (cap + 8);
        let query_nonce = final_polynomial + 16 * fri.final_poly_len();
        let nonces = [point, batch].into_iter().chain(folds);
        let mut depth = fri.lde_bits() - fri.config.cap_height;
        let paths = 8 * columns;
        let mut query = paths + 4 * depth * 26;
        let mut values = Vec::new();
        for arity_bits in &fri.reduction_arity_bits {
            values.push(query);
            depth -= arity_bits;
            query += (16 << arity_bits) + depth * 26;
        }
        Self {
            openings,
            nonces: nonces.chain([query_nonce]).collect(),
            final_polynomial,
            queries: query_nonce + 8,
            paths,
            folds: values,
            query,
        }
    }
}

#[test]
fn other_lengths_are_refused() {
    let expected = CASE.bytes.len();
    for found in [0, 1, 472, expected - 1, expected + 1, expected + 32] {
        let mut bytes = CASE.bytes.clone();
        bytes.resize(found, 0);
        let error = IVerifier::ProofLength {
            found: U256::from(found),
            expected: U256::from(expected),
        };
        assert_eq!(refusal(bytes), IVerifierErrors::ProofLength(error));
    }
}

#[test]
fn the_places_of_this_test_are_those_of_the_proof() {
    let places = Places::new();
    let queries = CASE.common.fri_params.config.num_query_rounds;
    assert_eq!(places.queries + queries * places.query, CASE.bytes.len());
}

#[test]
fn elements_that_are_not_canonical_are_refused_in_every_part() {
    let places = Places::new();
    let part = |part| IVerifierErrors::NotCanonical(IVerifier::NotCanonical { part });
    for element in 0..59 {
        assert_eq!(refusal(not_canonical(8 * element)), part(0));
    }
    for &nonce in &places.nonces {
        assert_eq!(refusal(not_canonical(nonce)), part(1));
    }
    for opening in [0, 1, 2, 3, 100, 301] {
        assert_eq!(
            refusal(not_canonical(places.openings + 8 * opening)),
            part(2)
        );
    }
    for coefficient in [0, 1, 2, 3] {
        let place = places.final_polynomial + 8 * coefficient;
        assert_eq!(refusal(not_canonical(place)), part(3));
    }
}

#[test]
fn what_a_query_opens_is_refused_where_it_is_changed() {
    let places = Places::new();
    let path = |query: usize, tree: usize| {
        IVerifierErrors::Path(IVerifier::Path {
            query: U256::from(query),
            tree: U256::from(tree),
        })
    };
    let fri = &CASE.common.fri_params;
    let depth = fri.lde_bits() - fri.config.cap_height;
    for query in 0..fri.config.num_query_rounds {
        let start = places.queries + query * places.query;
        // The first row, and the last byte of each path.
        assert_eq!(refusal(flipped(start)), path(query, 0));
        for tree in 0..4 {
            let last = start + places.paths + (tree + 1) * depth * 26 - 1;
            assert_eq!(refusal(flipped(last)), path(query, tree));
        }
        for (fold, &values) in places.folds.iter().enumerate() {
            // Exactly one of the values is the one that the query came with.
            let values = (0..16).map(|value| refusal(flipped(start + values + 16 * value)));
            let values: Vec<_> = values.collect();
            let folded = IVerifierErrors::FoldedValue(IVerifier::FoldedValue {
                query: U256::from(query),
                fold: U256::from(fold),
            });
            assert_eq!(values.iter().filter(|&value| *value == folded).count(), 1);
            let paths = values
                .iter()
                .filter(|&value| *value == path(query, 4 + fold));
            assert_eq!(paths.count(), 15);
        }
    }
}

#[test]
fn a_statement_opening_or_cap_changed_is_refused_by_what_depends_on_it() {
    let places = Places::new();
    let before_the_queries = (0..places.queries).step_by(53);
    let mut grinding = 0;
    for place in before_the_queries {
        match refusal(flipped(place)) {
            // One bit is ground at each site of this profile.
            IVerifierErrors::Grinding(_) => grinding += 1,
            IVerifierErrors::Constraints(_) | IVerifierErrors::Path(_) => {}
            IVerifierErrors::NotCanonical(_) => {}
            other => panic!("byte {place}: {other:?}"),
        }
    }
    assert!(grinding > 0);
}

#[test]
fn no_sampled_byte_can_be_changed() {
    for place in (0..CASE.bytes.len()).step_by(23) {
        refusal(flipped(place));
    }
}

#[test]
#[ignore = "every byte of a proof: a minute"]
fn no_byte_can_be_changed() {
    for place in 0..CASE.bytes.len() {
        refusal(flipped(place));
    }
}

/// A contract that removes itself in the transaction of its creation leaves its address to another,
/// which may hold another program: the verifier looks at the data each time.
#[test]
fn data_that_are_others_than_at_the_verifiers_creation_are_refused() {
    let (chain, verifier) = &*CHAIN;
    let second = chain.ask(*verifier, &IVerifier::secondCall {});
    let [_, creation] = data_creations(&CASE.data).unwrap();
    let held = creation[creation.len() - CASE.data.len() / 2 - 1..].to_vec();
    let call = IVerifier::verifyCall {
        proof: Bytes::from(CASE.bytes.clone()),
    };
    // The same code is accepted, so that it is the difference which is refused.
    let mut same = chain.clone();
    same.replace_code(second, held.clone());
    assert!(same.ask(*verifier, &call));
    let mut altered = held;
    *altered.last_mut().unwrap() ^= 1;
    let mut other = chain.clone();
    other.replace_code(second, altered);
    let failed = other.call(DEPLOYER, *verifier, &call).unwrap_err();
    let error: IVerifier::OtherData = failed.error();
    assert_eq!(error.expected, data_hash(&CASE.data));
    let mut nothing = chain.clone();
    nothing.replace_code(second, vec![]);
    nothing.call(DEPLOYER, *verifier, &call).unwrap_err();
}
