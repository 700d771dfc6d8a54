//! What a proof costs.

use alloy_primitives::{Bytes, U256};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::verifier::{IVerifier, artefact, data_creations};

use crate::chain::{Chain, DEPLOYER, FORKS};
use crate::fixture::{CASE, Case, harness};
use crate::parts::IHarness;

/// The gas of a verification by parts, and of the transaction under each fork.
fn gas(case: &Case) -> [u64; 4] {
    let mut chain = Chain::new(FORKS[0]);
    let verifier = case.deploy(&mut chain, &harness());
    let proof = Bytes::from(case.bytes.clone());
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
        let verifier = case.deploy(&mut chain, &artefact().unwrap());
        let call = IVerifier::verifyCall {
            proof: proof.clone(),
        };
        let (_, done) = chain.send(DEPLOYER, verifier, U256::ZERO, &call).unwrap();
        println!("{fork:?}: {} for the transaction", done.gas);
    }
    let sizes = data_creations(&case.data)
        .unwrap()
        .map(|code| code.len() - 10);
    println!("data contracts of {sizes:?} bytes");
    parts
}

#[test]
fn the_parts_of_a_small_proof_stay_within_their_gas() {
    let [data, transcript, program, low_degree] = gas(&CASE);
    let queries = CASE.common.fri_params.config.num_query_rounds as u64;
    assert!(data < 60_000, "{data}");
    assert!(transcript < 400_000, "{transcript}");
    assert!(program < 900_000, "{program}");
    assert!(low_degree < 150_000 + 70_000 * queries, "{low_degree}");
}

/// Takes minutes and gigabytes: the real parameters, as `scripts` of a release measure them.
#[test]
#[ignore = "proves with the real parameters: minutes, 4 GB"]
fn a_real_proof_costs_less_than_its_calldata() {
    let parts = gas(&Case::new(Profile::Proven100));
    assert!(parts.iter().sum::<u64>() < 2_600_000, "{parts:?}");
}
