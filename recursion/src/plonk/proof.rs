//! A proof and its nonces, as values and as targets.

use plonky2::iop::target::Target;
use plonky2::plonk::proof::{ProofWithPublicInputs, ProofWithPublicInputsTarget};

use super::{D, Grinding, PlonkConfig, PlonkField, Trees};

/// plonky2's proof and the nonces of the grinding that plonky2 does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlonkProof<C: Trees = PlonkConfig> {
    /// plonky2's proof with its public inputs; it holds the nonce before the queries.
    pub plonky2: ProofWithPublicInputs<PlonkField, C, D>,
    /// The other nonces.
    pub nonces: Nonces<PlonkField>,
}

impl<C: Trees> PlonkProof<C> {
    /// Returns what the proof states.
    #[must_use]
    pub fn public_inputs(&self) -> &[PlonkField] {
        &self.plonky2.public_inputs
    }
}

/// The nonces of the grinding before each challenge but the query indices; zero where a site has
/// no bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nonces<W> {
    /// Before the out-of-domain point.
    pub point: W,
    /// Before what batches the openings.
    pub batch: W,
    /// Before what folds each round.
    pub folds: Vec<W>,
}

impl<W> Nonces<W> {
    /// Returns all nonces in the order of the transcript.
    pub fn all(&self) -> impl Iterator<Item = &W> {
        [&self.point, &self.batch].into_iter().chain(&self.folds)
    }

    /// Returns each nonce with the challenge that it stands before and the bits ground there.
    pub fn sites(&self, grinding: Grinding) -> impl Iterator<Item = (&'static str, u32, &W)> {
        let point = ("the out-of-domain point", grinding.point, &self.point);
        let batch = ("what batches the openings", grinding.batch, &self.batch);
        let folds = self.folds.iter();
        let folds = folds.map(move |nonce| ("a folding challenge", grinding.fold, nonce));
        [point, batch].into_iter().chain(folds)
    }
}

/// The targets of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlonkProofTarget {
    /// plonky2's proof with its public inputs.
    pub plonky2: ProofWithPublicInputsTarget<D>,
    /// The other nonces.
    pub nonces: Nonces<Target>,
}
