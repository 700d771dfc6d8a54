//! All challenges of a proof, from what the prover sent: the verifier's walk through the
//! [`Transcript`], for values and for targets.

use plonky2::field::extension::FieldExtension as _;
use plonky2::hash::hash_types::{HashOut, HashOutTarget};
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_data::VerifierCircuitTarget;

use super::openings::Openings;
use super::transcript::{CopyChallenges, Pair, Sponge, Transcript};
use super::{
    CommonData, Grinding, Hash, Nonces, PlonkField, PlonkProof, PlonkProofTarget, Trees,
    VerifierKey,
};

/// What the transcript observes.
#[derive(Clone, Debug)]
pub(super) struct Messages<W, H> {
    pub circuit_digest: H,
    pub public_inputs_hash: [W; 4],
    pub wires: Vec<H>,
    pub products: Vec<H>,
    pub quotient: Vec<H>,
    pub openings: Vec<Pair<W>>,
    /// The cap of each folded codeword.
    pub rounds: Vec<Vec<H>>,
    pub final_polynomial: Vec<Pair<W>>,
    /// The nonce before the queries.
    pub query_nonce: W,
    pub nonces: Nonces<W>,
}

/// What the transcript answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenges<W> {
    pub copy: CopyChallenges<W>,
    /// What combines the constraints, once for each repetition.
    pub alphas: Vec<W>,
    /// The out-of-domain point.
    pub zeta: Pair<W>,
    /// What batches the openings.
    pub batch: Pair<W>,
    /// What folds each codeword.
    pub folds: Vec<Pair<W>>,
    /// The answer to the nonce before the queries.
    pub response: W,
    /// An element for each query, whose low bits are its index.
    pub queries: Vec<W>,
}

impl<W: Copy, H> Messages<W, H> {
    /// Plays the transcript. There is one nonce for each folded codeword.
    pub fn challenges<S: Sponge<Word = W, Digest = H>>(
        &self,
        sponge: S,
        common: &CommonData,
        grinding: Grinding,
    ) -> Result<Challenges<W>, S::Error> {
        let (digest, hash) = (&self.circuit_digest, self.public_inputs_hash);
        let mut transcript = Transcript::new(sponge, common, grinding, digest, hash);
        let copy = transcript.wires(&self.wires);
        let alphas = transcript.products(&self.products);
        let zeta = transcript.quotient(&self.quotient, |_, _| self.nonces.point)?;
        let batch = transcript.openings(&self.openings, |_, _| self.nonces.batch)?;
        let rounds = self.rounds.iter().zip(&self.nonces.folds);
        let folds = rounds
            .map(|(cap, &nonce)| transcript.round(cap, |_, _| nonce))
            .collect::<Result<_, _>>()?;
        let (response, queries) =
            transcript.queries(&self.final_polynomial, |_, _| self.query_nonce);
        Ok(Challenges {
            copy,
            alphas,
            zeta,
            batch,
            folds,
            response,
            queries,
        })
    }
}

/// Returns what a proof sends.
pub(super) fn sent_values<C: Trees>(
    proof: &PlonkProof<C>,
    key: &VerifierKey<C>,
    public_inputs_hash: &HashOut<PlonkField>,
) -> Messages<PlonkField, Hash<C>> {
    let sent = &proof.plonky2.proof;
    let opening = &sent.opening_proof;
    let pairs = |elements: Vec<super::Extension>| -> Vec<_> {
        let elements = elements.iter();
        elements
            .map(|element| element.to_basefield_array())
            .collect()
    };
    Messages {
        circuit_digest: key.circuit_digest,
        public_inputs_hash: public_inputs_hash.elements,
        wires: sent.wires_cap.0.clone(),
        products: sent.plonk_zs_partial_products_cap.0.clone(),
        quotient: sent.quotient_polys_cap.0.clone(),
        openings: pairs(Openings::from(&sent.openings).all()),
        rounds: opening
            .commit_phase_merkle_caps
            .iter()
            .map(|cap| cap.0.clone())
            .collect(),
        final_polynomial: pairs(opening.final_poly.coeffs.clone()),
        query_nonce: opening.pow_witness,
        nonces: proof.nonces.clone(),
    }
}

impl Messages<Target, HashOutTarget> {
    /// The targets of what a proof sends.
    pub fn of_targets(
        proof: &PlonkProofTarget,
        key: &VerifierCircuitTarget,
        public_inputs_hash: &HashOutTarget,
    ) -> Self {
        let sent = &proof.plonky2.proof;
        let opening = &sent.opening_proof;
        let openings = Openings::from(&sent.openings).all();
        Self {
            circuit_digest: key.circuit_digest,
            public_inputs_hash: public_inputs_hash.elements,
            wires: sent.wires_cap.0.clone(),
            products: sent.plonk_zs_partial_products_cap.0.clone(),
            quotient: sent.quotient_polys_cap.0.clone(),
            openings: openings.iter().map(|element| element.0).collect(),
            rounds: opening
                .commit_phase_merkle_caps
                .iter()
                .map(|cap| cap.0.clone())
                .collect(),
            final_polynomial: opening
                .final_poly
                .0
                .iter()
                .map(|element| element.0)
                .collect(),
            query_nonce: opening.pow_witness,
            nonces: proof.nonces.clone(),
        }
    }
}
