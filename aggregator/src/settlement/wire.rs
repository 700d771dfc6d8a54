//! The settlement proof as bytes: everything in the order of the transcript, big-endian, without
//! lengths. `docs/settlement-proof.md` has the table.

use plonky2::field::extension::FieldExtension as _;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::polynomial::PolynomialCoeffs;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::fri::proof::{FriInitialTreeProof, FriProof, FriQueryRound, FriQueryStep};
use plonky2::hash::merkle_proofs::MerkleProof;
use plonky2::hash::merkle_tree::MerkleCap;
use plonky2::plonk::proof::{OpeningSet, Proof, ProofWithPublicInputs};
use shardfold_protocol::field::MODULUS;
use shardfold_recursion::plonk::{
    CommonData, D, DIGEST_BYTES, KeccakConfig, KeccakDigest, KeccakTree, Nonces, PlonkField,
    PlonkProof, oracle_sizes,
};

use crate::wire::{WireError, sum};

type Extension = QuadraticExtension<PlonkField>;
type Cap = MerkleCap<PlonkField, KeccakTree>;
type Round = FriQueryRound<PlonkField, KeccakTree, D>;

/// Returns the proof's one form.
pub fn encode(proof: &PlonkProof<KeccakConfig>) -> Vec<u8> {
    let mut bytes = Writer::default();
    let (sent, nonces) = (&proof.plonky2.proof, &proof.nonces);
    let (openings, test) = (&sent.openings, &sent.opening_proof);
    bytes.elements(proof.public_inputs());
    for cap in [
        &sent.wires_cap,
        &sent.plonk_zs_partial_products_cap,
        &sent.quotient_polys_cap,
    ] {
        bytes.digests(&cap.0);
    }
    bytes.element(nonces.point);
    for values in [
        &openings.constants,
        &openings.plonk_sigmas,
        &openings.wires,
        &openings.plonk_zs,
        &openings.partial_products,
        &openings.quotient_polys,
        &openings.plonk_zs_next,
    ] {
        bytes.extensions(values);
    }
    bytes.element(nonces.batch);
    for (cap, &nonce) in test.commit_phase_merkle_caps.iter().zip(&nonces.folds) {
        bytes.digests(&cap.0);
        bytes.element(nonce);
    }
    bytes.extensions(&test.final_poly.coeffs);
    bytes.element(test.pow_witness);
    for query in &test.query_round_proofs {
        bytes.query(query);
    }
    bytes.0
}

/// What has been written.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn element(&mut self, element: PlonkField) {
        self.0.extend(element.to_canonical_u64().to_be_bytes());
    }

    fn elements(&mut self, elements: &[PlonkField]) {
        elements.iter().for_each(|&element| self.element(element));
    }

    fn extensions(&mut self, values: &[Extension]) {
        values.iter().for_each(|value| self.elements(&value.0));
    }

    fn digests(&mut self, digests: &[KeccakDigest]) {
        digests.iter().for_each(|digest| self.0.extend(digest.0));
    }

    fn query(&mut self, query: &Round) {
        let rows = &query.initial_trees_proof.evals_proofs;
        rows.iter().for_each(|(row, _)| self.elements(row));
        rows.iter()
            .for_each(|(_, path)| self.digests(&path.siblings));
        for step in &query.steps {
            self.extensions(&step.evals);
            self.digests(&step.merkle_proof.siblings);
        }
    }
}

/// Returns the proof that these bytes encode, of exactly the shape that `common` gives.
///
/// # Errors
/// If the length is another, or an element is not canonical.
pub fn decode(bytes: &[u8], common: &CommonData) -> Result<PlonkProof<KeccakConfig>, WireError> {
    let expected = proof_bytes(common);
    if bytes.len() != expected {
        let found = bytes.len();
        return Err(WireError::Length { found, expected });
    }
    Reader {
        bytes,
        offset: 0,
        common,
    }
    .proof()
}

/// Returns how many bytes every proof over these common data has.
pub fn proof_bytes(common: &CommonData) -> usize {
    let (config, fri) = (&common.config, &common.fri_params);
    let rounds = fri.reduction_arity_bits.len();
    let caps = rounds.saturating_add(3) << fri.config.cap_height;
    let openings = sum(oracle_sizes(common)).saturating_add(config.num_challenges);
    // Statement, nonces, openings, final polynomial.
    let elements = openings
        .saturating_add(fri.final_poly_len())
        .saturating_mul(D)
        .saturating_add(common.num_public_inputs)
        .saturating_add(rounds)
        .saturating_add(3);
    let (row, path) = query_sizes(common);
    let queries = fri.config.num_query_rounds;
    let elements = elements.saturating_add(row.saturating_mul(queries));
    let digests = caps.saturating_add(path.saturating_mul(queries));
    let digests = digests.saturating_mul(DIGEST_BYTES);
    elements.saturating_mul(8).saturating_add(digests)
}

