//! Poseidon2 in the circuit: sponge, compression and Merkle paths.

use plonky2::field::types::Field;
use plonky2::iop::target::{BoolTarget, Target};

use super::gates::{Poseidon2Gate, WIDTH};
use super::layout::{Digest, MAX_LOG_CAP};

use super::{Builder, Word};

/// Elements that a sponge absorbs by one permutation.
pub(super) const RATE: usize = 8;

/// A circuit under construction that counts its permutations.
pub(super) struct Circuit<'a> {
    /// The circuit.
    pub builder: &'a mut Builder,
    /// Permutations so far, each one row.
    pub permutations: usize,
}

impl Circuit<'_> {
    /// Returns one permutation of `state`, whose first two digests are exchanged first if `swap`.
    pub fn permute(&mut self, state: [Target; WIDTH], swap: BoolTarget) -> [Target; WIDTH] {
        let row = self.builder.add_gate(Poseidon2Gate, vec![]);
        for (i, target) in state.into_iter().enumerate() {
            let wire = Target::wire(row, Poseidon2Gate::input(i));
            self.builder.connect(target, wire);
        }
        let wire = Target::wire(row, Poseidon2Gate::SWAP);
        self.builder.connect(swap.target, wire);
        self.permutations += 1;
        core::array::from_fn(|i| Target::wire(row, Poseidon2Gate::output(i)))
    }

    /// Returns the hash of a row (`PaddingFreeSponge`): each block overwrites the rate, and the
    /// last one only as far as it goes.
    pub fn hash_row(&mut self, row: &[Target]) -> Digest<Target> {
        let no_swap = self.builder._false();
        let mut state = [self.builder.zero(); WIDTH];
        for block in row.chunks(RATE) {
            state[..block.len()].copy_from_slice(block);
            state = self.permute(state, no_swap);
        }
        [state[0], state[1], state[2], state[3]]
    }

    /// Returns the parent of `digest` and `other` (`TruncatedPermutation`), with `other` on the
    /// left if `swap`.
    pub fn compress(
        &mut self,
        digest: Digest<Target>,
        other: Digest<Target>,
        swap: BoolTarget,
    ) -> Digest<Target> {
        let zero = self.builder.zero();
        let mut state = [zero; WIDTH];
        state[..4].copy_from_slice(&digest);
        state[4..8].copy_from_slice(&other);
        let state = self.permute(state, swap);
        [state[0], state[1], state[2], state[3]]
    }

    /// Checks that `rows`, each with the log2 of its matrix's height, are what `cap` commits
    /// to at the leaf whose index has these bits, lowest first.
    ///
    /// A port of `MerkleTreeMmcs::verify_batch` for powers of two: the tallest rows make the
    /// leaf; shorter ones are hashed and compressed into the path where its height is theirs;
    /// the path ends at the root whose position is in the index's top bits.
    ///
    /// # Panics
    ///
    /// If a row's height is none that the path passes, so that nothing would authenticate it.
    pub fn verify_rows(
        &mut self,
        cap: &[Digest<Target>],
        rows: &[(usize, &[Target])],
        index: &[BoolTarget],
        siblings: &[Digest<Target>],
    ) {
        let (path, position) = index.split_at(siblings.len());
        assert_eq!(cap.len(), 1 << position.len(), "a path ends at the cap");
        let passed = position.len()..=index.len();
        assert!(
            rows.iter().all(|(height, _)| passed.contains(height)),
            "a path passes the height of each matrix"
        );
        let rows_at = |log_height: usize| -> Vec<Target> {
            rows.iter()
                .filter(|(height, _)| *height == log_height)
                .flat_map(|(_, row)| row.iter().copied())
                .collect()
        };
        let no_swap = self.builder._false();
        let mut log_height = index.len();
        let mut digest = self.hash_row(&rows_at(log_height));
        for (&bit, &sibling) in path.iter().zip(siblings) {
            digest = self.compress(digest, sibling, bit);
            log_height -= 1;
            let shorter = rows_at(log_height);
            if !shorter.is_empty() {
                let shorter = self.hash_row(&shorter);
                digest = self.compress(digest, shorter, no_swap);
            }
        }
        let root = self.root(cap, position);
        self.builder.connect_array(digest, root);
    }

    /// Returns the root of the cap at the position of these bits, lowest first.
    ///
    /// A row of the gate reads four lists, here the roots' four elements. It has lists of
    /// `2^MAX_LOG_CAP` entries; after those of a smaller cap come zeros, which its fewer bits
    /// cannot reach.
    fn root(&mut self, cap: &[Digest<Target>], position: &[BoolTarget]) -> Digest<Target> {
        if let [root] = cap {
            return *root;
        }
        let zero = self.builder.zero();
        let position = self.builder.le_sum(position.iter());
        core::array::from_fn(|i| {
            let mut elements: Vec<Target> = cap.iter().map(|root| root[i]).collect();
            elements.resize(1 << MAX_LOG_CAP, zero);
            self.builder.random_access(position, elements)
        })
    }

    /// Returns the 32 low bits of `x`, of its one representative below the modulus.
    ///
    /// A field element below 2^64 - p has two representatives of 64 bits, x and x + p; the
    /// second is refused, as a prover could choose query indices and grinding bits by it.
    pub fn canonical_low_bits(&mut self, x: Target) -> Vec<BoolTarget> {
        let (low, high) = self.builder.split_low_high(x, 32, 64);
        self.assert_canonical(low, high);
        self.builder.split_le(low, 32)
    }

    /// Checks that `low + 2^32 high`, two halves of 32 bits, is below the modulus.
    ///
    /// As p = (2^32 - 1) 2^32 + 1, it is unless the high half is all ones and the low half is
    /// not zero.
    pub fn assert_canonical(&mut self, low: Target, high: Target) {
        let builder = &mut *self.builder;
        let all_ones = builder.constant(Word::from_canonical_u64((1 << 32) - 1));
        let at_the_top = builder.is_equal(high, all_ones);
        let excess = builder.mul(at_the_top.target, low);
        builder.assert_zero(excess);
    }
}
