//! From changed leaves up to the root: every node on a path is hashed once, and the nodes
//! beside the paths are noted on the way.

use rayon::prelude::*;

use super::page::{FLOORS, PAGE_LEVELS};
use super::pages::Touched;
use crate::field::F;
use crate::hash::{Digest, compress_many, concat};

/// How many pages one task takes: up to 960 hashes, some 20 to 300 µs of work.
const PAGES_PER_TASK: usize = 64;

/// Digests beside the paths, level by level.
pub(super) type SiblingLevels = [Vec<Digest>; PAGE_LEVELS];

/// What comes out of some pages of a floor.
#[derive(Default)]
struct Climbed {
    /// The digests of the nodes above the pages, in their order.
    tops: Vec<Digest>,
    siblings: SiblingLevels,
}

/// Hashes all nodes above some leaves, given by their new digests and the pages on their
/// paths: the new root and the siblings, in the order of
/// [`StateTree::siblings`](super::StateTree::siblings). There must be at least one leaf.
pub(super) fn climb(
    opened: [Vec<Touched<'_>>; FLOORS],
    leaves: Vec<Digest>,
) -> (Digest, Vec<Digest>) {
    let mut digests = leaves;
    let mut siblings = Vec::new();
    for mut pages in opened {
        let climbed = climb_floor(&mut pages, &digests);
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

/// `digests` are those of the changed nodes of the pages' lowest level.
fn climb_floor(pages: &mut [Touched<'_>], digests: &[Digest]) -> Vec<Climbed> {
    if pages.len() <= PAGES_PER_TASK {
        return vec![climb_pages(pages, digests)];
    }
    let mut rest = digests;
    let tasks: Vec<_> = pages
        .chunks_mut(PAGES_PER_TASK)
        .map(|pages| {
            let count = pages
                .iter()
                .map(|touched| touched.mask.count_ones() as usize);
            let (digests, after) = rest.split_at(count.sum());
            rest = after;
            (pages, digests)
        })
        .collect();
    tasks
        .into_par_iter()
        .map(|(pages, digests)| climb_pages(pages, digests))
        .collect()
}

fn climb_pages(pages: &mut [Touched<'_>], digests: &[Digest]) -> Climbed {
    let siblings = siblings(pages, digests.len());
    let mut digests = digests.to_vec();
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
fn siblings(pages: &[Touched<'_>], on_path: usize) -> SiblingLevels {
    let mut siblings = [const { Vec::new() }; PAGE_LEVELS];
    for siblings in &mut siblings {
        siblings.reserve(on_path);
    }
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

/// Writes the changed nodes of one level of a page and lists the blocks of their parents,
/// which the mask then names.
fn place<'a>(
    touched: &mut Touched<'_>,
    level: usize,
    changed: &mut impl Iterator<Item = &'a Digest>,
    blocks: &mut Vec<[F; 8]>,
) {
    let (pairs, _) = touched.page.level_mut(level).as_chunks_mut::<2>();
    let mut parents = 0;
    for (parent, on_path) in families(touched.mask) {
        let pair = &mut pairs[parent];
        for (side, child) in [LEFT, RIGHT].into_iter().zip(&mut *pair) {
            if on_path & side != 0
                && let Some(digest) = changed.next()
            {
                *child = *digest;
            }
        }
        blocks.push(concat(&pair[0], &pair[1]));
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
