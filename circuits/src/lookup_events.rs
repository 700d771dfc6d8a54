//! What trace generators ask of the chips that serve others.

use shardfold_protocol::hash::{self, Digest, Domain};

use crate::cells::write;
use shardfold_protocol::field::F;

/// Everything asked for while the traces of a shard are made. Each generator fills one of
/// its own; they are merged before the serving chips' traces are made.
#[derive(Clone, Debug, Default)]
pub struct LookupEvents {
    /// The input of each compression, in the order of asking; one row each.
    pub hashes: Vec<[F; 8]>,
    /// Each 16-bit value whose range is checked.
    pub range: Vec<u16>,
}

impl LookupEvents {
    /// Computes and notes one compression.
    pub fn compress(&mut self, input: &[F; 8]) -> Digest {
        self.hashes.push(*input);
        hash::compress_block(input)
    }

    /// Computes and notes one block of a hash, whose digest is written into the next of the
    /// cells that a chip has for its blocks.
    pub fn compress_into<'a>(
        &mut self,
        input: &[F; 8],
        blocks: &mut impl Iterator<Item = [&'a mut F; 4]>,
    ) -> Digest {
        let digest = self.compress(input);
        if let Some(cells) = blocks.next() {
            write(cells, digest);
        }
        digest
    }

    /// Computes and notes a hash, block by block.
    pub fn hash(&mut self, domain: Domain, message: &[F]) -> Digest {
        hash::hash_with(domain, message, |block| self.compress(block))
    }

    /// Adds what another generator asked for.
    pub fn merge(&mut self, mut other: Self) {
        self.hashes.append(&mut other.hashes);
        self.range.append(&mut other.range);
    }
}
