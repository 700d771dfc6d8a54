//! Heads, statements, records and differences as the contract reads them: elements of 8 bytes,
//! big-endian; four of them are a word, the first in its highest bits.

use alloy_primitives::{B256, U256, keccak256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::address::{ADDRESS_BYTES, Address};
use shardfold_protocol::data::Settlement;
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::record::Record;
use shardfold_protocol::signature::PublicKey;

/// Bytes of a head.
pub const HEAD_BYTES: usize = 192;
/// Bytes of a statement.
pub const STATEMENT_BYTES: usize = 392;
/// Bytes of what a settlement proof says: a statement, then an evaluation.
pub const SETTLEMENT_BYTES: usize = 472;

/// Returns elements as bytes.
#[must_use]
pub fn bytes(elements: &[F]) -> Vec<u8> {
    let bytes = |element: &F| element.as_canonical_u64().to_be_bytes();
    elements.iter().flat_map(bytes).collect()
}

/// Returns a digest, or four other elements, as a word.
#[must_use]
pub fn word(elements: &Digest) -> U256 {
    let [a, b, c, d] = elements.map(|element| element.as_canonical_u64());
    U256::from_limbs([d, c, b, a])
}

/// Inverts [`word`]; `None` if an element would be p or more.
#[must_use]
pub fn digest(word: U256) -> Option<Digest> {
    let [d, c, b, a] = word.into_limbs().map(canonical);
    Some([a?, b?, c?, d?])
}

/// Returns a head as bytes.
#[must_use]
pub fn head_bytes(head: &Head) -> Vec<u8> {
    bytes(&head.elements())
}

/// Returns what the contract stores of a head.
#[must_use]
pub fn head_digest(head: &Head) -> B256 {
    keccak256(head_bytes(head))
}

/// Returns a statement as bytes: the first of a settlement proof.
#[must_use]
pub fn statement_bytes(statement: &Statement) -> Vec<u8> {
    bytes(&statement.elements())
}

/// Returns what a settlement proof says as bytes: it begins with them.
#[must_use]
pub fn settlement_bytes(settlement: &Settlement) -> Vec<u8> {
    bytes(&settlement.elements())
}

/// Returns a record as two words.
#[must_use]
pub fn record_words(record: &Record) -> [U256; 2] {
    let [a, b, c, d, e, f, g, h] = record.0;
    [word(&[a, b, c, d]), word(&[e, f, g, h])]
}

/// Returns the elements of a public key.
#[must_use]
pub fn key_elements(key: &PublicKey) -> [u64; 5] {
    // Chain id and exit address, which stand beside the key there, do not matter here.
    let message = key.owner_message(F::ZERO, &Address([0; ADDRESS_BYTES]));
    core::array::from_fn(|i| message[1 + i].as_canonical_u64())
}
