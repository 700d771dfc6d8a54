//! The whole tree above more records than memory should hold at once.

use std::collections::BTreeMap;

use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::tree::{FLOORS, Page, PageId, StateTree, pages_on_paths};

use crate::StoreError;

/// Records whose indices differ in these bits alone are hashed together: what they share with
/// others is above floor 3.
const CHUNK_BITS: u32 = 16;
const CHUNK_FLOORS: u8 = FLOORS as u8 / 2;

/// Hashes the tree over records, which come by ascending index without repetition, and hands
/// over each page of it once. Holds the records of at most 2^16 indices at once. Gives the root.
pub(crate) fn tree_over(
    records: impl Iterator<Item = Result<(Index, Record), StoreError>>,
    mut visit: impl FnMut(PageId, &Page) -> Result<(), StoreError>,
) -> Result<Digest, StoreError> {
    let mut records = records.peekable();
    let mut root = StateTree::new().root();
    let mut upper = BTreeMap::new();
    let mut chunk = Vec::new();
    while let Some(next) = records.next() {
        let (index, record) = next?;
        chunk.push((index, record));
        let is_last = match records.peek() {
            Some(Ok((next, _))) => next >> CHUNK_BITS != index >> CHUNK_BITS,
            _ => true,
        };
        if !is_last {
            continue;
        }
        let above = pages_on_paths(&[index]).into_iter().filter_map(|id| {
            let page: Option<&Page> = upper.get(&id);
            Some((id, page?.clone()))
        });
        let mut tree = StateTree::from_parts(&[], above);
        tree.update(&chunk);
        for (id, page) in tree.pages() {
            if id.floor() < CHUNK_FLOORS {
                visit(id, page)?;
            } else {
                upper.insert(id, page.clone());
            }
        }
        root = tree.root();
        chunk.clear();
    }
    for (id, page) in &upper {
        visit(*id, page)?;
    }
    Ok(root)
}
