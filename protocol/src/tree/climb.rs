//! From changed leaves up to the root: every node on a path is hashed once, and the nodes
//! beside the paths are noted on the way.

use p3_field::PrimeField64;
use rayon::prelude::*;

use super::page::{FLOORS, PAGE_LEVELS};
use super::pages::Touched;
use crate::field::F;
use crate::hash::{Digest, ZERO_DIGEST, compress_many, concat};
use crate::record::{Index, Record};

/// How many pages one task takes: some 20 to 600 µs of work.
const PAGES_PER_TASK: usize = 64;

/// Digests beside the paths, level by level.
pub(super) type SiblingLevels = [Vec<Digest>; PAGE_LEVELS];

/// What comes out of some pages of a floor.
struct Climbed {
    /// The digests of the nodes above the pages, in their order.
    tops: Vec<Digest>,
    siblings: SiblingLevels,
}

/// Hashes some changed leaves, by ascending index, and all nodes above them, which lie in these
/// pages: the new root and the siblings, in the order of
/// [`StateTree::siblings`](super::StateTree::siblings). There must be at least one leaf.
pub(super) fn climb(
    opened: [Vec<Touched<'_>>; FLOORS],
    leaves: &[(Index, Record)],
) -> (Digest, Vec<Digest>) {
    let mut siblings = Vec::new();
    let mut digests = Vec::new();
    for (floor, mut pages) in opened.into_iter().enumerate() {
        let climbed = if floor == 0 {
            climb_floor(&mut pages, leaves, leaf_digests)
        } else {
            climb_floor(&mut pages, &digests, <[Digest]>::to_vec)
        };
        digests.clear();
        for part in &climbed {
            digests.extend_from_slice(&part.tops);
        }
        for level in 0..PAGE_LEVELS {
            for part in &climbed {
                siblings.extend_from_slice(&part.siblings[level]);
            }
        }
    }
    (digests[0], siblings)
}

fn leaf_digests(leaves: &[(Index, Record)]) -> Vec<Digest> {
    let blocks: Vec<_> = leaves.iter().map(|(_, record)| record.0).collect();
    compress_many(&blocks)
}

/// `changed` are the changed nodes of the pages' lowest level, whose digests are returned by
/// `digests_of`.
fn climb_floor<T: Sync>(
    pages: &mut [Touched<'_>],
    changed: &[T],
    digests_of: fn(&[T]) -> Vec<Digest>,
) -> Vec<Climbed> {
    if pages.len() <= PAGES_PER_TASK {
        return vec![climb_pages(pages, digests_of(changed))];
    }
    let mut rest = changed;
    let tasks: Vec<_> = pages
        .chunks_mut(PAGES_PER_TASK)
        .map(|pages| {
            let count = pages
                .iter()
                .map(|touched| touched.mask.count_ones() as usize);
            let (changed, after) = rest.split_at(count.sum());
            rest = after;
            (pages, changed)
        })
        .collect();
    tasks
        .into_par_iter()
        .map(|(pages, changed)| climb_pages(pages, digests_of(changed)))
        .collect()
}

/// `digests` are those of the changed nodes of the pages' lowest level.
fn climb_pages(pages: &mut [Touched<'_>], mut digests: Vec<Digest>) -> Climbed {
    let siblings = siblings(pages);
    let mut blocks = Vec::with_capacity(digests.len());
    for level in 0..PAGE_LEVELS {
        blocks.clear();
        let mut changed = digests.iter();
        for touched in pages.iter_mut() {
            place(touched, level, &mut changed, &mut blocks);
        }
        digests = compress_many(&blocks);
    }
    let tops = digests;
    Climbed { tops, siblings }
}

/// The nodes of these pages beside the paths. One pass over pages that are scattered in memory:
/// what comes later finds them in the cache.
fn siblings(pages: &[Touched<'_>]) -> SiblingLevels {
    let mut siblings = [const { Vec::new() }; PAGE_LEVELS];
    for siblings in &mut siblings {
        siblings.reserve(pages.len());
    }
    fetch(pages);
    for touched in pages {
        let mut mask = touched.mask;
        for (level, siblings) in siblings.iter_mut().enumerate() {
            let (pairs, _) = touched.page.level(level).as_chunks::<2>();
            let mut parents = 0;
            for (parent, on_path) in families(mask) {
                if on_path != LEFT | RIGHT {
                    siblings.push(pairs[parent][usize::from(on_path == LEFT)]);
                }
                parents |= 1 << parent;
            }
            mask = parents;
        }
    }
    siblings
}

/// Reads a node of each level of each page, so that the processor waits for many of them at
/// once: pages of a large tree are seldom in the cache.
fn fetch(pages: &[Touched<'_>]) {
    let mut any = 0;
    for touched in pages {
        let first = touched.mask.trailing_zeros() as usize % 16;
        for level in 0..PAGE_LEVELS {
            any |= touched.page.level(level)[first >> level][0].as_canonical_u64();
        }
    }
    core::hint::black_box(any);
}

/// Writes the changed nodes of one level of a page, as many as the mask has bits, and lists the
/// blocks of their parents, which the mask then names.
fn place<'a>(
    touched: &mut Touched<'_>,
    level: usize,
    changed: &mut impl Iterator<Item = &'a Digest>,
    blocks: &mut Vec<[F; 8]>,
) {
    let mut next = || {
        let digest = changed.next().copied();
        debug_assert!(digest.is_some(), "a changed node for each bit of the masks");
        digest.unwrap_or(ZERO_DIGEST)
    };
    let (pairs, _) = touched.page.level_mut(level).as_chunks_mut::<2>();
    let mut parents = 0;
    for (parent, on_path) in families(touched.mask) {
        let [left, right] = &mut pairs[parent];
        let (new_left, new_right) = match on_path {
            LEFT => (next(), *right),
            RIGHT => (*left, next()),
            _ => (next(), next()),
        };
        (*left, *right) = (new_left, new_right);
        blocks.push(concat(&new_left, &new_right));
        parents |= 1 << parent;
    }
    touched.mask = parents;
}

/// The left child of a node is on a path, as a bit.
const LEFT: u16 = 1;
/// The right child of a node is on a path, as a bit.
const RIGHT: u16 = 2;

/// The parents of some nodes, given by their bits, and which of its children each has.
fn families(mut nodes: u16) -> impl Iterator<Item = (usize, u16)> {
    core::iter::from_fn(move || {
        let parent = nodes.trailing_zeros() / 2;
        let on_path = nodes.checked_shr(2 * parent)? & (LEFT | RIGHT);
        nodes &= !((LEFT | RIGHT) << (2 * parent));
        Some((parent as usize, on_path))
    })
}
