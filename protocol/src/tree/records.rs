//! The leaves' records, apart from the digests above them.

use foldhash::HashMap;

use crate::record::{Index, Record};

/// Records that are kept together: neighbours are often all there or all empty.
const GROUP: usize = 1 << LOG_GROUP;
const LOG_GROUP: u32 = 2;

/// A record of 64 bytes is a cache line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
struct Group([Record; GROUP]);

/// The record at each index; what is empty is not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// By index without its last bits. No group is empty.
    groups: HashMap<u32, Box<Group>>,
    /// How many are not empty.
    len: usize,
}

impl Records {
    /// Returns the record at an index, [`Record::EMPTY`] where there is none.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        let group = self.groups.get(&(index >> LOG_GROUP));
        group.map_or(Record::EMPTY, |group| group.0[place(index)])
    }

    /// Returns how many records are not empty.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether all records are empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns everything that is not empty, by ascending index.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(Index, Record)> {
        let mut keys: Vec<u32> = self.groups.keys().copied().collect();
        keys.sort_unstable();
        let mut records = Vec::with_capacity(self.len);
        for key in keys {
            let first = key << LOG_GROUP;
            let group =
                (first..=first + (GROUP - 1) as u32).zip(self.groups[&key].0.iter().copied());
            records.extend(group.filter(|(_, record)| !record.is_empty()));
        }
        records
    }

    /// Returns the records at some indices.
    #[must_use]
    pub fn get_all(&self, indices: impl Iterator<Item = Index>) -> Vec<Record> {
        indices.map(|index| self.get(index)).collect()
    }

    /// Puts these records in the place of those that are there.
    pub(super) fn replace(&mut self, changes: &[(Index, Record)]) {
        let families = || changes.chunk_by(|a, b| a.0 >> LOG_GROUP == b.0 >> LOG_GROUP);
        if self.groups.is_empty() {
            self.groups.reserve(families().count());
        }
        for family in families() {
            self.replace_in_group(family[0].0 >> LOG_GROUP, family);
        }
    }

    /// Puts records of one group in their places.
    fn replace_in_group(&mut self, key: u32, changes: &[(Index, Record)]) {
        let group = self.groups.entry(key);
        let group = group.or_insert_with(|| Box::new(Group([Record::EMPTY; GROUP])));
        let mut has_emptied = false;
        for &(index, record) in changes {
            let old = core::mem::replace(&mut group.0[place(index)], record);
            self.len -= usize::from(!old.is_empty());
            self.len += usize::from(!record.is_empty());
            has_emptied |= record.is_empty();
        }
        if has_emptied && group.0.iter().all(Record::is_empty) {
            self.groups.remove(&key);
        }
    }
}

const fn place(index: Index) -> usize {
    index as usize % GROUP
}
