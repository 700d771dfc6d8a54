//! The cyclic aggregation: one circuit that joins the statements of a few neighbouring proofs, each a
//! shard proof (a *leaf*) or itself an aggregation, so that one key serves trees of any size and form.
//!
//! An aggregation's slot states the key of the aggregation circuit itself, which no circuit can hold as a
//! constant. That a slot tells the truth is checked above the root, by the [last circuit](crate::LastCircuit),
//! which has the aggregation key as a constant, and by [`TreeKeys::check`] for a proof that travels:
//! a root that was verified under the aggregation key and whose slot holds the aggregation key has only
//! children that were verified under an allowed leaf key, or under the aggregation key with the aggregation
//! key in their slot; and so on down to the leaves.
//!
//! # Constraints
//!
//! For the child slots `i = 0, 1, ..., arity - 1`:
//!
//! 1. `choice_i` is one-hot over the allowed leaf keys and the aggregation key.
//! 2. The key of slot `i` is the chosen one: a leaf key is a constant of this circuit, the
//!    aggregation key is what our own key slot states. No key is a witness, so a proof of any other
//!    circuit cannot be verified at all.
//! 3. The proof in slot `i` verifies under that key, digest and cap.
//! 4. If the choice is the aggregation key, the child's key slot equals ours, digest and cap.
//! 5. All children have one chain id.
//! 6. `present_i` is boolean for `i > 0`, slot 0 is always present, and the present slots are a
//!    prefix: `present_{i+1} * (1 - present_i) = 0`.
//! 7. If slot `i > 0` is present, its head before is the head after slot `i - 1`.
//! 8. We state: the chain id, the head before slot 0, the head after the last present slot.
//!
//! An absent slot is filled with another proof of the tree (the prover repeats the first
//! child). Rules 1 to 5 hold for it as for any other, only its heads are ignored: it can make
//! the statement neither longer nor different, and nothing need be cached to fill it.

use anyhow::Context as _;
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_protocol::head::{HEAD_ELEMENTS, STATEMENT_ELEMENTS};

use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, PlonkError, PlonkField, PlonkProof, VerifierKey, prove,
};
use shardfold_recursion::tree::{TreeError, finish};

mod child;
pub(crate) mod disk;
mod error;
mod rows;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::AggregationCircuitError;
pub use rows::{aggregation_rows, common_degree_bits};

pub(crate) use child::ChildTargets;
use child::flatten_key_target;

use crate::tree::{Child, TreeForm, TreeKeys, flatten_key};

/// The targets of one child slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) child: ChildTargets,
    /// Whether the child counts. Slot 0's is the constant one.
    pub(crate) present: BoolTarget,
}

/// The targets that an aggregation's witness sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AggregationTargets {
    pub(crate) slots: Vec<Slot>,
    /// Our own key slot.
    pub(crate) key: VerifierCircuitTarget,
}

/// The aggregation circuit, built.
#[derive(Debug, PartialEq, Eq)]
pub struct AggregationCircuit {
    pub(crate) circuit: Circuit,
    pub(crate) targets: AggregationTargets,
    pub(crate) keys: TreeKeys,
}

impl AggregationCircuit {
    /// Builds the circuit that aggregates up to `arity` proofs of a tree of this form, each an
    /// aggregation or a leaf under one of `leaf_keys`.
    ///
    /// # Errors
    /// If the circuit does not fit the degree of the tree, the tree lacks a gate, or there is no
    /// leaf key.
    pub fn build(
        form: &TreeForm,
        leaf_keys: Vec<VerifierKey>,
        arity: usize,
    ) -> Result<Self, AggregationCircuitError> {
        if leaf_keys.is_empty() || arity == 0 {
            return Err(AggregationCircuitError::Empty);
        }
        let keys = flatten_keys(&form.common, &leaf_keys)?;
        let (builder, targets) = assemble(form, &keys, arity)?;
        let circuit = finish(builder, &form.common)?;
        let keys = TreeKeys {
            form: form.clone(),
            leaves: leaf_keys,
            aggregation: circuit.verifier_only.clone(),
        };
        Ok(Self {
            circuit,
            targets,
            keys,
        })
    }

    /// Returns the keys of the tree: the allowed leaf keys, and the aggregation key, which the key
    /// slot of every valid aggregation states.
    #[must_use]
    pub fn keys(&self) -> &TreeKeys {
        &self.keys
    }

