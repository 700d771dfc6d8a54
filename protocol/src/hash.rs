//! Poseidon2 of width 8: every hash that a chip proves.
//!
//! The compression is `trunc4(P(x) + x)`: the permutation with its input fed forward, cut to
//! four elements (Poseidon2, ePrint 2023/323, section 3.1). Without the feed-forward the cut
//! permutation could be run backwards, and anyone could find a record for a given digest.

use p3_field::{Algebra, Field, PackedValue, PrimeCharacteristicRing};
use p3_goldilocks::{Poseidon2Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;
use rayon::prelude::*;
use std::sync::LazyLock;

use crate::field::F;

/// Four field elements: 256 bits, 128 bits of collision resistance.
pub type Digest = [F; 4];

/// The digest of nothing: where hash chains start.
pub const ZERO_DIGEST: Digest = [F::ZERO; 4];

/// The Poseidon2 permutation of width 8 with Plonky3's published Goldilocks constants.
pub type Permutation8 = Poseidon2Goldilocks<8>;

static PERMUTATION: LazyLock<Permutation8> = LazyLock::new(default_goldilocks_poseidon2_8);

/// Returns the permutation itself, shared by everyone who hashes.
#[must_use]
pub fn permutation() -> &'static Permutation8 {
    &PERMUTATION
}

/// `trunc4(P(x) + x)`.
pub fn compress_block(input: &[F; 8]) -> Digest {
    let output = permutation().permute(*input);
    core::array::from_fn(|i| output[i] + input[i])
}

/// Several permutations side by side in the lanes of one SIMD register.
type Packed = <F as Field>::Packing;

/// How many blocks one task of [`compress_many`] takes: some 50 µs of work.
const BLOCKS_PER_TASK: usize = 512;

/// [`compress_block`] of each block, in the lanes of SIMD registers and, where there are
/// enough of them, on several threads.
#[must_use]
pub fn compress_many(blocks: &[[F; 8]]) -> Vec<Digest> {
    let mut digests = vec![ZERO_DIGEST; blocks.len()];
    if blocks.len() <= BLOCKS_PER_TASK {
        compress_packed(blocks, &mut digests);
    } else {
        let tasks = blocks.par_chunks(BLOCKS_PER_TASK);
        let outputs = digests.par_chunks_mut(BLOCKS_PER_TASK);
        tasks
            .zip(outputs)
            .for_each(|(blocks, digests)| compress_packed(blocks, digests));
    }
    digests
}

/// The digests of as many blocks, a register's width at a time; lanes may be idle at the end.
fn compress_packed(blocks: &[[F; 8]], digests: &mut [Digest]) {
    let registers = blocks
        .chunks(Packed::WIDTH)
        .zip(digests.chunks_mut(Packed::WIDTH));
    for (blocks, digests) in registers {
        let input: [Packed; 8] = core::array::from_fn(|i| {
            Packed::from_fn(|lane| blocks.get(lane).map_or(F::ZERO, |block| block[i]))
        });
        let output = permutation().permute(input);
        let sum: [Packed; 4] = core::array::from_fn(|i| output[i] + input[i]);
        for (lane, digest) in digests.iter_mut().enumerate() {
            *digest = core::array::from_fn(|i| sum[i].as_slice()[lane]);
        }
    }
}

/// Returns the parent of two digests.
pub fn compress(left: &Digest, right: &Digest) -> Digest {
    compress_block(&concat(left, right))
}

/// Returns two digests side by side, as the input of one compression.
pub fn concat(left: &Digest, right: &Digest) -> [F; 8] {
    core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] })
}

/// What a hash is for. The first element of each hash is a tag made of its domain and its
/// length, so messages of different kinds or lengths never share a first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Domain {
    /// A public key to its owner digest.
    Owner = 1,
    /// The challenge of a signature.
    Challenge = 2,
    /// A transfer.
    Transfer = 3,
    /// A deposit, placed in the state.
    Deposit = 4,
    /// A deposit as the base chain's queue states it.
    DepositPayload = 5,
    /// A withdrawal.
    Withdraw = 6,
    /// A withdrawal as the base chain owes it.
    WithdrawPayload = 7,
    /// The deterministic nonce of a signature (never proven).
    Nonce = 8,
    /// A secret key from a seed (never proven).
    SecretKey = 9,
    /// A curve point with no known discrete logarithm (hash to curve).
    CurvePoint = 10,
    /// A forced exit, taken from the queue.
    Exit = 11,
    /// A forced exit as the base chain's queue states it.
    ExitItem = 12,
    /// A swap of an exact amount paid.
    SwapIn = 13,
    /// A swap for an exact amount received.
    SwapOut = 14,
    /// The pools that a swap passes before its last one.
    SwapPath = 15,
    /// A pool that is opened.
    CreatePool = 16,
    /// Liquidity that is added to a pool.
    AddLiquidity = 17,
    /// Liquidity that is taken out of a pool.
    RemoveLiquidity = 18,
    /// A payout that is opened.
    Payout = 19,
    /// An entry of a payout's list.
    PayoutEntry = 20,
    /// Entries of a payout that are paid.
    Pay = 21,
    /// A payout that is given up.
    CancelPayout = 22,
    /// A price that its feeder signs.
    Price = 23,
    /// A market that is opened.
    CreateMarket = 24,
    /// A market's interest up to a time.
    Accrue = 25,
    /// A market's fees that are handed out.
    Collect = 26,
    /// A loan asset that is supplied to a market.
    Supply = 27,
    /// Shares of a market that are redeemed.
    Redeem = 28,
    /// Collateral that is posted.
    Post = 29,
    /// Collateral that is taken back.
    Take = 30,
    /// A loan.
    Borrow = 31,
    /// A loan that is paid back.
    Repay = 32,
    /// A position that is liquidated.
    Liquidate = 33,
    /// For contracts of one's own: the first element of their messages says what they are.
    Own = 64,
}

