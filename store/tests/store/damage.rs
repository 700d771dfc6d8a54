//! Files whose bytes have changed since they were written.

use std::fs;
use std::path::Path;

use redb::{Database, ReadableTable as _, TableDefinition};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::Random;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::head::Head;
use shardfold_protocol::state::StateFile;
use shardfold_protocol::tree::{PAGE_BYTES, PageId};
use shardfold_store::{FILE, Store, StoreError, View};

use crate::common::{Pair, apply_outcome, move_on};

/// Reads all there is, and applies a batch: the exported state if nothing is found amiss.
fn use_everything(pair: &Pair, batch: &Batch) -> Result<StateFile, StoreError> {
    let view = View::open(pair.path())?;
    let exported = view.to_file();
    view.check()?;
    let exported = exported?;
    view.part_of([3])?;
    view.history()?;
    drop(view);
    let mut store = Store::open(pair.path())?;
    let mut part = store
        .view()?
        .part_of(standard().indices(&batch.transactions))?;
    let outcome =
        shardfold_executor::parallel::execute(standard(), &part, batch).expect("it fits the head");
    move_on(&mut part, batch, &outcome);
    apply_outcome(&mut store, batch, &outcome, &part)?;
    store.check()?;
    Ok(exported)
}

#[test]
fn changed_bytes_are_an_error_or_change_nothing() {
    let mut pair = Pair::new(30);
    for _ in 0..3 {
        let batch = pair.batch(20);
        let mut store = pair.store();
        pair.apply(&mut store, &batch);
    }
    let expected = pair.state.to_file();
    let next = pair.batch(20);
    let path = pair.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(9);
    let mut refused = 0;
    for round in 0..400 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len() as u64) as usize;
        match round % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at..].iter_mut().take(4096).for_each(|byte| *byte = 0),
            _ => bytes[at] ^= 1 << random.below(8),
        }
        fs::write(&path, &bytes).unwrap();
        match use_everything(&pair, &next) {
            Ok(found) => assert_eq!(found, expected, "round {round}, byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "only {refused} of 400 were noticed");
}

#[test]
fn a_database_of_another_format_is_refused_with_what_to_do() {
    const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");
    let pair = Pair::new(10);
    drop(pair.store());
    let set = |format: u32| {
        let database = Database::open(pair.path().join(FILE)).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut facts = transaction.open_table(FACTS).unwrap();
        let bytes = format.to_le_bytes();
        facts.insert("format", bytes.as_slice()).unwrap();
        drop(facts);
        transaction.commit().unwrap();
    };
    for (format, what_to_do) in [
        (
            1,
            "its owners have no exit address, so it cannot be converted",
        ),
        (3, "a later build wrote it"),
    ] {
        set(format);
        let refused = [
            Store::open(pair.path()).err(),
            View::open(pair.path()).err(),
        ];
        for error in refused {
            let error = error.expect("it is refused");
            assert!(matches!(error, StoreError::Format { .. }), "{error}");
            let start = format!("found format {format} of the database, expected 2: {what_to_do}");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
    // Nothing is lost.
    set(2);
    let view = View::open(pair.path()).unwrap();
    assert_eq!(view.head(), pair.state.head());
}

/// Flips a bit of one digest of a page.
fn flip(store: &Path, key: u64, digest: usize) {
    const PAGES: TableDefinition<'_, u64, &[u8; PAGE_BYTES]> = TableDefinition::new("pages");
    let database = Database::open(store).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut pages = transaction.open_table(PAGES).unwrap();
        let mut bytes = *pages.get(key).unwrap().unwrap().value();
        bytes[32 * digest + digest % 4 * 8] ^= 1;
        pages.insert(key, &bytes).unwrap();
    }
    transaction.commit().unwrap();
}

/// Without looking at the rest of the database.
fn apply_next(pair: &Pair, batch: &Batch) -> Result<Head, StoreError> {
    let mut store = Store::open(pair.path())?;
    let mut part = store
        .view()?
        .part_of(standard().indices(&batch.transactions))?;
    let outcome =
        shardfold_executor::parallel::execute(standard(), &part, batch).expect("it fits the head");
    move_on(&mut part, batch, &outcome);
    Ok(apply_outcome(&mut store, batch, &outcome, &part)?.after)
}

/// A batch that reads records which it does not change: their paths lead to no new digest, and
/// yet stand beside those that do.
#[test]
fn a_changed_digest_never_gets_into_a_head() {
    let mut pair = Pair::new(30);
    let (batch, outcome) = loop {
        let batch = pair.batch(4);
        let outcome =
            shardfold_executor::parallel::execute(standard(), &pair.state, &batch).unwrap();
        let changed = |index| outcome.changes.iter().any(|&(change, _)| change == index);
        let mut read = standard().indices(&batch.transactions).into_iter();
        if !outcome.changes.is_empty() && read.any(|index| !changed(index)) {
            break (batch, outcome);
        }
    };
    let mut after = pair.state.clone();
    move_on(&mut after, &batch, &outcome);
    let path = pair.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    let pages: Vec<PageId> = pair
        .state
        .tree()
        .pages()
        .iter()
        .map(|&(id, _)| id)
        .collect();
    for id in pages {
        let key = u64::from(id.floor()) << 32 | u64::from(id.index());
        for digest in 0..PAGE_BYTES / 32 {
            fs::write(&path, &whole).unwrap();
            flip(&path, key, digest);
            match apply_next(&pair, &batch) {
                Ok(head) => assert_eq!(head, *after.head(), "{id:?}, digest {digest}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 50, "only {refused} were noticed");
    fs::write(&path, &whole).unwrap();
    assert_eq!(apply_next(&pair, &batch).unwrap(), *after.head());
}

#[test]
fn a_batch_with_the_number_of_another_is_noticed() {
    const BATCHES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("batches");
    let mut pair = Pair::new(10);
    let mut store = pair.store();
    let applied = [5, 6].map(|transactions| {
        let batch = pair.batch(transactions);
        pair.apply(&mut store, &batch).1
    });
    drop(store);
    for number in [0, 7] {
        let database = Database::open(pair.path().join(FILE)).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut batches = transaction.open_table(BATCHES).unwrap();
        batches.insert(&applied[1].batch.0, number).unwrap();
        drop(batches);
        transaction.commit().unwrap();
        drop(database);
        let view = View::open(pair.path()).unwrap();
        assert_eq!(view.applied(&applied[0].batch).unwrap(), Some(applied[0]));
        for error in [
            view.applied(&applied[1].batch).unwrap_err(),
            view.check().unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::BatchNumber { .. }), "{error}");
        }
    }
}
