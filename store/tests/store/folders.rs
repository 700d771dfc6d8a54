//! Folders in which there is no state, or a state that is in use.

use std::fs;
use std::thread;

use shardfold_protocol::state::{StateError, StateFile};
use shardfold_store::{FILE, Store, StoreError, View};
use tempfile::TempDir;

use crate::common::Pair;

#[test]
fn a_state_is_made_in_an_empty_folder_only() {
    let pair = Pair::new(4);
    let file = pair.state.to_file();
    let error = Store::create(pair.path(), &file).err().unwrap();
    assert!(matches!(error, StoreError::NotEmpty { .. }), "{error}");

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("some/folder");
    Store::create(&path, &file).unwrap();
    assert_eq!(View::open(&path).unwrap().head(), pair.state.head());
}

#[test]
fn an_import_leaves_what_is_not_its_own() {
    let file = Pair::new(4).state.to_file();
    for entry in ["state.redb.partial", "other"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(entry), b"of another").unwrap();
        let error = Store::create(folder.path(), &file).err().unwrap();
        assert!(matches!(error, StoreError::NotEmpty { .. }), "{error}");
        let names = fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [entry]);
        assert_eq!(fs::read(folder.path().join(entry)).unwrap(), b"of another");
    }
}

#[test]
fn of_two_imports_at_once_one_makes_the_state() {
    let pair = Pair::new(200);
    let file = pair.state.to_file();
    for _ in 0..10 {
        let folder = TempDir::new().unwrap();
        let import = || Store::create(folder.path(), &file).is_ok();
        let made = thread::scope(|scope| {
            let imports = [(); 4].map(|()| scope.spawn(import));
            imports.map(|import| usize::from(import.join().unwrap()))
        });
        assert_eq!(made.iter().sum::<usize>(), 1);
        let view = View::open(folder.path()).unwrap();
        assert_eq!(view.head(), pair.state.head());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_of_another_state_is_refused_and_leaves_nothing() {
    let mut file = Pair::new(4).state.to_file();
    file.vaults[1].balance += 1;
    let folder = TempDir::new().unwrap();
    let made = |file: &StateFile| Store::create(folder.path(), file).err().unwrap();
    let error = made(&file);
    assert!(
        matches!(error, StoreError::State(StateError::Root { .. })),
        "{error}"
    );
    let whole = file.clone();
    file.chain_id = u64::MAX;
    let error = made(&file);
    assert!(
        matches!(error, StoreError::State(StateError::ChainId { .. })),
        "{error}"
    );
    file.clone_from(&whole);
    file.head.as_mut().unwrap().queue_count = u64::MAX;
    let error = made(&file);
    assert!(
        matches!(error, StoreError::State(StateError::Head(_))),
        "{error}"
    );
    file = whole;
    file.vaults.swap(0, 1);
    let error = made(&file);
    assert!(
        matches!(error, StoreError::State(StateError::Order { .. })),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_ledger_may_be_empty_or_lie_at_both_ends() {
    let mut file = Pair::new(4).state.to_file();
    file.head = None;
    file.vaults[3].index = u32::MAX;
    let check = |file: &StateFile| {
        let folder = TempDir::new().unwrap();
        let mut store = Store::create(folder.path(), file).unwrap();
        store.check().unwrap();
        assert_eq!(store.view().unwrap().to_file().unwrap().vaults, file.vaults);
    };
    check(&file);
    file.vaults.clear();
    check(&file);
}

#[test]
fn where_there_is_no_state_none_is_opened_or_made() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none")] {
        let error = Store::open(&path).err().unwrap();
        assert!(matches!(error, StoreError::NoState { .. }), "{error}");
        let error = View::open(&path).err().unwrap();
        assert!(matches!(error, StoreError::NoState { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_state_has_one_writer_or_several_readers() {
    let pair = Pair::new(4);
    let is_in_use = |error| matches!(error, Some(StoreError::InUse { .. }));
    let writer = pair.store();
    assert!(is_in_use(Store::open(pair.path()).err()));
    assert!(is_in_use(View::open(pair.path()).err()));
    drop(writer);
    let readers = [View::open(pair.path()), View::open(pair.path())];
    assert!(readers.iter().all(Result::is_ok));
    assert!(is_in_use(Store::open(pair.path()).err()));
    drop(readers);
    pair.store();
}

#[test]
fn other_files_are_no_state() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    for bytes in [vec![], vec![7; 100], vec![0; 1 << 16], b"redb".to_vec()] {
        fs::write(&path, &bytes).unwrap();
        Store::open(folder.path()).err().unwrap();
        View::open(folder.path()).err().unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
