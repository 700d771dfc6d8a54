//! The cyclic aggregation: one circuit that joins the statements of a few neighbouring proofs, each a
//! shard proof (a *leaf*) or itself an aggregation, so that one key serves trees of any size and form.
//!
//! An aggregation's slot states the key of the aggregation circuit itself, which no circuit can hold as a
//! constant. That a slot tells the truth is checked by the verifier of the *root*, outside:
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
    Builder, Circuit, CommonData, Grinding, PlonkError, PlonkField, PlonkProof, PlonkProofTarget,
    VerifierKey, add_virtual_plonk_proof, prove, set_plonk_proof_target, verify,
    verify_plonk_proof,
};
use shardfold_recursion::tree::{TreeError, finish};

mod disk;
mod error;
mod key_slot;
mod rows;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::AggregationCircuitError;
pub use key_slot::{flatten_key, states_key};
use key_slot::{flatten_key_target, unflatten_key_target};
pub use rows::{aggregation_rows, common_degree_bits};

/// Child slots of the production aggregation circuit.
pub const ARITY: usize = 2;

/// Where a proof of the tree comes from: which key it verifies under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// A shard proof under the leaf key at this position.
    Leaf(usize),
    /// An aggregation.
    Aggregation,
}

/// A proof to be aggregated.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// The key that it verifies under.
    pub origin: Origin,
    /// The proof.
    pub proof: &'a PlonkProof,
}

/// The targets of one child slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) proof: PlonkProofTarget,
    /// One-hot: the leaf keys in order, then the aggregation key.
    pub(crate) choice: Vec<BoolTarget>,
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
    pub(crate) leaf_keys: Vec<VerifierKey>,
    pub(crate) grinding: Grinding,
}

impl AggregationCircuit {
    /// Builds the circuit that aggregates up to `arity` proofs over `common`, each an aggregation or a leaf
    /// under one of `leaf_keys`, all with this grinding.
    ///
    /// # Errors
    /// If the circuit does not fit the degree of `common`, `common` lacks a gate, or there is
    /// no leaf key.
    pub fn build(
        common: &CommonData,
        leaf_keys: Vec<VerifierKey>,
        arity: usize,
        grinding: Grinding,
    ) -> Result<Self, AggregationCircuitError> {
        if leaf_keys.is_empty() || arity == 0 {
            return Err(AggregationCircuitError::Empty);
        }
        let expected = common.num_public_inputs.saturating_sub(STATEMENT_ELEMENTS);
        let keys: Vec<_> = leaf_keys.iter().map(flatten_key).collect();
        if let Some((key, elements)) = keys.iter().enumerate().find(|(_, k)| k.len() != expected) {
            return Err(AggregationCircuitError::LeafKey {
                key,
                found: elements.len(),
                expected,
            });
        }
        let (builder, targets) = assemble(common, &keys, arity, grinding)?;
        let circuit = finish(builder, common)?;
        Ok(Self {
            circuit,
            targets,
            leaf_keys,
            grinding,
        })
    }

    /// Returns the aggregation key: what the key slot of every valid aggregation states.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.circuit.verifier_only
    }

    /// Returns the common data of the tree.
    #[must_use]
    pub fn common(&self) -> &CommonData {
        &self.circuit.common
    }

    /// Returns the allowed leaf keys.
    #[must_use]
    pub fn leaf_keys(&self) -> &[VerifierKey] {
        &self.leaf_keys
    }

    /// Returns the grinding of all proofs of the tree.
    #[must_use]
    pub fn grinding(&self) -> Grinding {
        self.grinding
    }

    /// Returns how many proofs one aggregation takes.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.targets.slots.len()
    }

    /// Verifies one proof of the tree under the key of its origin; an aggregation's key slot must hold
    /// the aggregation key.
    ///
    /// # Errors
    /// If the key does not exist or the proof does not verify; `slot` names it in the error.
    pub fn check_child(
        &self,
        slot: usize,
        child: &Child<'_>,
    ) -> Result<(), AggregationCircuitError> {
        let key = match child.origin {
            Origin::Aggregation => self.key(),
            Origin::Leaf(key) => {
                self.leaf_keys
                    .get(key)
                    .ok_or(AggregationCircuitError::NoSuchKey {
                        slot,
                        key,
                        keys: self.leaf_keys.len(),
                    })?
            }
        };
        if child.origin == Origin::Aggregation && !states_key(child.proof, self.key()) {
            return Err(AggregationCircuitError::KeySlot { slot });
        }
        verify(key, self.common(), self.grinding, child.proof)
            .map_err(|source| AggregationCircuitError::InvalidChild { slot, source })
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
            self.check_child(slot, child)?;
        }
        self.witness(children)
            .and_then(|witness| prove(&self.circuit, self.grinding, witness))
            .map_err(AggregationCircuitError::Prove)
    }

    /// Sets the children; absent slots repeat the first one.
    pub(crate) fn witness(
        &self,
        children: &[Child<'_>],
    ) -> Result<PartialWitness<PlonkField>, PlonkError> {
        let mut witness = PartialWitness::new();
        let key = self.key();
        witness
            .set_verifier_data_target(&self.targets.key, key)
            .map_err(PlonkError)?;
        let first = children.first();
        for (i, slot) in self.targets.slots.iter().enumerate() {
            let child = children.get(i).or(first);
            let child = child.context("there is no child").map_err(PlonkError)?;
            let chosen = match child.origin {
                Origin::Leaf(key) => key,
                Origin::Aggregation => self.leaf_keys.len(),
            };
            let bits = slot.choice.iter().enumerate();
            let bits = bits.map(|(key, &bit)| (bit, key == chosen));
            let present = (i > 0).then_some((slot.present, i < children.len()));
            for (bit, value) in bits.chain(present) {
                witness.set_bool_target(bit, value).map_err(PlonkError)?;
            }
            set_plonk_proof_target(&mut witness, &slot.proof, child.proof)?;
        }
        Ok(witness)
    }
}