    /// Returns how many proofs one aggregation takes.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.targets.slots.len()
    }

    /// Proves the aggregation of one to [`arity`](Self::arity) neighbours.
    ///
    /// # Errors
    /// If there are too few or too many children, one is no valid proof, or they are no
    /// neighbours of one chain.
    pub fn prove(&self, children: &[Child<'_>]) -> Result<PlonkProof, AggregationCircuitError> {
        if children.is_empty() || children.len() > self.arity() {
            return Err(AggregationCircuitError::Children {
                found: children.len(),
                arity: self.arity(),
            });
        }
        for (slot, child) in children.iter().enumerate() {
            self.keys.check(slot, child)?;
        }
        let witness = self.witness(children);
        witness
            .map_err(PlonkError)
            .and_then(|witness| prove(&self.circuit, self.keys.form.grinding, witness))
            .map_err(AggregationCircuitError::Prove)
    }

    /// Sets the children; absent slots repeat the first one.
    pub(crate) fn witness(
        &self,
        children: &[Child<'_>],
    ) -> anyhow::Result<PartialWitness<PlonkField>> {
        let mut witness = PartialWitness::new();
        witness.set_verifier_data_target(&self.targets.key, &self.keys.aggregation)?;
        for (i, slot) in self.targets.slots.iter().enumerate() {
            let present = i < children.len();
            let child = children
                .get(i)
                .or_else(|| children.first())
                .context("there is no child")?;
            if i > 0 {
                witness.set_bool_target(slot.present, present)?;
            }
            slot.child.set(&mut witness, child)?;
        }
        Ok(witness)
    }
}

/// Keys as constants.
///
/// # Errors
/// If a key's cap has another height than the common data say.
pub(crate) fn flatten_keys<'a>(
    common: &CommonData,
    keys: impl IntoIterator<Item = &'a VerifierKey>,
) -> Result<Vec<Vec<PlonkField>>, AggregationCircuitError> {
    let expected = common.num_public_inputs.saturating_sub(STATEMENT_ELEMENTS);
    let keys: Vec<_> = keys.into_iter().map(flatten_key).collect();
    match keys.iter().enumerate().find(|(_, k)| k.len() != expected) {
        None => Ok(keys),
        Some((key, elements)) => Err(AggregationCircuitError::Key {
            key,
            found: elements.len(),
            expected,
        }),
    }
}

/// Lays out the whole circuit but for the padding.
///
/// Fails if the common data have too few public inputs for a statement.
fn assemble(
    form: &TreeForm,
    leaf_keys: &[Vec<PlonkField>],
    arity: usize,
) -> Result<(Builder, AggregationTargets), AggregationCircuitError> {
    let common = &form.common;
    let mut builder = Builder::new(common.config.clone());
    let key = builder.add_virtual_verifier_data(common.config.fri_config.cap_height);
    let own_key = flatten_key_target(&key);
    let slots: Vec<Slot> = (0..arity)
        .map(|i| add_slot(&mut builder, form, leaf_keys, &own_key, i == 0))
        .collect::<Result<_, _>>()?;
    join(&mut builder, &slots).ok_or(TreeError::PublicInputs {
        found: common.num_public_inputs,
        expected: STATEMENT_ELEMENTS,
    })?;
    builder.register_public_inputs(&own_key);
    Ok((builder, AggregationTargets { slots, key }))
}

/// Rules 1 to 4, and that `present` is boolean.
fn add_slot(
    builder: &mut Builder,
    form: &TreeForm,
    leaf_keys: &[Vec<PlonkField>],
    own_key: &[Target],
    first: bool,
) -> Result<Slot, AggregationCircuitError> {
    let child = ChildTargets::add(builder, form, leaf_keys, own_key)?;
    let present = if first {
        builder._true()
    } else {
        builder.add_virtual_bool_target_safe()
    };
    Ok(Slot { child, present })
}

/// Rules 5 to 8, and registers the statement as public inputs.
fn join(builder: &mut Builder, slots: &[Slot]) -> Option<()> {
    let (first, others) = slots.split_first()?;
    let (chain_id, before, after) = statement_targets(first)?;
    let mut after = after.to_vec();
    let mut previous = first.present;

    for slot in others {
        let (their_chain_id, starts, ends) = statement_targets(slot)?;
        let present = slot.present;

        // 5. One chain.
        builder.connect(their_chain_id, chain_id);

        // 6. The present slots are a prefix: present_i * present_{i-1} = present_i.
        let both = builder.and(present, previous);
        builder.connect(both.target, present.target);

        // 7. A present child starts where the one before it ended.
        // 8. The head after the last present child.
        for (after, (&start, &end)) in after.iter_mut().zip(starts.iter().zip(ends)) {
            builder.conditional_assert_eq(present.target, start, *after);
            *after = builder.select(present, end, *after);
        }
        previous = present;
    }
    builder.register_public_input(chain_id);
    builder.register_public_inputs(before);
    builder.register_public_inputs(&after);
    Some(())
}

/// What a child states: chain id, head before, head after.
fn statement_targets(slot: &Slot) -> Option<(Target, &[Target], &[Target])> {
    let (&chain_id, heads) = slot.child.public_inputs().split_first()?;
    let (before, rest) = heads.split_at_checked(HEAD_ELEMENTS)?;
    let (after, _) = rest.split_at_checked(HEAD_ELEMENTS)?;
    Some((chain_id, before, after))
}
