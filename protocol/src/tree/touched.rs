//! Counts the nodes on the paths of leaves that come one by one.

use foldhash::HashMap;

use super::DEPTH;
use super::page::{FLOORS, PAGE_LEVELS};
use crate::record::Index;

/// The distinct nodes on the paths from some leaves to the root.
#[derive(Clone, Debug, Default)]
pub struct TouchedNodes {
    /// A bit for each node of a page, its lowest level first, by [`key`] of the page.
    pages: HashMap<u32, u32>,
    leaves: usize,
    inner_nodes: usize,
}

impl TouchedNodes {
    /// Returns how many leaves there are.
    #[must_use]
    pub const fn leaf_count(&self) -> usize {
        self.leaves
    }

    /// Returns how many inner nodes, the root included, lie above them.
    #[must_use]
    pub const fn inner_nodes(&self) -> usize {
        self.inner_nodes
    }

    /// Returns the leaves, by ascending index.
    #[must_use]
    pub fn leaves(&self) -> Vec<Index> {
        let mut leaves = Vec::with_capacity(self.leaves);
        for (&key, &nodes) in &self.pages {
            if let Some(page) = key.checked_sub(1 << (DEPTH - PAGE_LEVELS)) {
                let is_touched = |place: &u32| nodes >> place & 1 == 1;
                leaves.extend(
                    (0..16)
                        .filter(is_touched)
                        .map(|place| page << PAGE_LEVELS | place),
                );
            }
        }
        leaves.sort_unstable();
        leaves
    }

    /// Adds a leaf. Gives how many nodes of its path, itself included, are new: always the
    /// lowest ones, and none if the leaf was there.
    pub fn insert(&mut self, leaf: Index) -> usize {
        let mut new = 0;
        for floor in 0..FLOORS {
            let nodes = self.pages.entry(key(leaf, floor)).or_default();
            for level in 0..PAGE_LEVELS {
                let node = bit(leaf, floor, level);
                if *nodes & node != 0 {
                    return self.count(new);
                }
                *nodes |= node;
                new += 1;
            }
        }
        // The root is in no page; it is on the path of the first leaf already.
        self.count(new + usize::from(self.leaves == 0))
    }

    /// Removes the last leaf, of whose path so many nodes were new.
    pub fn remove(&mut self, leaf: Index, new: usize) {
        for level in 0..new.min(DEPTH) {
            let (floor, level) = (level / PAGE_LEVELS, level % PAGE_LEVELS);
            if let Some(nodes) = self.pages.get_mut(&key(leaf, floor)) {
                *nodes &= !bit(leaf, floor, level);
            }
        }
        self.leaves -= new.min(1);
        self.inner_nodes -= new.saturating_sub(1);
    }

    const fn count(&mut self, new: usize) -> usize {
        if new > 0 {
            self.leaves += 1;
            self.inner_nodes += new - 1;
        }
        new
    }
}

/// The page of a floor on the path of a leaf. Keys of different floors have different
/// highest bits.
const fn key(leaf: Index, floor: usize) -> u32 {
    let level = PAGE_LEVELS * (floor + 1);
    (1 << (DEPTH - level)) | (leaf as u64 >> level) as u32
}

/// A node on the path of a leaf in its page, by its level from the lowest of the page.
const fn bit(leaf: Index, floor: usize, level: usize) -> u32 {
    let place = (leaf >> (PAGE_LEVELS * floor + level)) as usize % (16 >> level);
    1 << (32 - (32 >> level) + place)
}