/// Lays out the whole circuit but for the padding.
///
/// Fails if the common data have too few public inputs for a statement.
fn assemble(
    common: &CommonData,
    leaf_keys: &[Vec<PlonkField>],
    arity: usize,
    grinding: Grinding,
) -> Result<(Builder, AggregationTargets), AggregationCircuitError> {
    let mut builder = Builder::new(common.config.clone());
    let key = builder.add_virtual_verifier_data(common.config.fri_config.cap_height);
    let too_few = TreeError::PublicInputs {
        found: common.num_public_inputs,
        expected: STATEMENT_ELEMENTS,
    };
    let mut slots = Vec::new();
    for i in 0..arity {
        let proof = add_virtual_plonk_proof(&mut builder, common);
        let Some((slot, chosen)) = add_slot(&mut builder, leaf_keys, &key, proof, i == 0) else {
            return Err(too_few.into());
        };
        // 3. The proof verifies under the chosen key.
        verify_plonk_proof(&mut builder, &slot.proof, &chosen, common, grinding)?;
        slots.push(slot);
    }
    join(&mut builder, &slots).ok_or(too_few)?;
    builder.register_public_inputs(&flatten_key_target(&key));
    Ok((builder, AggregationTargets { slots, key }))
}

/// Rules 1, 2 and 4, and that `present` is boolean. Returns the chosen key with the slot.
fn add_slot(
    builder: &mut Builder,
    leaf_keys: &[Vec<PlonkField>],
    own_key: &VerifierCircuitTarget,
    proof: PlonkProofTarget,
    first: bool,
) -> Option<(Slot, VerifierCircuitTarget)> {
    // 1. One-hot choice.
    let mut choice: Vec<BoolTarget> = leaf_keys
        .iter()
        .map(|_| builder.add_virtual_bool_target_safe())
        .collect();
    let own_choice = builder.add_virtual_bool_target_safe();
    choice.push(own_choice);
    let sum = builder.add_many(choice.iter().map(|bit| bit.target));
    builder.assert_one(sum);

    // 2. The key is the chosen one.
    let own = flatten_key_target(own_key);
    let is_aggregation = own_choice.target;
    let elements: Vec<Target> = own
        .iter()
        .enumerate()
        .map(|(i, &own_element)| {
            let own_part = builder.mul(is_aggregation, own_element);
            // All keys have the same number of elements.
            let leaf_elements = leaf_keys.iter().filter_map(|key| key.get(i));
            leaf_elements
                .zip(&choice)
                .fold(own_part, |sum, (&element, bit)| {
                    let constant = builder.constant(element);
                    builder.mul_add(bit.target, constant, sum)
                })
        })
        .collect();
    let key = unflatten_key_target(&elements)?;

    // 4. An aggregation states the aggregation key that we state.
    let their_slot = proof.plonky2.public_inputs.iter().skip(STATEMENT_ELEMENTS);
    for (&theirs, &ours) in their_slot.zip(&own) {
        builder.conditional_assert_eq(is_aggregation, theirs, ours);
    }

    let present = if first {
        builder._true()
    } else {
        builder.add_virtual_bool_target_safe()
    };
    let slot = Slot {
        proof,
        choice,
        present,
    };
    Some((slot, key))
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
    let (&chain_id, heads) = slot.proof.plonky2.public_inputs.split_first()?;
    let (before, rest) = heads.split_at_checked(HEAD_ELEMENTS)?;
    let (after, _) = rest.split_at_checked(HEAD_ELEMENTS)?;
    Some((chain_id, before, after))
}
