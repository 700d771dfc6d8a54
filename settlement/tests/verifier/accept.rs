//! What is accepted, by which data.

use alloy_primitives::Bytes;
use alloy_sol_types::SolCall as _;
use shardfold_settlement::verifier::{IVerifier, artefact, data_hash};

use crate::chain::{Chain, DEPLOYER, FORKS, Failed};
use crate::fixture::{CASE, CHAIN, deploy, harness};

#[test]
fn a_proof_is_accepted_under_every_fork() {
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let verifier = CASE.deploy(&mut chain, &artefact().unwrap());
        let proof = Bytes::from(CASE.bytes.clone());
        assert!(chain.ask(verifier, &IVerifier::verifyCall { proof }));
    }
}

#[test]
fn the_verifier_says_what_it_holds() {
    let (chain, verifier) = &*CHAIN;
    let hash = chain.ask(*verifier, &IVerifier::dataHashCall {});
    assert_eq!(hash, data_hash(&CASE.data));
}

#[test]
fn data_that_are_not_there_are_refused() {
    let mut chain = Chain::new(FORKS[0]);
    let nobody = alloy_primitives::Address::repeat_byte(1);
    let arguments = shardfold_settlement::verifier::arguments(nobody, nobody);
    let failed = chain.try_deploy(&artefact().unwrap(), &arguments);
    let error: IVerifier::NoData = failed.unwrap_err().error();
    assert_eq!(error, IVerifier::NoData { found: nobody });
}

/// The harness adds functions, and is else the same.
#[test]
fn the_harness_verifies_as_the_verifier_does() {
    let mut chain = Chain::new(FORKS[0]);
    let verifier = deploy(&mut chain, &harness(), &CASE.data);
    let proof = Bytes::from(CASE.bytes.clone());
    assert!(chain.ask(verifier, &IVerifier::verifyCall { proof }));
}

/// Each byte of the data is used: with another one in its place nothing is accepted, but for the
/// few that only fill up.
#[test]
fn with_other_data_the_proof_is_refused() {
    let mut accepted = Vec::new();
    let places = (0..CASE.data.len()).filter(|place| {
        // All parameters and tables, and some of the program.
        *place < 5_000 || place % 97 == 0
    });
    for place in places {
        let mut data = CASE.data.clone();
        data[place] ^= 1;
        let mut chain = Chain::new(FORKS[0]);
        let verifier = deploy(&mut chain, &artefact().unwrap(), &data);
        let proof = Bytes::from(CASE.bytes.clone());
        let call = IVerifier::verifyCall { proof };
        let result: Result<bool, Failed> = chain.call(DEPLOYER, verifier, &call);
        if result.is_ok() {
            accepted.push(place);
        }
    }
    println!(
        "{} bytes of {} could be others",
        accepted.len(),
        IVerifier::verifyCall::SIGNATURE
    );
    println!("{accepted:?}");
}
