//! What is published of a batch: the coefficients of its differences, in calldata or in blobs; the
//! point that this gives, and the value of their polynomial there.
//!
//! The differences are fixed by the two data commitments, which are chains of hashes, and what is
//! published by its bytes or by the versioned hashes of its blobs.
//! The point is made of both, so it is chosen after them. Two different polynomials of a degree
//! below 2^15 agree at one of its 2^126 values with a probability below 2^-110.

mod blob;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup as _, BigInt, Field as _, PrimeField as _};
use c_kzg::{Blob, Bytes32, KzgSettings, ethereum_kzg_settings};
use sha2::{Digest as _, Sha256};
use shardfold_protocol::data::{
    COEFFICIENTS, Coefficient, Evaluation, POINT_LIMIT, TooMuchData, coefficients,
};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use thiserror::Error;

use crate::encoding::word;

/// Bytes of a coefficient.
pub const COEFFICIENT_BYTES: usize = 32;
/// Coefficients in a blob.
pub const BLOB_COEFFICIENTS: usize = 4096;
/// Bytes of a blob.
pub const BLOB_BYTES: usize = COEFFICIENT_BYTES * BLOB_COEFFICIENTS;
/// Bytes of a blob's opening: value, commitment and proof.
pub const OPENING_BYTES: usize = 128;
/// Cells of a blob, each with a proof of its own.
pub const CELLS: usize = 128;
/// The version of a blob's hash (EIP-4844).
const HASH_VERSION: u8 = 1;
/// How much of the setup is computed beforehand: that pays for the cells of many blobs alone.
const PRECOMPUTE: u64 = 0;

/// Where a batch is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataMode {
    /// In the transaction that settles it.
    Calldata,
    /// In blobs beside it.
    Blobs,
}

impl DataMode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Calldata, Self::Blobs];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calldata => "calldata",
            Self::Blobs => "blobs",
        }
    }

    /// Returns the mode of a name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Why differences cannot be published.
#[derive(Debug, Error)]
pub enum PublicationError {
    /// More of them than one settlement publishes.
    #[error(transparent)]
    TooMuch(#[from] TooMuchData),
    /// Blobs that cannot be committed to or opened.
    #[error("cannot commit to a blob: {0}")]
    Kzg(#[from] c_kzg::Error),
}

/// What is published of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    mode: DataMode,
    coefficients: Vec<Fr>,
    calldata: Bytes,
    blobs: Vec<Bytes>,
    commitments: Vec<[u8; 48]>,
    hashes: Vec<B256>,
    openings: Bytes,
    evaluation: Evaluation,
}

impl Publication {
    /// Publishes the differences that lead from one data commitment to another.
    ///
    /// # Errors
    /// More differences than one settlement publishes.
    pub fn new(
        mode: DataMode,
        before: &Digest,
        after: &Digest,
        differences: &[F],
    ) -> Result<Self, PublicationError> {
        let mut coefficients: Vec<_> = coefficients(differences)?
            .into_iter()
            // All are below the order: they have 254 bits.
            .map(|words| Fr::from(BigInt::new(words)))
            .collect();
        while coefficients.pop_if(|last| *last == Fr::ZERO).is_some() {}
        let mut publication = Self {
            mode,
            coefficients,
            calldata: Bytes::new(),
            blobs: vec![],
            commitments: vec![],
            hashes: vec![],
            openings: Bytes::new(),
            evaluation: Evaluation::default(),
        };
        match mode {
            DataMode::Calldata => publication.write_calldata(),
            DataMode::Blobs => publication.write_blobs()?,
        }
        publication.evaluate(before, after);
        if mode == DataMode::Blobs {
            publication.open()?;
        }
        Ok(publication)
    }

    /// Returns where it is published.
    #[must_use]
    pub const fn mode(&self) -> DataMode {
        self.mode
    }

    /// Returns the coefficients, without those that are zero at the end.
    #[must_use]
    pub fn coefficients(&self) -> Vec<Coefficient> {
        self.coefficients.iter().map(words).collect()
    }

    /// Returns the coefficients as the contract reads them, of [`COEFFICIENT_BYTES`] each,
    /// big-endian; nothing if they are in blobs.
    #[must_use]
    pub const fn calldata(&self) -> &Bytes {
        &self.calldata
    }

    /// Returns the blobs, of [`BLOB_BYTES`] each; none if the coefficients are in calldata, or if
    /// there are none.
    #[must_use]
    pub fn blobs(&self) -> &[Bytes] {
        &self.blobs
    }

    /// Returns the KZG commitments to the blobs.
    #[must_use]
    pub fn commitments(&self) -> &[[u8; 48]] {
        &self.commitments
    }

    /// Returns the hashes by which the chain knows the blobs.
    #[must_use]
    pub fn versioned_hashes(&self) -> &[B256] {
        &self.hashes
    }

    /// Returns what the contract needs of each blob beside its hash, of [`OPENING_BYTES`] each: the
    /// value at the point, the commitment and the KZG proof.
    #[must_use]
    pub const fn openings(&self) -> &Bytes {
        &self.openings
    }

