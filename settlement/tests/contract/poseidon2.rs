//! The contract's Poseidon2 against the protocol's.

use crate::common::chain::{Chain, DEPLOYER, FORKS};
use alloy_primitives::U256;
use p3_field::PrimeCharacteristicRing;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::{Digest, compress};
use shardfold_settlement::artefact::{Artefact, HASHES};
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IHashes;

/// Pairs of edges, and random ones.
fn inputs() -> Vec<[Digest; 2]> {
    let edges = [
        0,
        1,
        (1 << 32) - 1,
        1 << 32,
        MODULUS - (1 << 32),
        MODULUS - 1,
    ]
    .map(F::from_u64);
    let mut inputs = vec![];
    for edge in edges {
        inputs.push([[edge; 4]; 2]);
        for place in 0..8 {
            let mut elements = [F::ZERO; 8];
            elements[place] = edge;
            let (left, right) = elements.split_at(4);
            inputs.push([left, right].map(|half| half.try_into().expect("four elements")));
        }
    }
    let mut rng = StdRng::seed_from_u64(8);
    for _ in 0..500 {
        let mut digest = || core::array::from_fn(|_| F::from_u64(rng.random_range(0..MODULUS)));
        inputs.push([digest(), digest()]);
    }
    inputs
}

#[test]
fn compressions_are_the_protocols() {
    let artefact = Artefact::parse(HASHES).expect("it is an artefact");
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let hashes = chain.deploy(&artefact, &[]);
        for [left, right] in inputs() {
            let (l, r) = (word(&left), word(&right));
            let found = chain.call(
                DEPLOYER,
                hashes,
                &IHashes::compressCall { left: l, right: r },
            );
            let found = found.expect("it has no reason to revert");
            assert_eq!(found, word(&compress(&left, &right)), "{left:?} {right:?}");
        }
        // What a hundred compressions more take.
        let [few, many] = [1, 101].map(|count| {
            let blocks = vec![7; 32 * count].into();
            let call = IHashes::chainCall {
                commitment: U256::ZERO,
                blocks,
            };
            let result = chain.send(DEPLOYER, hashes, U256::ZERO, &call);
            result.expect("7 in each byte is below p").1.gas
        });
        let gas = (many - few) / 100;
        println!("{fork:?}: a compression takes {gas} gas");
        assert!(gas < 16_500, "{gas}");
    }
}
