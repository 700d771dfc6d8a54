//! A real batch on a chain, whole, with its real proof: the example block, or another one.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue as _;
use shardfold_aggregator::{SettlementKey, SettlementProof};
use shardfold_contracts::set::standard;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::{head_digest, settlement_bytes, word};
use shardfold_settlement::interface::IRollup::headDigestCall;
use shardfold_settlement::verifier::{IVerifier, artefact};

use crate::chain::{Chain, DEPLOYER, FORKS, Failed};
use crate::fixture::deploy;
use crate::gas::PROOF_FILE;

const BATCH: &[u8] = include_bytes!("../../../examples/block-12459406/batch.bin");
const GENESIS: &[u8] = include_bytes!("../../../examples/block-12459406/genesis.bin");
const KEY: &[u8] = include_bytes!("../../../cli/keys/settlement-proven-100.key");

/// The proof of the example that the environment names: `shardfold prove` and `shardfold wrap` make
/// it. And the data of the built-in key's verifier.
fn real_proof() -> (SettlementProof, Vec<u8>) {
    let path = std::env::var(PROOF_FILE).expect("the file of a proof");
    let proof = SettlementProof::from_bytes(&std::fs::read(path).unwrap()).unwrap();
    let key = SettlementKey::from_bytes(KEY).unwrap();
    (proof, key.verifier_data().unwrap())
}

/// One bit of each byte is flipped, in turn, on so many threads as the machine has.
#[test]
#[ignore = "needs SHARDFOLD_SETTLEMENT_PROOF, of the example block under the built-in key; a quarter of an hour"]
fn no_byte_of_a_real_proof_can_be_changed() {
    let (proof, data) = real_proof();
    let bytes = proof.calldata();
    let mut chain = Chain::new(FORKS[0]);
    let verifier = deploy(&mut chain, &artefact().unwrap(), &data);
    let ask = |chain: &mut Chain, bytes: Vec<u8>| {
        let proof = bytes.into();
        chain.call(DEPLOYER, verifier, &IVerifier::verifyCall { proof })
    };
    ask(&mut chain, bytes.to_vec()).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let chain = &chain;
            scope.spawn(move || {
                for place in (first..bytes.len()).step_by(threads) {
                    let mut flipped = bytes.to_vec();
                    flipped[place] ^= 1 << (place % 8);
                    let answer = ask(&mut chain.clone(), flipped);
                    assert!(matches!(answer, Err(Failed::Reverted(_))), "byte {place}");
                }
            });
        }
    });
    println!("all {} refused", bytes.len());
}

/// A folder with `batch.bin` and `genesis.bin`; the example block if the environment names none.
const BATCH_FOLDER: &str = "SHARDFOLD_SETTLEMENT_BATCH";

/// The batch that was proven, and the state that it starts from.
fn real_batch() -> (Batch, State) {
    let folder = std::env::var(BATCH_FOLDER).ok();
    let read = |name: &str, example: &[u8]| match &folder {
        Some(folder) => std::fs::read(std::path::Path::new(folder).join(name)).unwrap(),
        None => example.to_vec(),
    };
    let batch = files::from_bytes(&read("batch.bin", BATCH)).unwrap();
    let genesis: StateFile = files::from_bytes(&read("genesis.bin", GENESIS)).unwrap();
    (batch, State::try_from(&genesis).unwrap())
}

#[test]
#[ignore = "needs SHARDFOLD_SETTLEMENT_PROOF, of the example block or of SHARDFOLD_SETTLEMENT_BATCH, under the built-in key"]
fn a_real_batch_is_settled() {
    let (proof, data) = real_proof();
    let (batch, genesis) = real_batch();
    let mut state = genesis.clone();
    let shapes = Profile::Proven100.usual_shapes();
    let settled = SettledBatch::execute(standard(), &mut state, &batch, shapes).unwrap();
    // The proof says for which of the two it was made.
    let publication = DataMode::ALL.into_iter().find_map(|mode| {
        let publication = settled.published(mode).unwrap();
        let stated = settlement_bytes(&settled.settlement(&publication));
        proof.calldata().starts_with(&stated).then_some(publication)
    });
    let publication = publication.expect("the proof is of this batch");
    let call = settled.call(&publication, proof.calldata().to_vec(), 0);
    println!(
        "{} elements of differences: {} bytes of calldata, {} blobs",
        settled.differences.len(),
        call.data.len(),
        publication.blobs().len()
    );
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        chain.time = batch.time;
        let verifier = deploy(&mut chain, &artefact().unwrap(), &data);
        let hashes = chain.deploy(&Artefact::parse(HASHES).unwrap(), &[]);
        let operator = Address::repeat_byte(0x0a);
        let root = word(&genesis.head().state_root);
        let price = U256::from(1);
        let arguments = (
            genesis.chain_id(),
            root,
            price,
            hashes,
            verifier,
            operator,
            operator,
        );
        let rollup = Artefact::parse(ROLLUP).unwrap();
        let rollup = chain.deploy(&rollup, &arguments.abi_encode_params());
        chain.blobs = publication.versioned_hashes().to_vec();
        let (_, done) = chain.send(operator, rollup, U256::ZERO, &call).unwrap();
        println!(
            "{fork:?}: {} gas to settle {} transactions",
            done.gas,
            batch.transactions.len()
        );
        assert_eq!(
            chain.ask(rollup, &headDigestCall {}),
            head_digest(state.head())
        );
    }
}