    /// Returns the proofs of the blobs' cells, [`CELLS`] for each, which nodes want beside them
    /// (EIP-7594). They are computed here, some tenths of a second for each blob.
    ///
    /// # Errors
    /// None for blobs of one's own.
    pub fn cell_proofs(&self) -> Result<Vec<[u8; 48]>, PublicationError> {
        let mut all = vec![];
        for blob in &self.blobs {
            let blob = Blob::from_bytes(blob)?;
            let (_, proofs) = settings().compute_cells_and_kzg_proofs(&blob)?;
            all.extend(proofs.iter().map(|proof| proof.to_bytes().into_inner()));
        }
        Ok(all)
    }

    /// Returns the point, and the value of the polynomial of all coefficients there.
    #[must_use]
    pub const fn evaluation(&self) -> Evaluation {
        self.evaluation
    }

    fn write_calldata(&mut self) {
        let bytes = self.coefficients.iter().flat_map(bytes);
        self.calldata = bytes.collect::<Vec<u8>>().into();
    }

    fn write_blobs(&mut self) -> Result<(), c_kzg::Error> {
        let settings = settings();
        for coefficients in self.coefficients.chunks(BLOB_COEFFICIENTS) {
            let bytes = blob::write(coefficients);
            let commitment = settings.blob_to_kzg_commitment(&Blob::from_bytes(&bytes)?)?;
            let commitment = commitment.to_bytes().into_inner();
            self.blobs.push(bytes.into());
            self.hashes.push(versioned_hash(&commitment));
            self.commitments.push(commitment);
        }
        Ok(())
    }

    fn evaluate(&mut self, before: &Digest, after: &Digest) {
        let point = point(before, after, &self.hashes, &self.calldata);
        let x = field_point(point);
        let sum = horner(&self.coefficients, x);
        let missing = COEFFICIENTS - self.coefficients.len();
        let value = words(&(sum * x.pow([missing as u64])));
        self.evaluation = Evaluation { point, value };
    }

    fn open(&mut self) -> Result<(), c_kzg::Error> {
        let x = Bytes32::new(bytes(&field_point(self.evaluation.point)));
        let mut openings = vec![];
        for (blob, commitment) in self.blobs.iter().zip(&self.commitments) {
            let (proof, y) = settings().compute_kzg_proof(&Blob::from_bytes(blob)?, &x)?;
            openings.extend(y.as_slice());
            openings.extend(commitment);
            openings.extend(proof.to_bytes().as_slice());
        }
        self.openings = openings.into();
        Ok(())
    }
}

/// Returns the hash by which the chain knows a blob with this commitment.
#[must_use]
pub fn versioned_hash(commitment: &[u8; 48]) -> B256 {
    let mut hash = B256::from_slice(&Sha256::digest(commitment));
    hash[0] = HASH_VERSION;
    hash
}

/// Returns the hash by which the chain knows a blob; `None` of what is no blob.
#[must_use]
pub fn blob_hash(bytes: &[u8]) -> Option<B256> {
    let blob = Blob::from_bytes(bytes).ok()?;
    let commitment = settings().blob_to_kzg_commitment(&blob).ok()?;
    Some(versioned_hash(&commitment.to_bytes().into_inner()))
}

/// Returns the point that the contract makes of two data commitments and of what is published
/// between them: the blobs with these hashes or, without any, these bytes of calldata.
#[must_use]
pub fn point(before: &Digest, after: &Digest, hashes: &[B256], calldata: &[u8]) -> [u64; 2] {
    let mut message = vec![];
    for word in [word(before), word(after), U256::from(hashes.len())] {
        message.extend(word.to_be_bytes::<32>());
    }
    message.extend(hashes.iter().flatten());
    if hashes.is_empty() {
        message.extend(calldata);
    }
    let [low, high, ..] = U256::from_be_bytes(keccak256(message).0).into_limbs();
    [low, high].map(|word| word & (POINT_LIMIT - 1))
}

/// Returns the coefficients that stand in calldata, each reduced modulo the field's order; `None` if
/// the bytes are not whole coefficients.
#[must_use]
pub fn from_calldata(bytes: &[u8]) -> Option<Vec<Coefficient>> {
    let (coefficients, rest) = bytes.as_chunks::<COEFFICIENT_BYTES>();
    let read = coefficients.iter().map(|bytes| words(&element(bytes)));
    rest.is_empty().then(|| read.collect())
}

/// Returns the coefficients of a blob, [`BLOB_COEFFICIENTS`] of them; `None` if it has another length
/// than a blob. What stands in it is reduced modulo the field's order.
#[must_use]
pub fn from_blob(bytes: &[u8]) -> Option<Vec<Coefficient>> {
    let coefficients = (bytes.len() == BLOB_BYTES).then(|| blob::read(bytes))?;
    Some(coefficients.iter().map(words).collect())
}

fn settings() -> &'static KzgSettings {
    ethereum_kzg_settings(PRECOMPUTE)
}

/// The polynomial whose last coefficient is that of `x^0`.
fn horner(coefficients: &[Fr], x: Fr) -> Fr {
    coefficients.iter().fold(Fr::ZERO, |sum, c| sum * x + c)
}

fn field_point([low, high]: [u64; 2]) -> Fr {
    Fr::from(BigInt::new([low, high, 0, 0]))
}

fn words(x: &Fr) -> Coefficient {
    x.into_bigint().0
}

fn bytes(x: &Fr) -> [u8; COEFFICIENT_BYTES] {
    U256::from_limbs(words(x)).to_be_bytes()
}

fn element(bytes: &[u8; COEFFICIENT_BYTES]) -> Fr {
    Fr::from_be_bytes_mod_order(bytes)
}

#[cfg(test)]
mod tests;
