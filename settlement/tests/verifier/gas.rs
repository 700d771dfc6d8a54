//! What a proof costs.

use alloy_primitives::{Bytes, U256};
use shardfold_aggregator::{SettlementKey, SettlementProof};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::verifier::{IVerifier, arguments, artefact, data_creations};

use crate::chain::{Chain, DEPLOYER, FORKS};
use crate::fixture::{CASE, Case, deploy, harness, nameless};
use crate::parts::IHarness;

/// The gas of a verification by parts, and of the transaction under each fork.
fn gas(proof: &[u8], data: &[u8]) -> [u64; 4] {
    let mut chain = Chain::new(FORKS[0]);
    let verifier = deploy(&mut chain, &harness(), data);
    let proof = Bytes::copy_from_slice(proof);
    let call = IHarness::gasOfPartsCall {
        proof: proof.clone(),
    };
    let parts = chain.ask(verifier, &call);
    let parts = [parts.data, parts.transcript, parts.program, parts.lowDegree];
    let parts = parts.map(|gas| gas.to::<u64>());
    println!(
        "{} bytes; data {}, transcript {}, program {}, low-degree test {}: {}",
        proof.len(),
        parts[0],
        parts[1],
        parts[2],
        parts[3],
        parts.iter().sum::<u64>()
    );
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let verifier = deploy(&mut chain, &artefact().unwrap(), data);
        let call = IVerifier::verifyCall {
            proof: proof.clone(),
        };
        let (_, done) = chain.send(DEPLOYER, verifier, U256::ZERO, &call).unwrap();
        let halves = data_creations(data).unwrap();
        let halves = halves.map(|code| chain.try_deploy(&nameless(code), &[]).unwrap());
        let arguments = arguments(halves[0].0, halves[1].0);
        let (_, creation) = chain.try_deploy(&artefact().unwrap(), &arguments).unwrap();
        println!(
            "{fork:?}: {} for the transaction; to deploy {}, {} and {creation}",
            done.gas, halves[0].1, halves[1].1
        );
    }
    let sizes = data_creations(data).unwrap().map(|code| code.len() - 10);
    println!("data contracts of {sizes:?} bytes");
    parts
}

#[test]
fn the_parts_of_a_small_proof_stay_within_their_gas() {
    let [data, transcript, program, low_degree] = gas(&CASE.bytes, &CASE.data);
    let queries = CASE.common.fri_params.config.num_query_rounds as u64;
    assert!(data < 25_000, "{data}");
    assert!(transcript < 500_000, "{transcript}");
    assert!(program < 750_000, "{program}");
    assert!(low_degree < 140_000 + 70_000 * queries, "{low_degree}");
}

/// The file of a settlement proof under the built-in key; without it one is made, of a circuit of
/// the same shape, which takes minutes and 4 GB.
pub const PROOF_FILE: &str = "SHARDFOLD_SETTLEMENT_PROOF";

#[test]
#[ignore = "proves with the real parameters, or needs SHARDFOLD_SETTLEMENT_PROOF"]
fn a_real_proof_costs_what_the_documentation_says() {
    let (proof, data) = match std::env::var(PROOF_FILE) {
        Ok(path) => {
            let proof = SettlementProof::from_bytes(&std::fs::read(path).unwrap()).unwrap();
            let key = include_bytes!("../../../cli/keys/settlement-proven-100.key");
            let key = SettlementKey::from_bytes(key).unwrap();
            (proof.calldata().to_vec(), key.verifier_data().unwrap())
        }
        Err(_) => {
            let case = Case::new(Profile::Proven100);
            (case.bytes, case.data)
        }
    };
    let parts = gas(&proof, &data);
    let execution = parts.iter().sum::<u64>();
    assert!(execution < 2_900_000, "{execution}");
}
