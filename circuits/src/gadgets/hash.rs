//! `protocol::hash::hash`, block by block on the hash bus.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::hash::{Domain, tag};

use crate::bus::{ChipBuilder, Digest, HashBus};

/// Returns the digest after the last block of `message`; `blocks` has the digest after each block.
///
/// Caller: `is_real` is boolean, `blocks` has one entry for the first 7 elements and one for
/// each further 4.
///
/// # Panics
///
/// When there are more blocks than `blocks`: both are constants of a chip.
pub fn hash<AB: ChipBuilder, const BLOCKS: usize>(
    builder: &mut AB,
    domain: Domain,
    message: &[AB::Expr],
    blocks: &[[AB::Var; 4]; BLOCKS],
    is_real: AB::Expr,
) -> Digest<AB::Expr> {
    let (head, tail) = message.split_at(message.len().min(7));
    assert_eq!(1 + tail.len().div_ceil(4), BLOCKS, "blocks of the message");

    let tag = AB::Expr::from(tag(domain, message.len()));
    let mut input = filled(core::iter::once(&tag).chain(head));
    let mut digest = [(); 4].map(|()| AB::Expr::ZERO);
    let mut chunks = tail.chunks(4);
    for block in blocks {
        digest = block.map(Into::into);
        HashBus::request(builder, input, digest.clone(), is_real.clone());
        input = filled(digest.iter().chain(chunks.next().unwrap_or_default()));
    }
    digest
}

/// A block of these elements, filled with zeros.
fn filled<'a, E: PrimeCharacteristicRing + 'a>(elements: impl Iterator<Item = &'a E>) -> [E; 8] {
    let mut elements = elements.cloned();
    core::array::from_fn(|_| elements.next().unwrap_or(E::ZERO))
}
