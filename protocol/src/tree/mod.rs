//! The state tree: a binary Merkle tree of depth 32 over records, most of them empty.
//!
//! A leaf is the digest of a record, an inner node the compression of its two children. Level
//! 0 holds the leaves, level 32 the root; node `i` of a level is the parent of nodes `2i` and
//! `2i + 1` of the level below.

mod climb;
mod page;
mod pages;
mod paths;
mod proof;
mod records;
#[cfg(test)]
mod tests;
mod touched;

pub use page::{FLOORS, PAGE_BYTES, Page, PageError, PageId, pages_on_paths};
pub use paths::{WitnessPathError, root_from, touched_nodes};
pub use proof::{RecordProof, RecordProofError};
pub use records::Records;
pub use touched::TouchedNodes;

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::hash::{Digest, ZERO_DIGEST, compress};
use crate::record::{Index, Record};

use climb::climb;
use page::PAGE_LEVELS;
use pages::Pages;

/// Levels above the leaves: an index has 32 bits.
pub const DEPTH: usize = 32;

/// The digest of a subtree without records, by level.
static EMPTY_SUBTREES: LazyLock<[Digest; DEPTH + 1]> = LazyLock::new(|| {
    let mut digests = [ZERO_DIGEST; DEPTH + 1];
    digests[0] = Record::EMPTY.digest();
    for level in 0..DEPTH {
        digests[level + 1] = compress(&digests[level], &digests[level]);
    }
    digests
});

/// Returns the digest of a subtree without records whose top is at this level (at most [`DEPTH`]).
pub fn empty_subtree(level: usize) -> Digest {
    EMPTY_SUBTREES[level]
}

/// All records of the ledger and the digests above them.
///
/// What is empty is not stored: a record only where there is one, a page of nodes only where
/// there is a record below it.
///
/// A tree may also be partial: made [from parts](Self::from_parts) that hold some records and
/// all pages on their paths. As long as only these records are read and changed, it does and
/// gives the same as the whole tree; all others look empty to it.
#[derive(Clone, Debug)]
pub struct StateTree {
    records: Records,
    pages: Pages,
    root: Digest,
}

impl Default for StateTree {
    fn default() -> Self {
        Self::new()
    }
}

impl StateTree {
    /// Returns the tree without records.
    #[must_use]
    pub fn new() -> Self {
        Self {
            records: Records::default(),
            pages: Pages::new(),
            root: empty_subtree(DEPTH),
        }
    }

    /// Returns the tree of these records; where an index appears twice, the later record counts.
    #[must_use]
    pub fn from_records(records: &[(Index, Record)]) -> Self {
        let mut tree = Self::new();
        tree.update(records);
        tree
    }

    /// Returns a whole or partial tree of records and pages, in any order, that were taken from
    /// another one. Nothing is hashed: that the pages belong to each other and to the records is
    /// not checked. The root is that of the uppermost page.
    #[must_use]
    pub fn from_parts(
        records: &[(Index, Record)],
        pages: impl IntoIterator<Item = (PageId, Page)>,
    ) -> Self {
        let mut tree = Self::new();
        tree.records.replace(records);
        for (id, page) in pages {
            tree.pages.insert(id, page);
        }
        let top = tree.pages.page().level(PAGE_LEVELS - 1);
        tree.root = compress(&top[0], &top[1]);
        tree
    }

