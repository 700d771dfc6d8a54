//! What is accepted, by which data.

use alloy_primitives::{Address, Bytes};
use shardfold_settlement::verifier::{IVerifier, arguments, artefact, data_creations, data_hash};

use crate::chain::{Chain, DEPLOYER, FORKS};
use crate::fixture::{CASE, CHAIN, deploy, harness, nameless};

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
fn data_that_are_not_there_or_could_be_run_are_refused() {
    let mut chain = Chain::new(FORKS[0]);
    let halves = data_creations(&CASE.data).unwrap();
    let there = chain.deploy(&nameless(halves[0].clone()), &[]);
    // The same bytes after one that does not stop.
    let mut code = halves[1].to_vec();
    let stops = code.len() - CASE.data.len() / 2 - 1;
    assert_eq!(code[stops], 0);
    code[stops] = 0x5b;
    let runs = chain.deploy(&nameless(code.into()), &[]);
    let nobody = Address::repeat_byte(1);
    for (first, second) in [
        (nobody, there),
        (there, nobody),
        (runs, there),
        (there, runs),
    ] {
        let failed = chain.try_deploy(&artefact().unwrap(), &arguments(first, second));
        let error: IVerifier::NoData = failed.unwrap_err().error();
        let found = if first == there { second } else { first };
        assert_eq!(error, IVerifier::NoData { found });
    }
}

/// The harness adds functions, and is else the same.
#[test]
fn the_harness_verifies_as_the_verifier_does() {
    let mut chain = Chain::new(FORKS[0]);
    let verifier = deploy(&mut chain, &harness(), &CASE.data);
    let proof = Bytes::from(CASE.bytes.clone());
    assert!(chain.ask(verifier, &IVerifier::verifyCall { proof }));
}

/// Whether the proof is accepted with one bit of the data flipped.
fn accepted_with(place: usize) -> bool {
    let mut data = CASE.data.clone();
    data[place] ^= 1;
    let mut chain = Chain::new(FORKS[0]);
    let verifier = deploy(&mut chain, &artefact().unwrap(), &data);
    let proof = Bytes::from(CASE.bytes.clone());
    let call = IVerifier::verifyCall { proof };
    chain.call(DEPLOYER, verifier, &call).is_ok()
}

/// Where a table begins in the data, by the place of its address among the parameters.
fn table(parameter: usize) -> usize {
    let word = &CASE.data[32 * parameter..32 * (parameter + 1)];
    word.iter()
        .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
        - 0x380
}

#[test]
fn with_another_key_the_proof_is_refused() {
    // The circuit's digest, the end of the prefix, stands before the cap.
    let cap = table(24);
    assert_eq!(CASE.data[cap - 26..cap], CASE.key.circuit_digest.0);
    for place in cap - 26..cap {
        assert!(!accepted_with(place), "byte {place}");
    }
    // Two queries look at no more than two roots, but at one.
    let roots = CASE.key.constants_sigmas_cap.0.len();
    let refused = (0..roots).filter(|root| !accepted_with(cap + 26 * root));
    assert!((1..=2).contains(&refused.count()));
}

/// What can be otherwise: instructions that fill up a group; a zero read elsewhere; and the cheap
/// product in place of the dear one.
#[test]
fn with_another_program_the_proof_is_refused() {
    let places: Vec<usize> = (table(31)..CASE.data.len()).step_by(61).collect();
    let accepted = places.iter().filter(|&&place| accepted_with(place));
    let accepted = accepted.count();
    assert!(
        accepted * 50 < places.len(),
        "{accepted} of {}",
        places.len()
    );
}