/// Returns the tag of a hash over `length` elements in `domain`: `domain * 2^32 + length`.
pub fn tag(domain: Domain, length: usize) -> F {
    F::from_u64(((domain as u64) << 32) | length as u64)
}

/// Returns how many blocks a message of so many elements takes.
#[must_use]
pub const fn blocks(length: usize) -> usize {
    1 + length.saturating_sub(7).div_ceil(4)
}

/// Hashes a message: the first block is the tag and seven elements, each later block is the
/// digest so far and four elements; the last block is filled with zeros.
pub fn hash(domain: Domain, message: &[F]) -> Digest {
    hash_with(domain, message, compress_block)
}

/// [`hash`], with the compression given by the caller: a trace generator passes one that
/// also notes each block for the `poseidon2` chip.
pub fn hash_with(
    domain: Domain,
    message: &[F],
    mut compress_block: impl FnMut(&[F; 8]) -> Digest,
) -> Digest {
    hash_blocks(domain, message, |block| compress_block(&block))
}

/// How a message is cut into blocks, over elements or expressions that stand for them.
pub fn hash_blocks<E: Algebra<F>>(
    domain: Domain,
    message: &[E],
    mut compress: impl FnMut([E; 8]) -> [E; 4],
) -> [E; 4] {
    let block = |start: &[E], rest: &[E]| -> [E; 8] {
        let mut elements = start.iter().chain(rest).cloned();
        core::array::from_fn(|_| elements.next().unwrap_or(E::ZERO))
    };
    let (head, tail) = message.split_at(message.len().min(7));
    let mut digest = compress(block(&[E::from(tag(domain, message.len()))], head));
    for chunk in tail.chunks(4) {
        digest = compress(block(&digest, chunk));
    }
    digest
}

/// [`hash`] of many messages of one length, block by block across all of them.
#[must_use]
pub fn hash_many<const N: usize>(domain: Domain, messages: &[[F; N]]) -> Vec<Digest> {
    let messages: Vec<_> = messages
        .iter()
        .map(|message| (domain, &message[..]))
        .collect();
    hash_all(N, &messages)
}

/// [`hash`] of many messages of `length` elements each, with their domains, block by block across
/// all of them.
///
/// # Panics
/// If a message has another length.
#[must_use]
pub fn hash_all(length: usize, messages: &[(Domain, &[F])]) -> Vec<Digest> {
    assert!(messages.iter().all(|(_, message)| message.len() == length));
    let first = |&(domain, message): &(Domain, &[F])| {
        let mut block = [F::ZERO; 8];
        block[0] = tag(domain, length);
        let head = &message[..length.min(7)];
        block[1..=head.len()].copy_from_slice(head);
        block
    };
    let mut digests = compress_many(&messages.iter().map(first).collect::<Vec<_>>());
    for start in (7..length).step_by(4) {
        let end = length.min(start + 4);
        let next = |(digest, (_, message)): (&Digest, &(Domain, &[F]))| {
            let mut block = [F::ZERO; 8];
            block[..4].copy_from_slice(digest);
            block[4..4 + end - start].copy_from_slice(&message[start..end]);
            block
        };
        let blocks: Vec<_> = digests.iter().zip(messages).map(next).collect();
        digests = compress_many(&blocks);
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_compressions_are_each_as_one() {
        for count in [0, 1, 7, 8, 9, 513, 1030] {
            let blocks: Vec<[F; 8]> = (0..count)
                .map(|row| core::array::from_fn(|i| F::from_usize(row * 31 + i * i)))
                .collect();
            let each: Vec<Digest> = blocks.iter().map(compress_block).collect();
            assert_eq!(compress_many(&blocks), each, "{count} blocks");
        }
    }

    #[test]
    fn many_hashes_are_each_as_one() {
        fn check<const N: usize>() {
            let messages: Vec<[F; N]> = (0..20)
                .map(|row| core::array::from_fn(|i| F::from_usize(row * 17 + i)))
                .collect();
            let each: Vec<Digest> = messages
                .iter()
                .map(|message| hash(Domain::Owner, message))
                .collect();
            assert_eq!(hash_many(Domain::Owner, &messages), each, "{N} elements");
        }
        check::<0>();
        check::<6>();
        check::<7>();
        check::<8>();
        check::<12>();
        check::<13>();
    }

    #[test]
    fn length_and_domain_separate() {
        let zero = [F::ZERO; 3];
        assert_ne!(hash(Domain::Owner, &zero), hash(Domain::Owner, &zero[..2]));
        assert_ne!(hash(Domain::Owner, &zero), hash(Domain::Challenge, &zero));
    }

    #[test]
    fn a_long_message_is_a_chain_of_compressions() {
        let message: [F; 13] = core::array::from_fn(F::from_usize);
        let mut first = [F::ZERO; 8];
        first[0] = tag(Domain::Transfer, 13);
        first[1..].copy_from_slice(&message[..7]);
        let one = compress_block(&first);
        let two = compress(&one, message[7..11].try_into().unwrap());
        let three = compress(&two, &[message[11], message[12], F::ZERO, F::ZERO]);
        assert_eq!(hash(Domain::Transfer, &message), three);
    }

    #[test]
    fn the_compression_cannot_be_run_backwards_through_the_permutation() {
        let input: [F; 8] = core::array::from_fn(F::from_usize);
        let output = permutation().permute(input);
        assert_ne!(compress_block(&input), output[..4]);
    }
}