    /// Returns the digest of everything.
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// Returns the record at an index, [`Record::EMPTY`] where there is none.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        self.records.get(index)
    }

    /// Returns all records, apart from the nodes.
    #[must_use]
    pub const fn leaves(&self) -> &Records {
        &self.records
    }

    /// Returns how many records are not empty.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns whether all records are empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns everything that is not empty, by ascending index.
    #[must_use]
    pub fn records(&self) -> Vec<(Index, Record)> {
        self.records.to_vec()
    }

    /// Returns a page of nodes; `None` if no record is below it.
    #[must_use]
    pub fn page(&self, id: PageId) -> Option<&Page> {
        let page = self.pages.get(id);
        page.filter(|&page| page != Page::empty(id.floor() as usize))
    }

    /// Returns every page that has a record below it, ascending.
    #[must_use]
    pub fn pages(&self) -> Vec<(PageId, &Page)> {
        let mut pages = self.pages.list();
        pages.sort_unstable_by_key(|&(id, _)| id);
        pages
    }

    /// Replaces records and hashes every node above them once; where an index appears twice,
    /// the later record counts.
    pub fn update(&mut self, changes: &[(Index, Record)]) {
        let changes = last_by_index(changes);
        self.records.replace(&changes);
        rehash(&mut self.pages, &mut self.root, &changes);
    }

    /// [`Self::update`], with what it takes to make the same step without the tree: the changed
    /// indices with the records that were there, by ascending index, and their
    /// [siblings](Self::siblings). Beside the hashing it does `meanwhile`, which needs no more
    /// than the records, as they are after the changes.
    pub fn replace<R: Send>(
        &mut self,
        changes: &[(Index, Record)],
        meanwhile: impl FnOnce(&Records) -> R + Send,
    ) -> (Opening, R) {
        let changes = last_by_index(changes);
        let indices = changes.iter().map(|&(index, _)| index);
        let before = self.records.get_all(indices.clone());
        self.records.replace(&changes);
        let Self {
            records,
            pages,
            root,
        } = self;
        let (siblings, result) =
            rayon::join(|| rehash(pages, root, &changes), || meanwhile(records));
        let records = indices.zip(before).collect();
        (Opening { records, siblings }, result)
    }

    /// Returns the nodes of a level that are beside the paths from some leaves to the root and not
    /// on one of them, level by level from the leaves up and by ascending index within a level.
    ///
    /// `indices` must be ascending without repetition.
    #[must_use]
    pub fn siblings(&self, indices: &[Index]) -> Vec<Digest> {
        let mut siblings = Vec::new();
        let mut on_path = indices.to_vec();
        for level in 0..DEPTH {
            siblings.extend(paths::beside(&on_path).map(|index| self.node(level, index)));
            on_path = paths::parents(&on_path);
        }
        siblings
    }

    /// A node's digest, `level` below [`DEPTH`].
    fn node(&self, level: usize, index: Index) -> Digest {
        let (floor, level_in_page) = (level / PAGE_LEVELS, level % PAGE_LEVELS);
        let above = (u64::from(index) >> (PAGE_LEVELS - level_in_page)) as u32;
        let page = PageId::new(floor as u8, above).and_then(|id| self.pages.get(id));
        page.map_or_else(
            || empty_subtree(level),
            |page| page.level(level_in_page)[index as usize % (16 >> level_in_page)],
        )
    }
}

/// Some records as they were in a tree, and the siblings of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// By ascending index.
    pub records: Vec<(Index, Record)>,
    /// As of [`StateTree::siblings`].
    pub siblings: Vec<Digest>,
}

/// Hashes every node above the changed records, by ascending index; gives the siblings.
fn rehash(pages: &mut Pages, root: &mut Digest, changes: &[(Index, Record)]) -> Vec<Digest> {
    if changes.is_empty() {
        return Vec::new();
    }
    let indices: Vec<Index> = changes.iter().map(|&(index, _)| index).collect();
    let siblings;
    (*root, siblings) = climb(pages.open(&indices), changes);
    if changes.iter().any(|(_, record)| record.is_empty()) {
        pages.prune(&indices);
    }
    siblings
}

/// By ascending index, with the last record given for each.
fn last_by_index(changes: &[(Index, Record)]) -> Cow<'_, [(Index, Record)]> {
    if changes.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Cow::Borrowed(changes);
    }
    let mut sorted = changes.to_vec();
    sorted.sort_by_key(|&(index, _)| index);
    sorted.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    Cow::Owned(sorted)
}

/// Two trees are the same if they hold the same records: the digests follow from these.
impl PartialEq for StateTree {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records
    }
}

impl Eq for StateTree {}
