//! What lies in the database: its tables, and how their keys and values are written.
//!
//! Integers and field elements are 8 little-endian bytes; an element must be below the modulus.

use std::fmt::{self, Display, Formatter};

use bincode::Options as _;
use p3_field::PrimeField64 as _;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shardfold_protocol::field::canonical;
use shardfold_protocol::record::{Index, RECORD_ELEMENTS, Record};
use shardfold_protocol::tree::{PAGE_BYTES, Page, PageId};

use crate::StoreError;
use crate::ledger::{BATCH_DIGEST_BYTES, Ledger};

/// The version of all of this.
pub(crate) const FORMAT: u32 = 2;

/// Bytes of a record.
pub(crate) const RECORD_BYTES: usize = 8 * RECORD_ELEMENTS;

/// Every record that is not empty, by its index.
pub(crate) const RECORDS: TableDefinition<'_, Index, &[u8; RECORD_BYTES]> =
    TableDefinition::new(Table::Records.name());
/// Every page of the tree with a digest that is not of an empty subtree.
pub(crate) const PAGES: TableDefinition<'_, u64, &[u8; PAGE_BYTES]> =
    TableDefinition::new(Table::Pages.name());
/// The batches in order, from 0.
pub(crate) const HISTORY: TableDefinition<'_, u64, &[u8]> =
    TableDefinition::new(Table::History.name());
/// The number in the history of the batch with a digest.
pub(crate) const BATCHES: TableDefinition<'_, &[u8; BATCH_DIGEST_BYTES], u64> =
    TableDefinition::new(Table::Batches.name());
/// The format's version and the [`Ledger`](crate::ledger::Ledger), by name.
pub(crate) const FACTS: TableDefinition<'_, &str, &[u8]> =
    TableDefinition::new(Table::Facts.name());

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Records by index.
    Records,
    /// Pages of the tree.
    Pages,
    /// Batches in order.
    History,
    /// Batches by digest.
    Batches,
    /// What there is one of.
    Facts,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Pages => "pages",
            Self::History => "history",
            Self::Batches => "batches",
            Self::Facts => "facts",
        }
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The bytes of a record.
pub(crate) fn record_bytes(record: &Record) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    for (element, bytes) in record.0.iter().zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&element.as_canonical_u64().to_le_bytes());
    }
    bytes
}

/// The record of these bytes.
pub(crate) fn record_from(index: Index, bytes: &[u8; RECORD_BYTES]) -> Result<Record, StoreError> {
    let mut record = Record::EMPTY;
    for (element, bytes) in record.0.iter_mut().zip(bytes.as_chunks().0) {
        let found = u64::from_le_bytes(*bytes);
        *element = canonical(found).ok_or(StoreError::Element { index, found })?;
    }
    Ok(record)
}

/// The key of a page: those of a floor are side by side.
pub(crate) fn page_key(id: PageId) -> u64 {
    u64::from(id.floor()) << 32 | u64::from(id.index())
}

/// The page of these bytes.
pub(crate) fn page_from(id: PageId, bytes: &[u8; PAGE_BYTES]) -> Result<Page, StoreError> {
    Page::from_bytes(bytes).map_err(|source| StoreError::PageBytes { id, source })
}

/// The names of the facts.
const FORMAT_FACT: &str = "format";
const LEDGER_FACT: &str = "ledger";

/// Writes the format's version and where the ledger stands.
pub(crate) fn write_facts(
    transaction: &WriteTransaction,
    ledger: &Ledger,
) -> Result<(), StoreError> {
    let mut facts = transaction.open_table(FACTS)?;
    facts.insert(FORMAT_FACT, FORMAT.to_le_bytes().as_slice())?;
    facts.insert(LEDGER_FACT, encode(Table::Facts, 1, ledger)?.as_slice())?;
    Ok(())
}

/// Where the ledger stands, if the format is the one that is known here.
pub(crate) fn read_facts(
    facts: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Ledger, StoreError> {
    let fact = |key| facts.get(key)?.ok_or(StoreError::Missing { key });
    let found = decode(Table::Facts, 0, fact(FORMAT_FACT)?.value())?;
    if found != FORMAT {
        return Err(StoreError::Format { found });
    }
    decode(Table::Facts, 1, fact(LEDGER_FACT)?.value())
}

/// What is written with bincode: heads and their history.
pub(crate) fn encode(
    table: Table,
    key: u64,
    value: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .serialize(value)
        .map_err(|source| StoreError::Entry { table, key, source })
}

/// Reads what [`encode`] has written.
pub(crate) fn decode<T: DeserializeOwned>(
    table: Table,
    key: u64,
    bytes: &[u8],
) -> Result<T, StoreError> {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(bytes.len() as u64)
        .reject_trailing_bytes()
        .deserialize(bytes)
        .map_err(|source| StoreError::Entry { table, key, source })
}
