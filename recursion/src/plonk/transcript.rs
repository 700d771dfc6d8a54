//! The Fiat-Shamir transcript of a plonky2 proof, written once for prover, verifier and circuit.
//!
//! The order is plonky2's own (`plonk/get_challenges.rs`, `fri/challenges.rs`), with grinding
//! before three more challenges: the out-of-domain point, the batching of the openings, and each
//! folding. A site of no bits has no part in the transcript, so that without such grinding the
//! transcript is plonky2's.
//!
//! | step | observed | sampled |
//! | --- | --- | --- |
//! | [`Transcript::new`] | FRI parameters, circuit digest, hash of the public inputs | |
//! | [`wires`](Transcript::wires) | cap of the wires | betas, gammas |
//! | [`products`](Transcript::products) | cap of the copy-constraint products | alphas |
//! | [`quotient`](Transcript::quotient) | cap of the quotient, *grinding* | zeta |
//! | [`openings`](Transcript::openings) | all openings, *grinding* | what batches them |
//! | [`round`](Transcript::round), each | cap of the folded codeword, *grinding* | what folds it |
//! | [`queries`](Transcript::queries) | final polynomial, grinding | the grinding's response, indices |
//!
//! *Grinding*: a nonce is observed, then one element is sampled, whose leading bits must be zero.

use plonky2::field::types::Field as _;

use super::{CommonData, D, Grinding, PlonkField};

/// An element of the quadratic extension.
pub type Pair<W> = [W; D];

/// A sponge that observes and samples values, or targets of a circuit under construction.
pub trait Sponge {
    /// An element of the base field.
    type Word: Copy;
    /// A root of a Merkle tree.
    type Digest;
    /// What a grinding that fails is.
    type Error;
    /// Observes what the common data fix.
    fn observe_constant(&mut self, value: PlonkField);
    /// Observes one element.
    fn observe(&mut self, word: Self::Word);
    /// Observes a root.
    fn observe_digest(&mut self, digest: &Self::Digest);
    /// Samples one element.
    fn sample(&mut self) -> Self::Word;
    /// Checks that the leading `bits` bits of a response to a nonce are zero.
    fn check(&mut self, bits: u32, response: Self::Word) -> Result<(), Self::Error>;
}

/// The challenges of the copy constraints, some of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyChallenges<W> {
    /// What a wire's place is multiplied by.
    pub betas: Vec<W>,
    /// What is added to it.
    pub gammas: Vec<W>,
}

/// A transcript that has begun.
#[derive(Debug)]
pub struct Transcript<'a, S> {
    /// The sponge.
    pub sponge: S,
    common: &'a CommonData,
    grinding: Grinding,
}

impl<'a, S: Sponge> Transcript<'a, S> {
    /// Observes the parameters and the instance.
    pub fn new(
        mut sponge: S,
        common: &'a CommonData,
        grinding: Grinding,
        circuit_digest: &S::Digest,
        public_inputs_hash: [S::Word; 4],
    ) -> Self {
        let fri = &common.fri_params;
        let config = &fri.config;
        let number = PlonkField::from_canonical_usize;
        let mut constants = vec![number(config.rate_bits), number(config.cap_height)];
        constants.push(PlonkField::from_canonical_u32(config.proof_of_work_bits));
        constants.extend(config.reduction_strategy.serialize::<PlonkField>());
        constants.push(number(config.num_query_rounds));
        constants.push(PlonkField::from_bool(fri.hiding));
        constants.push(number(fri.degree_bits));
        constants.extend(fri.reduction_arity_bits.iter().map(|&bits| number(bits)));
        for constant in constants {
            sponge.observe_constant(constant);
        }
        sponge.observe_digest(circuit_digest);
        for word in public_inputs_hash {
            sponge.observe(word);
        }
        Self {
            sponge,
            common,
            grinding,
        }
    }

    /// Observes the wires' cap.
    pub fn wires(&mut self, cap: &[S::Digest]) -> CopyChallenges<S::Word> {
        self.observe_cap(cap);
        CopyChallenges {
            betas: self.sample_all(),
            gammas: self.sample_all(),
        }
    }

    /// Observes the products' cap and returns the alphas, which combine the constraints.
    pub fn products(&mut self, cap: &[S::Digest]) -> Vec<S::Word> {
        self.observe_cap(cap);
        self.sample_all()
    }

    /// Observes the quotient's cap and returns zeta, where all polynomials are opened.
    ///
    /// # Errors
    /// If the nonce does not answer.
    pub fn quotient(
        &mut self,
        cap: &[S::Digest],
        nonce: impl FnOnce(&S, u32) -> S::Word,
    ) -> Result<Pair<S::Word>, S::Error> {
        self.observe_cap(cap);
        self.grind(self.grinding.point, nonce)?;
        Ok(self.sample_pair())
    }

    /// Observes the openings at zeta, then those at the next row, and returns what batches them.
    ///
    /// # Errors
    /// If the nonce does not answer.
    pub fn openings(
        &mut self,
        openings: &[Pair<S::Word>],
        nonce: impl FnOnce(&S, u32) -> S::Word,
    ) -> Result<Pair<S::Word>, S::Error> {
        self.observe_all(openings.as_flattened());
        self.grind(self.grinding.batch, nonce)?;
        Ok(self.sample_pair())
    }

    /// Observes the cap of a codeword and returns what folds it.
    ///
    /// # Errors
    /// If the nonce does not answer.
    pub fn round(
        &mut self,
        cap: &[S::Digest],
        nonce: impl FnOnce(&S, u32) -> S::Word,
    ) -> Result<Pair<S::Word>, S::Error> {
        self.observe_cap(cap);
        self.grind(self.grinding.fold, nonce)?;
        Ok(self.sample_pair())
    }

    /// Observes the final polynomial; returns the response to the last nonce, which the low-degree
    /// test checks, and an element for each query.
    pub fn queries(
        &mut self,
        final_polynomial: &[Pair<S::Word>],
        nonce: impl FnOnce(&S, u32) -> S::Word,
    ) -> (S::Word, Vec<S::Word>) {
        self.observe_all(final_polynomial.as_flattened());
        let config = &self.common.config.fri_config;
        let nonce = nonce(&self.sponge, config.proof_of_work_bits);
        self.sponge.observe(nonce);
        let response = self.sponge.sample();
        let queries = 0..config.num_query_rounds;
        (response, queries.map(|_| self.sponge.sample()).collect())
    }

    /// Plays a grinding step, if it has bits.
    fn grind(&mut self, bits: u32, nonce: impl FnOnce(&S, u32) -> S::Word) -> Result<(), S::Error> {
        if bits == 0 {
            return Ok(());
        }
        let nonce = nonce(&self.sponge, bits);
        self.sponge.observe(nonce);
        let response = self.sponge.sample();
        self.sponge.check(bits, response)
    }

    fn observe_cap(&mut self, cap: &[S::Digest]) {
        for digest in cap {
            self.sponge.observe_digest(digest);
        }
    }

    fn observe_all(&mut self, words: &[S::Word]) {
        for &word in words {
            self.sponge.observe(word);
        }
    }

    /// One challenge for each repetition of the arguments over the base field.
    fn sample_all(&mut self) -> Vec<S::Word> {
        let count = self.common.config.num_challenges;
        (0..count).map(|_| self.sponge.sample()).collect()
    }

    fn sample_pair(&mut self) -> Pair<S::Word> {
        core::array::from_fn(|_| self.sponge.sample())
    }
}
