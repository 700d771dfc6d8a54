//! Small circuits that stand where shard circuits will: they state any statement.

use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::gates::noop::NoopGate;
use plonky2::gates::random_access::RandomAccessGate;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Domain, hash};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head, STATEMENT_ELEMENTS, Statement};

use super::child::flatten_key_target;
use super::{AggregationCircuit, common_degree_bits};
use crate::tree::{Child, Origin, TreeForm, flatten_key};
use shardfold_recursion::convert::statement_to_plonk;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, D, Gate, PlonkConfig, PlonkField, PlonkParameters, PlonkProof,
    VerifierKey, prove, verify,
};
use shardfold_recursion::tree::{common_data, finish_leaf, gate_set};

/// Child slots of the test tree's aggregation.
pub const ARITY: usize = 2;
/// The parameters of the test tree.
const PARAMETERS: PlonkParameters = PlonkParameters::UNSOUND_TEST;

/// The chain of the tests.
pub const CHAIN: u64 = 7;

/// A leaf whose transaction count rises by `step`; its key differs for each step.
pub struct Leaf {
    pub circuit: Circuit,
    pub statement: [Target; STATEMENT_ELEMENTS],
}

impl Leaf {
    pub fn build(common: &CommonData, step: u64) -> Self {
        let mut builder = Builder::new(common.config.clone());
        let statement: [Target; STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
        let next = builder.add_const(statement[5], PlonkField::from_canonical_u64(step));
        builder.connect(next, statement[5 + HEAD_ELEMENTS]);
        // Places the gate that the aggregation circuit itself never uses.
        let index = builder.zero();
        let entry = builder.random_access(index, statement[..4].to_vec());
        builder.connect(entry, statement[0]);
        let circuit = finish_leaf(builder, &statement, common).expect("a leaf fits");
        Self { circuit, statement }
    }

    pub fn prove(&self, statement: &Statement) -> PlonkProof {
        let mut witness = PartialWitness::new();
        witness
            .set_target_arr(&self.statement, &statement_to_plonk(statement))
            .unwrap();
        prove_with(&self.circuit, witness).expect("the statement holds")
    }
}

/// The gate that only leaves place: it reads one of four entries.
pub fn foreign_gate(parameters: &PlonkParameters) -> Gate {
    Gate::new(RandomAccessGate::<PlonkField, D>::new_from_config(
        &parameters.circuit_config(),
        2,
    ))
}

/// The gates of the test tree.
pub fn test_gates(parameters: &PlonkParameters) -> Vec<Gate> {
    let mut gates = gate_set(parameters);
    gates.push(foreign_gate(parameters));
    gates
}

/// Proves a circuit of the test tree.
pub fn prove_with(
    circuit: &Circuit,
    witness: PartialWitness<PlonkField>,
) -> Result<PlonkProof, shardfold_recursion::plonk::PlonkError> {
    prove(circuit, PARAMETERS.grinding, witness)
}

/// Whether a proof verifies under this key, whatever its key slot holds.
pub fn verifies(circuit: &Circuit, proof: &PlonkProof) -> bool {
    let key: &VerifierKey = &circuit.verifier_only;
    verify(key, &circuit.common, PARAMETERS.grinding, proof).is_ok()
}

/// The form of the test tree whose aggregations have so many slots.
pub fn form(arity: usize) -> TreeForm {
    let gates = test_gates(&PARAMETERS);
    let degree_bits = common_degree_bits(&PARAMETERS, &gates, 10, 2, arity).unwrap();
    TreeForm {
        common: common_data(&PARAMETERS, degree_bits, &gates),
        grinding: PARAMETERS.grinding,
    }
}

/// The form of the test tree.
pub static FORM: LazyLock<TreeForm> = LazyLock::new(|| form(ARITY));

/// Two leaf circuits that the tree allows, and one that it does not.
pub static LEAVES: LazyLock<[Leaf; 3]> =
    LazyLock::new(|| [1, 10, 100].map(|step| Leaf::build(&FORM.common, step)));

/// The aggregation circuit of the test tree.
pub static AGGREGATION: LazyLock<AggregationCircuit> = LazyLock::new(|| {
    let keys = LEAVES[..2]
        .iter()
        .map(|leaf| leaf.circuit.verifier_only.clone())
        .collect();
    AggregationCircuit::build(&FORM, keys, ARITY).expect("the aggregation fits")
});

/// The head after so many transactions.
pub fn head(tx_count: u64) -> Head {
    let digest = |i| hash(Domain::Transfer, &[F::new(tx_count), F::new(i)]);
    Head {
        state_root: digest(0),
        tx_count,
        time: 3 * tx_count,
        queue_count: tx_count / 2,
        queue_commitment: digest(2),
        withdrawal_count: tx_count / 3,
        withdrawal_commitment: digest(3),
        data_commitment: digest(4),
        tx_commitment: digest(1),
    }
}

/// The statement from one transaction count to another.
pub fn statement(from: u64, to: u64) -> Statement {
    Statement {
        chain_id: CHAIN,
        before: head(from),
        after: head(to),
    }
}

/// A circuit over the common data of the tree, of our own making, that states anything at all.
static FORGED: LazyLock<Circuit> = LazyLock::new(|| {
    let mut builder = Builder::new(FORM.common.config.clone());
    for gate in &FORM.common.gates {
        builder.add_gate_to_gate_set(gate.clone());
    }
    for _ in 0..FORM.common.num_public_inputs {
        builder.add_virtual_public_input();
    }
    while builder.num_gates() <= FORM.common.degree() / 2 {
        builder.add_gate(NoopGate, vec![]);
    }
    let circuit = builder.build::<PlonkConfig>();
    assert_eq!(circuit.common, FORM.common);
    circuit
});

/// A proof of the forged circuit: a false statement, and this key slot.
pub fn forge(slot: &[PlonkField]) -> PlonkProof {
    let lie = statement_to_plonk(&statement(0, 1 << 40));
    let mut witness = PartialWitness::new();
    let inputs = lie.iter().chain(slot);
    for (&target, &value) in FORGED.prover_only.public_inputs.iter().zip(inputs) {
        witness.set_target(target, value).unwrap();
    }
    prove_with(&FORGED, witness).unwrap()
}

/// The key of the forged circuit, as a key slot states it.
pub fn forged_key() -> Vec<PlonkField> {
    flatten_key(&FORGED.verifier_only)
}

/// An aggregation that states the forger's key, and under it took the forgery for an aggregation.
/// It verifies under the aggregation key.
pub fn aggregate_forgery() -> PlonkProof {
    let forgery = forge(&forged_key());
    let child = Child {
        origin: Origin::Aggregation,
        proof: &forgery,
    };
    let mut witness = AGGREGATION.witness(&[child]).unwrap();
    let slot = flatten_key_target(&AGGREGATION.targets.key);
    for (target, value) in slot.into_iter().zip(forged_key()) {
        witness.target_values.insert(target, value);
    }
    prove_with(&AGGREGATION.circuit, witness).expect("the constraints alone cannot tell")
}
