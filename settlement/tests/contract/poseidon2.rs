//! The contract's hashes against the protocol's.

use crate::common::chain::{Chain, DEPLOYER, FORKS};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use p3_field::PrimeCharacteristicRing;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, compress};
use shardfold_protocol::head::extend_chain;
use shardfold_settlement::artefact::{Artefact, HASHES};
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IHashes;
use shardfold_settlement::withdrawals::Withdrawal;

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

#[test]
fn chains_over_withdrawals_are_the_protocols() {
    let artefact = Artefact::parse(HASHES).expect("it is an artefact");
    let mut rng = StdRng::seed_from_u64(9);
    let mut element = || F::from_u64(rng.random_range(0..MODULUS));
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let hashes = chain.deploy(&artefact, &[]);
        let (mut expected, mut entries) = (ZERO_DIGEST, vec![]);
        for count in 0..40 {
            let call = IHashes::withdrawalsCall {
                chainId: 77,
                commitment: U256::ZERO,
                entries: entries.clone().into(),
            };
            assert_eq!(chain.ask(hashes, &call), word(&expected), "{count}");
            let withdrawal = Withdrawal {
                base_chain: element(),
                address: [element(), element(), element()],
                asset: element(),
                amount: element(),
            };
            expected = extend_chain(&expected, &withdrawal.digest(77));
            entries.extend(withdrawal.entry());
        }
    }
}

#[test]
fn what_is_not_whole_or_not_below_p_is_refused() {
    let artefact = Artefact::parse(HASHES).expect("it is an artefact");
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let hashes = chain.deploy(&artefact, &[]);
        let commitment = U256::ZERO;
        let mut withdrawals = |entries: Vec<u8>| {
            let entries = entries.into();
            let call = IHashes::withdrawalsCall {
                chainId: 1,
                commitment,
                entries,
            };
            chain.call(DEPLOYER, hashes, &call)
        };
        let short = withdrawals(vec![0; 95]).expect_err("a byte is missing");
        let short = short.error::<IHashes::Length>();
        assert_eq!(
            (short.found, short.partBytes),
            (U256::from(95), U256::from(48))
        );
        for place in 0..12 {
            let mut entries = vec![0; 96];
            entries[8 * place..][..8].copy_from_slice(&MODULUS.to_be_bytes());
            let failed = withdrawals(entries).expect_err("p is no element");
            failed.error::<IHashes::NotCanonical>();
        }
        for place in 0..8 {
            let mut blocks = vec![0; 64];
            blocks[8 * place..][..8].copy_from_slice(&MODULUS.to_be_bytes());
            let call = IHashes::chainCall {
                commitment,
                blocks: blocks.into(),
            };
            let failed = chain
                .call(DEPLOYER, hashes, &call)
                .expect_err("p is no element");
            failed.error::<IHashes::NotCanonical>();
        }
        refuse_items(&chain, hashes);
    }
}

/// Items with an element of p or more, at each place, are refused.
fn refuse_items(chain: &Chain, hashes: Address) {
    let refused = |data: Vec<u8>| {
        let failed = chain.clone().send_data(DEPLOYER, hashes, data);
        let failed = failed.expect_err("p is no element");
        failed.error::<IHashes::NotCanonical>();
    };
    for place in 0..10 {
        let at = |of| if of == place { MODULUS } else { 5 };
        let owner = U256::from_limbs([at(9), at(8), at(7), at(6)]);
        let deposit = IHashes::depositItemCall {
            chainId: at(0),
            baseChain: at(1),
            position: at(2),
            asset: at(3),
            amount: at(4),
            fee: at(5),
            ownerDigest: owner,
        };
        refused(deposit.abi_encode());
    }
    for place in [0, 1, 2, 3, 6, 7, 8, 9] {
        let at = |of| if of == place { MODULUS } else { 5 };
        let owner = U256::from_limbs([at(9), at(8), at(7), at(6)]);
        let exit = IHashes::exitItemCall {
            chainId: at(0),
            baseChain: at(1),
            position: at(2),
            index: at(3),
            ownerDigest: owner,
            to: DEPLOYER,
        };
        refused(exit.abi_encode());
        let owner = IHashes::ownerCall {
            chainId: U256::from(at(0)),
            key: [at(1), at(2), at(3), at(6), at(7)],
            exitAddress: DEPLOYER,
        };
        if place < 8 {
            refused(owner.abi_encode());
        }
    }
}
