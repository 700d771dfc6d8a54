//! Small circuits that stand where shard circuits will: they state any statement.

use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::gates::random_access::RandomAccessGate;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Domain, hash};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head, STATEMENT_ELEMENTS, Statement};

use super::{ARITY, AggregationCircuit, common_degree_bits};
use shardfold_recursion::convert::statement_to_plonk;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, D, Gate, Grinding, PlonkField, PlonkParameters, PlonkProof, prove,
};
use shardfold_recursion::tree::{common_data, finish_leaf, gate_set};

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
        prove(&self.circuit, GRINDING, witness).expect("the statement holds")
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

/// The grinding of the test tree.
pub const GRINDING: Grinding = PlonkParameters::UNSOUND_TEST.grinding;

/// The common data of the test tree.
pub static COMMON: LazyLock<CommonData> = LazyLock::new(|| {
    let parameters = PlonkParameters::UNSOUND_TEST;
    let gates = test_gates(&parameters);
    let degree_bits = common_degree_bits(&parameters, &gates, 10, 2, ARITY).unwrap();
    common_data(&parameters, degree_bits, &gates)
});

/// Two leaf circuits that the tree allows, and one that it does not.
pub static LEAVES: LazyLock<[Leaf; 3]> =
    LazyLock::new(|| [1, 10, 100].map(|step| Leaf::build(&COMMON, step)));

/// The aggregation circuit of the test tree.
pub static AGGREGATION: LazyLock<AggregationCircuit> = LazyLock::new(|| {
    let keys = LEAVES[..2]
        .iter()
        .map(|leaf| leaf.circuit.verifier_only.clone())
        .collect();
    AggregationCircuit::build(&COMMON, keys, ARITY, GRINDING).expect("the aggregation fits")
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
