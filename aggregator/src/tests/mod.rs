//! One tree over small unsound parameters, shared by all tests.

mod aggregating;
mod fuzz;
mod keys;
mod settlement;

use crate::circuit::{AggregationCircuit, common_degree_bits};
use crate::tree::Origin;
use plonky2::field::types::Field as _;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Domain, hash};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head, STATEMENT_ELEMENTS, Statement};
use shardfold_recursion::convert::statement_to_plonk;
use shardfold_recursion::plonk::{Builder, Circuit, CommonData, PlonkField, prove};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::tree::{finish_leaf, gate_set};
use std::sync::LazyLock;

use crate::{AggregateError, Aggregator, LastCircuit, ProvenStatement, TreeForm, ValidityProof};

const CHAIN: u64 = 7;

/// Stands where a shard circuit will: it states that the queue count rises by `step`.
struct Leaf {
    circuit: Circuit,
    statement: [Target; STATEMENT_ELEMENTS],
}

impl Leaf {
    fn build(common: &CommonData, step: u64) -> Self {
        let mut builder = Builder::new(common.config.clone());
        let statement: [Target; STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
        let next = builder.add_const(statement[7], PlonkField::from_canonical_u64(step));
        builder.connect(next, statement[7 + HEAD_ELEMENTS]);
        let circuit = finish_leaf(builder, &statement, common).unwrap();
        Self { circuit, statement }
    }
}

/// The tree: its leaf circuits, its aggregation circuit and its aggregator.
struct Tree {
    leaves: [Leaf; 2],
    circuit: AggregationCircuit,
    aggregator: Aggregator,
}

const PROFILE: Profile = Profile::UnsoundTest;
const ARITY: usize = PROFILE.arity();

impl Tree {
    fn build() -> Self {
        let parameters = PROFILE.plonk();
        let gates = gate_set(&parameters);
        let degree_bits = common_degree_bits(&parameters, &gates, 10, 2, ARITY).unwrap();
        let form = TreeForm::new(&parameters, degree_bits);
        let leaves = [1, 10].map(|step| Leaf::build(&form.common, step));
        let keys = leaves
            .iter()
            .map(|leaf| leaf.circuit.verifier_only.clone())
            .collect();
        let circuit = AggregationCircuit::build(&form, keys, ARITY).unwrap();
        let last = LastCircuit::build(PROFILE, circuit.keys().clone()).unwrap();
        Self {
            leaves,
            circuit,
            aggregator: Aggregator::new(last),
        }
    }

    fn aggregate(&self, proofs: &[ProvenStatement]) -> Result<ProvenStatement, AggregateError> {
        self.aggregator.aggregate(&self.circuit, proofs)
    }

    /// A leaf proof of this statement.
    fn leaf(&self, key: usize, statement: &Statement) -> ProvenStatement {
        let leaf = &self.leaves[key];
        let mut witness = PartialWitness::new();
        witness
            .set_target_arr(&leaf.statement, &statement_to_plonk(statement))
            .unwrap();
        let proof = prove(&leaf.circuit, PROFILE.plonk().grinding, witness).unwrap();
        self.aggregator.admit(Origin::Leaf(key), proof).unwrap()
    }
}

static TREE: LazyLock<Tree> = LazyLock::new(Tree::build);

/// Neighbours from 0 to 1, 1 to 11, 11 to 12 deposits.
static LEAVES: LazyLock<[ProvenStatement; 3]> = LazyLock::new(|| {
    [(0, 0, 1), (1, 1, 11), (0, 11, 12)]
        .map(|(key, from, to)| TREE.leaf(key, &statement(CHAIN, from, to)))
});

/// A validity proof over the first two leaves.
static VALID: LazyLock<ValidityProof> = LazyLock::new(|| {
    let joined = TREE.aggregate(&LEAVES[..2]).unwrap();
    TREE.aggregator.finish(&joined).unwrap()
});

fn head(count: u64) -> Head {
    let digest = |i| hash(Domain::Transfer, &[F::new(count), F::new(i)]);
    Head {
        state_root: digest(0),
        tx_count: 2 * count,
        time: 3 * count,
        queue_count: count,
        queue_commitment: digest(2),
        withdrawal_count: count / 2,
        withdrawal_commitment: digest(3),
        data_commitment: digest(4),
        tx_commitment: digest(1),
    }
}

fn statement(chain_id: u64, from: u64, to: u64) -> Statement {
    Statement {
        chain_id,
        before: head(from),
        after: head(to),
    }
}
