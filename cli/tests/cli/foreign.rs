//! What others have in the folders that this program works in stays.

use std::fs;

use crate::common::{CANNOT, PROFILE, Sandbox, printed, prove_arguments};

/// Runs `prove` in a work folder that has something in it: its error, before any proving.
fn refused(sandbox: &Sandbox, folder: &str) -> String {
    let arguments = [&prove_arguments("proof.bin")[..], &["--work-dir", folder]].concat();
    let (code, printed) = printed(sandbox.command(&arguments).output().expect("it starts"));
    assert_eq!(code, Some(CANNOT), "{printed:?}");
    assert_eq!(printed.count("STARK in"), 0, "{printed:?}");
    assert!(!sandbox.exists("proof.bin"));
    printed.err
}

#[test]
fn a_folder_of_another_program_is_no_work_folder() {
    let names = [
        ("objects/pack/file", "objects"),
        ("objects/manifest/file", "objects"),
        ("objects", "objects"),
        ("fleet.db", "fleet.db"),
        ("fleet.db-wal", "fleet.db-wal"),
        ("fleet.lock", "fleet.lock"),
    ];
    let sandbox = Sandbox::with_batch(1);
    for (number, (file, named)) in names.into_iter().enumerate() {
        let folder = format!("mine{number}");
        let path = sandbox.path(&folder).join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, "precious").expect("a file");
        let error = refused(&sandbox, &folder);
        assert!(
            error.contains(&format!("{folder}/{named} ")),
            "{file}: {error}"
        );
        assert_eq!(fs::read(&path).expect("it is there"), b"precious");
        assert_eq!(sandbox.names(&folder).len(), 1, "{file}");
    }
}

/// An empty lock is no lock of ours, and a fleet's own place is no work folder.
#[test]
fn a_lock_without_our_header_and_the_place_of_a_fleet_are_left_alone() {
    let sandbox = Sandbox::with_batch(1);
    fs::create_dir(sandbox.path("empty")).expect("a folder");
    sandbox.write("empty/fleet.lock", b"");
    let error = refused(&sandbox, "empty");
    assert!(error.contains("empty/fleet.lock"), "{error}");
    assert_eq!(sandbox.names("empty"), ["fleet.lock"]);

    let place = [
        "--database",
        "sqlite://fleet/fleet.db",
        "--store",
        "fleet/objects",
    ];
    sandbox.ok(&[&["submit", "batch.bin", "--profile", PROFILE], &place[..]].concat());
    let error = refused(&sandbox, "fleet");
    assert!(error.contains("fleet/fleet.db"), "{error}");
    sandbox.ok(&[&["status"], &place[..2]].concat());
}

#[test]
fn what_is_put_into_a_work_folder_later_stays() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.leave_parts();
    let job = sandbox.names("parts/objects/part").remove(0);
    let notes = ["notes", "objects/notes", "objects/proof/notes"].map(str::to_owned);
    let notes = notes
        .into_iter()
        .chain([format!("objects/part/{job}/notes")]);
    let notes: Vec<_> = notes.map(|name| format!("parts/{name}")).collect();
    for note in &notes {
        sandbox.write(note, b"mine");
    }
    // The second time nothing of the first is in the way.
    for _ in 0..2 {
        let printed = sandbox.prove("proof.bin", &["--work-dir", "parts"]);
        assert_eq!(printed.count("checked"), 1, "{printed:?}");
        for note in &notes {
            assert_eq!(sandbox.read(note), b"mine", "{note}");
        }
        assert_eq!(sandbox.parts("parts").len(), 0);
        assert!(!sandbox.exists("parts/fleet.db"));
    }
}

#[test]
fn a_folder_that_was_there_before_stays() {
    let sandbox = Sandbox::with_batch(1);
    fs::create_dir(sandbox.path("mine")).expect("a folder");
    sandbox.prove("proof.bin", &["--work-dir", "mine"]);
    assert!(sandbox.exists("mine"));
    assert_eq!(sandbox.names("mine").len(), 0);
    sandbox.prove("proof.bin", &["--work-dir", "new"]);
    assert!(!sandbox.exists("new"));
}

#[test]
fn a_folder_with_names_of_a_store_is_not_made_one() {
    let sandbox = Sandbox::with_batch(1);
    fs::create_dir_all(sandbox.path("disk/witness")).expect("a folder");
    sandbox.write("disk/witness/statement.txt", b"mine");
    let place = ["--database", "sqlite://fleet.db", "--store", "disk"];
    let submit = [&["submit", "batch.bin", "--profile", PROFILE], &place[..]].concat();
    let (code, failed) = printed(sandbox.command(&submit).output().expect("it starts"));
    assert_eq!(code, Some(CANNOT));
    assert_eq!(failed.count("disk/witness"), 1, "{failed:?}");
    assert_eq!(sandbox.names("disk"), ["witness"]);

    // A disk of one's own has a folder of the file system.
    fs::create_dir_all(sandbox.path("other/lost+found")).expect("a folder");
    let place = ["--database", "sqlite://other.db", "--store", "other"];
    sandbox.ok(&[&["submit", "batch.bin", "--profile", PROFILE], &place[..]].concat());
}

#[test]
fn only_circuits_are_removed_from_the_cache() {
    let sandbox = Sandbox::new();
    let setup = [
        "setup",
        "--profile",
        PROFILE,
        "--cache",
        "circuits",
        "--prune",
    ];
    let folder = format!("circuits/{}", "0".repeat(32));
    fs::create_dir_all(sandbox.path(&folder)).expect("a folder");
    let empty = format!("circuits/{}", "1".repeat(32));
    fs::create_dir_all(sandbox.path(&empty)).expect("a folder");
    sandbox.write(format!("{folder}/power.circuit"), b"a drawing");
    sandbox.write(
        format!("{folder}/aggregation.circuit"),
        b"SFCIRCT\nof another build",
    );
    let pruned = sandbox.ok(&setup);
    assert_eq!(pruned.count("removed 1 circuits"), 1, "{pruned:?}");
    assert_eq!(sandbox.names(&folder), ["power.circuit"]);
    assert!(sandbox.exists(&empty));
}
