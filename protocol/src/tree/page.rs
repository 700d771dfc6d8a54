//! Pages: the nodes of the tree in blocks of four levels, the unit in which they are kept in
//! memory and in which a store keeps them on disk.

use std::sync::LazyLock;

use p3_field::PrimeField64;
use thiserror::Error;

use super::{DEPTH, empty_subtree};
use crate::field::{F, MODULUS, canonical};
use crate::hash::{Digest, ZERO_DIGEST};
use crate::record::Index;

/// Levels of nodes in a page.
pub(super) const PAGE_LEVELS: usize = 4;
/// Pages on the path from a leaf to the root. The root itself is in none of them.
pub const FLOORS: usize = DEPTH / PAGE_LEVELS;
/// Digests in a page: 16 nodes of its lowest level, then 8, 4 and 2.
const PAGE_NODES: usize = 16 + 8 + 4 + 2;
/// Bytes of a page: each element as 8 little-endian bytes.
pub const PAGE_BYTES: usize = PAGE_NODES * 4 * 8;

/// Which page: that of floor f and index i holds the nodes of levels 4f to 4f + 3 that are
/// below node i of level 4f + 4. Ordered by floor, then by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageId {
    floor: u8,
    index: u32,
}

impl PageId {
    /// The page of the children of the root and of the nodes below them.
    pub const TOP: Self = Self {
        floor: FLOORS as u8 - 1,
        index: 0,
    };

    /// `None` for a floor or an index that the tree does not have.
    #[must_use]
    pub const fn new(floor: u8, index: u32) -> Option<Self> {
        let is_in_tree =
            (floor as usize) < FLOORS && (index as u64) < 1 << (28 - PAGE_LEVELS * floor as usize);
        if is_in_tree {
            Some(Self { floor, index })
        } else {
            None
        }
    }

    /// From 0 at the leaves to 7 below the root.
    #[must_use]
    pub const fn floor(self) -> u8 {
        self.floor
    }

    /// Returns the index of the node above the page, in its level.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }
}

/// Returns the pages on the paths from some leaves to the root, ascending; the uppermost one, from
/// which the root follows, also if there are no leaves. `indices` may be in any order and
/// repeat.
#[must_use]
pub fn pages_on_paths(indices: &[Index]) -> Vec<PageId> {
    let mut nodes = indices.to_vec();
    nodes.sort_unstable();
    let mut pages = Vec::new();
    for floor in 0..FLOORS as u8 - 1 {
        for node in &mut nodes {
            *node >>= PAGE_LEVELS;
        }
        nodes.dedup();
        pages.extend(nodes.iter().map(|&index| PageId { floor, index }));
    }
    pages.push(PageId::TOP);
    pages
}

/// The digests of a page's nodes, level by level from the lowest. Siblings share a cache line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Page([Digest; PAGE_NODES]);

/// Why bytes are no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PageError {
    /// Too few or too many.
    #[error("found {found} bytes, expected {PAGE_BYTES}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// An integer that is no canonical field element.
    #[error("element {position} of the page is {found:#018x}, expected one below {MODULUS:#018x}")]
    NonCanonical {
        /// Where in the page, in elements.
        position: usize,
        /// The integer found, not below the field's modulus.
        found: u64,
    },
}

/// The page below which there are no records, by floor.
static EMPTY_PAGES: LazyLock<[Page; FLOORS]> = LazyLock::new(|| {
    core::array::from_fn(|floor| {
        let mut page = Page([ZERO_DIGEST; PAGE_NODES]);
        for level in 0..PAGE_LEVELS {
            page.level_mut(level)
                .fill(empty_subtree(PAGE_LEVELS * floor + level));
        }
        page
    })
});

impl Page {
    /// The page of this floor below which there are no records.
    pub(super) fn empty(floor: usize) -> &'static Self {
        &EMPTY_PAGES[floor]
    }

    /// The nodes of a level, counted from the lowest of the page.
    pub(super) fn level(&self, level: usize) -> &[Digest] {
        let (start, end) = (32 - (32 >> level), 32 - (16 >> level));
        &self.0[start..end]
    }

    pub(super) fn level_mut(&mut self, level: usize) -> &mut [Digest] {
        let (start, end) = (32 - (32 >> level), 32 - (16 >> level));
        &mut self.0[start..end]
    }

    /// Returns the elements in order, each canonical, as little-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PAGE_BYTES] {
        let mut bytes = [0; PAGE_BYTES];
        let elements = self.0.as_flattened();
        for (bytes, element) in bytes.chunks_exact_mut(8).zip(elements) {
            bytes.copy_from_slice(&element.as_canonical_u64().to_le_bytes());
        }
        bytes
    }

    /// Inverts [`Self::to_bytes`].
    ///
    /// # Errors
    /// Another number of bytes than [`PAGE_BYTES`], or an element that is not below the
    /// modulus.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PageError> {
        let (words, rest) = bytes.as_chunks::<8>();
        if bytes.len() != PAGE_BYTES || !rest.is_empty() {
            return Err(PageError::Length { found: bytes.len() });
        }
        let mut page = Self([ZERO_DIGEST; PAGE_NODES]);
        let elements: &mut [F] = page.0.as_flattened_mut();
        for (position, (element, word)) in elements.iter_mut().zip(words).enumerate() {
            let found = u64::from_le_bytes(*word);
            *element = canonical(found).ok_or(PageError::NonCanonical { position, found })?;
        }
        Ok(page)
    }
}