/// Elements and digests of one query.
fn query_sizes(common: &CommonData) -> (usize, usize) {
    let fri = &common.fri_params;
    let path = |height: usize| height.saturating_sub(fri.config.cap_height);
    let sizes = oracle_sizes(common);
    let mut elements = sum(sizes);
    let mut height = fri.lde_bits();
    let mut digests = path(height).saturating_mul(sizes.len());
    for &arity_bits in &fri.reduction_arity_bits {
        height = height.saturating_sub(arity_bits);
        elements = elements.saturating_add(D << arity_bits);
        digests = digests.saturating_add(path(height));
    }
    (elements, digests)
}

/// What is left to be read.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    common: &'a CommonData,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(WireError::Decode)?;
        self.bytes = rest;
        self.offset = self.offset.saturating_add(N);
        Ok(*taken)
    }

    fn element(&mut self) -> Result<PlonkField, WireError> {
        let offset = self.offset;
        match u64::from_be_bytes(self.take()?) {
            value if value < MODULUS => Ok(PlonkField::from_canonical_u64(value)),
            value => Err(WireError::NotCanonical { offset, value }),
        }
    }

    fn elements(&mut self, count: usize) -> Result<Vec<PlonkField>, WireError> {
        (0..count).map(|_| self.element()).collect()
    }

    fn extensions(&mut self, count: usize) -> Result<Vec<Extension>, WireError> {
        let one = |_| {
            Ok(Extension::from_basefield_array([
                self.element()?,
                self.element()?,
            ]))
        };
        (0..count).map(one).collect()
    }

    fn digests(&mut self, count: usize) -> Result<Vec<KeccakDigest>, WireError> {
        let one = |_| {
            self.take::<DIGEST_BYTES>()
                .map(plonky2::hash::hash_types::BytesHash)
        };
        (0..count).map(one).collect()
    }

    fn cap(&mut self) -> Result<Cap, WireError> {
        let roots = 1 << self.common.fri_params.config.cap_height;
        self.digests(roots).map(MerkleCap)
    }

    fn path(&mut self, height: usize) -> Result<MerkleProof<PlonkField, KeccakTree>, WireError> {
        let count = height.saturating_sub(self.common.fri_params.config.cap_height);
        let siblings = self.digests(count)?;
        Ok(MerkleProof { siblings })
    }

    fn proof(mut self) -> Result<PlonkProof<KeccakConfig>, WireError> {
        let public_inputs = self.elements(self.common.num_public_inputs)?;
        let (wires_cap, plonk_zs_partial_products_cap) = (self.cap()?, self.cap()?);
        let quotient_polys_cap = self.cap()?;
        let mut nonces = Nonces {
            point: self.element()?,
            ..Nonces::default()
        };
        let openings = self.openings()?;
        nonces.batch = self.element()?;
        let mut commit_phase_merkle_caps = vec![];
        for _ in &self.common.fri_params.reduction_arity_bits {
            commit_phase_merkle_caps.push(self.cap()?);
            nonces.folds.push(self.element()?);
        }
        let final_poly = self.extensions(self.common.fri_params.final_poly_len())?;
        let pow_witness = self.element()?;
        let queries = 0..self.common.fri_params.config.num_query_rounds;
        let query_round_proofs = queries.map(|_| self.query()).collect::<Result<_, _>>()?;
        let proof = Proof {
            wires_cap,
            plonk_zs_partial_products_cap,
            quotient_polys_cap,
            openings,
            opening_proof: FriProof {
                commit_phase_merkle_caps,
                query_round_proofs,
                final_poly: PolynomialCoeffs::new(final_poly),
                pow_witness,
            },
        };
        Ok(PlonkProof {
            plonky2: ProofWithPublicInputs {
                proof,
                public_inputs,
            },
            nonces,
        })
    }

    fn openings(&mut self) -> Result<OpeningSet<PlonkField, D>, WireError> {
        let common = self.common;
        let challenges = common.config.num_challenges;
        let products = challenges.saturating_mul(common.num_partial_products);
        let quotient = challenges.saturating_mul(common.quotient_degree_factor);
        Ok(OpeningSet {
            constants: self.extensions(common.num_constants)?,
            plonk_sigmas: self.extensions(common.config.num_routed_wires)?,
            wires: self.extensions(common.config.num_wires)?,
            plonk_zs: self.extensions(challenges)?,
            partial_products: self.extensions(products)?,
            quotient_polys: self.extensions(quotient)?,
            plonk_zs_next: self.extensions(challenges)?,
            lookup_zs: vec![],
            lookup_zs_next: vec![],
        })
    }

    fn query(&mut self) -> Result<Round, WireError> {
        let sizes = oracle_sizes(self.common);
        let mut height = self.common.fri_params.lde_bits();
        let rows = sizes.map(|size| self.elements(size));
        let evals_proofs = rows
            .into_iter()
            .map(|row| Ok((row?, self.path(height)?)))
            .collect::<Result<_, WireError>>()?;
        let mut steps = vec![];
        for &arity_bits in &self.common.fri_params.reduction_arity_bits {
            height = height.saturating_sub(arity_bits);
            steps.push(FriQueryStep {
                evals: self.extensions(1 << arity_bits)?,
                merkle_proof: self.path(height)?,
            });
        }
        Ok(Round {
            steps,
            initial_trees_proof: FriInitialTreeProof { evals_proofs },
        })
    }
}
