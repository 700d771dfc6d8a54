//! A circuit of the settlement proof's shape, a proof of it, and its verifier on a chain.

use std::sync::LazyLock;

use alloy_primitives::{Address, Bytes};
use plonky2::field::types::Field as _;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use revm::primitives::hardfork::SpecId;
use shardfold_aggregator::SettlementProof;
use shardfold_protocol::data::SETTLEMENT_ELEMENTS;
use shardfold_recursion::plonk::onchain::verifier_data;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, KeccakConfig, PlonkConfig, PlonkField, PlonkProof,
    VerifierKey, add_virtual_plonk_proof, prove, prove_keccak, set_plonk_proof_target,
    verify_keccak, verify_plonk_proof,
};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::tree::{finish, narrow_common_data, outer_common_data};
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::verifier::{arguments, artefact, data_creations};

use crate::chain::Chain;

/// A proof with its key, and the data of the key's verifier.
pub struct Case {
    pub common: CommonData,
    pub grinding: Grinding,
    pub key: VerifierKey<KeccakConfig>,
    pub proof: PlonkProof<KeccakConfig>,
    /// The proof as the chain gets it.
    pub bytes: Vec<u8>,
    pub data: Vec<u8>,
}

/// The case of the tests' profile.
pub static CASE: LazyLock<Case> = LazyLock::new(|| Case::new(Profile::UnsoundTest));

impl Case {
    /// A proof that a proof of a small circuit verifies: as the settlement proof, but for what the
    /// small circuit states. Its circuit places a row of every gate.
    pub fn new(profile: Profile) -> Self {
        let (inner, inner_proof) = inner(profile);
        let inner_common = narrow_common_data(profile);
        let common = outer_common_data(profile);
        let mut builder = Builder::new(common.config.clone());
        let target = add_virtual_plonk_proof(&mut builder, &inner_common);
        let key = builder.constant_verifier_data::<PlonkConfig>(&inner.verifier_only);
        let grinding = profile.narrow().grinding;
        verify_plonk_proof(&mut builder, &target, &key, &inner_common, grinding).unwrap();
        builder.register_public_inputs(&target.plonky2.public_inputs);
        let circuit: Circuit<KeccakConfig> = finish(builder, &common).unwrap();
        let mut witness = PartialWitness::new();
        set_plonk_proof_target(&mut witness, &target, &inner_proof).unwrap();

        let grinding = profile.outer().grinding;
        let proof = prove_keccak(&circuit, grinding, witness).unwrap();
        let key = circuit.verifier_only;
        verify_keccak(&key, &common, grinding, &proof).unwrap();
        Self {
            bytes: SettlementProof::of_outer(&proof).calldata().to_vec(),
            data: verifier_data(profile, &key).unwrap(),
            common,
            grinding,
            key,
            proof,
        }
    }

    /// Creates a verifier from its compiled form, with this case's data.
    pub fn deploy(&self, chain: &mut Chain, verifier: &Artefact) -> Address {
        deploy(chain, verifier, &self.data)
    }
}

/// Creates the data's contracts, then the verifier.
pub fn deploy(chain: &mut Chain, verifier: &Artefact, data: &[u8]) -> Address {
    let [first, second] = data_creations(data)
        .unwrap()
        .map(|creation| chain.deploy(&nameless(creation), &[]));
    chain.deploy(verifier, &arguments(first, second))
}

/// Code that creates a contract which no compiler made.
pub fn nameless(creation: Bytes) -> Artefact {
    Artefact {
        contract: "data".to_owned(),
        compiler: String::new(),
        sources: Default::default(),
        abi: serde_json::Value::Null,
        creation,
        deployed: Bytes::new(),
        immutables: Default::default(),
    }
}

/// A chain with the verifier of the tests' case.
pub static CHAIN: LazyLock<(Chain, Address)> = LazyLock::new(|| {
    let mut chain = Chain::new(SpecId::OSAKA);
    let verifier = CASE.deploy(&mut chain, &artefact().unwrap());
    (chain, verifier)
});

/// A chain with the harness of the tests' case.
pub static HARNESS: LazyLock<(Chain, Address)> = LazyLock::new(|| {
    let mut chain = Chain::new(SpecId::OSAKA);
    let harness = CASE.deploy(&mut chain, &harness());
    (chain, harness)
});

pub fn harness() -> Artefact {
    let text = include_str!("../../evm/test/artefacts/VerifierHarness.json");
    Artefact::parse(text).unwrap()
}

/// A circuit that squares its first element, and a proof of it.
fn inner(profile: Profile) -> (Circuit, PlonkProof) {
    let common = narrow_common_data(profile);
    let mut builder = Builder::new(common.config.clone());
    let statement = builder.add_virtual_targets(SETTLEMENT_ELEMENTS);
    let square = builder.square(statement[0]);
    builder.connect(square, statement[1]);
    builder.register_public_inputs(&statement);
    let circuit: Circuit = finish(builder, &common).unwrap();
    let mut witness = PartialWitness::new();
    for (i, &target) in statement.iter().enumerate() {
        // Full-size elements, of which the second is the square of the first.
        let value = PlonkField::MULTIPLICATIVE_GROUP_GENERATOR.exp_u64(100 << i.min(1));
        let value = if i < 2 {
            value
        } else {
            value.exp_u64(i as u64 + 1)
        };
        witness.set_target(target, value).unwrap();
    }
    let proof = prove(&circuit, profile.narrow().grinding, witness).unwrap();
    (circuit, proof)
}
