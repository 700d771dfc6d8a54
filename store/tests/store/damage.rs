//! Files whose bytes have changed since they were written.

use std::fs;

use shardfold_executor::workload::Random;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::state::StateFile;
use shardfold_store::{FILE, Store, StoreError, View};

use crate::common::{Pair, apply_outcome};

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
    let mut part = store.view()?.part_for(batch)?;
    let outcome = shardfold_executor::parallel::execute(&part, batch).expect("it fits the head");
    outcome.commit(&mut part);
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
