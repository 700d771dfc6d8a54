//! A key as the public inputs of its slot: digest, then the digests of the cap.

use plonky2::hash::hash_types::{HashOutTarget, MerkleCapTarget};
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_recursion::plonk::{PlonkField, PlonkProof, VerifierKey};

/// Returns a key as public inputs: digest, then the cap's digests.
#[must_use]
pub fn flatten_key(key: &VerifierKey) -> Vec<PlonkField> {
    let cap = key
        .constants_sigmas_cap
        .0
        .iter()
        .flat_map(|hash| hash.elements);
    key.circuit_digest.elements.into_iter().chain(cap).collect()
}

/// Returns whether the key slot of this proof holds `key`, digest and cap.
#[must_use]
pub fn states_key(proof: &PlonkProof, key: &VerifierKey) -> bool {
    proof.public_inputs().get(STATEMENT_ELEMENTS..) == Some(flatten_key(key).as_slice())
}

/// A key's targets in the order of the public inputs.
pub(super) fn flatten_key_target(key: &VerifierCircuitTarget) -> Vec<Target> {
    let cap = key
        .constants_sigmas_cap
        .0
        .iter()
        .flat_map(|hash| hash.elements);
    key.circuit_digest.elements.into_iter().chain(cap).collect()
}

/// The inverse of [`flatten_key_target`].
pub(super) fn unflatten_key_target(elements: &[Target]) -> Option<VerifierCircuitTarget> {
    let mut hashes = elements
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&elements| HashOutTarget { elements });
    Some(VerifierCircuitTarget {
        circuit_digest: hashes.next()?,
        constants_sigmas_cap: MerkleCapTarget(hashes.collect()),
    })
}
