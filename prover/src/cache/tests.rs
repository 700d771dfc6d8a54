use std::convert::Infallible;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use super::*;
use plonky2::field::types::Field as _;
use plonky2::iop::target::Target;
use plonky2::util::serialization::{Buffer, Read as _, Write as _};
use shardfold_protocol::head::{HEAD_ELEMENTS, STATEMENT_ELEMENTS};
use shardfold_recursion::plonk::{Builder, Circuit, CommonData, PlonkField};
use shardfold_recursion::serializers::{Gates, Generators, checked_digest};
use shardfold_recursion::tree::{common_data, finish_leaf, gate_set};

/// A small circuit: encoding a large one for every flipped bit would take minutes.
struct Leaf {
    circuit: Circuit,
    statement: [Target; STATEMENT_ELEMENTS],
}

impl Leaf {
    fn build(common: &CommonData, step: u64) -> Self {
        let mut builder = Builder::new(common.config.clone());
        let statement: [Target; STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
        let next = builder.add_const(statement[5], PlonkField::from_canonical_u64(step));
        builder.connect(next, statement[5 + HEAD_ELEMENTS]);
        let circuit = finish_leaf(builder, &statement, common).expect("a leaf fits");
        Self { circuit, statement }
    }
}
use shardfold_protocol::envelope::EnvelopeError;

impl Cached for Leaf {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.write_target_vec(&self.statement).ok()?;
        bytes
            .write_circuit_data(&self.circuit, &Gates, &Generators)
            .ok()?;
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Buffer::new(bytes);
        let statement = bytes.read_target_vec().ok()?.try_into().ok()?;
        let circuit = bytes.read_circuit_data(&Gates, &Generators).ok()?;
        Some(Self { circuit, statement })
    }

    fn digest(&self) -> Option<[u8; 32]> {
        checked_digest(&self.circuit)
    }
}

static TINY: LazyLock<Leaf> = LazyLock::new(|| {
    let parameters = PlonkParameters::UNSOUND_TEST;
    Leaf::build(&common_data(&parameters, 6, &gate_set(&parameters)), 1)
});

fn fingerprint(part: &[u8]) -> Fingerprint {
    Fingerprint::new(&PlonkParameters::UNSOUND_TEST, &[part])
}

fn tiny() -> Result<Leaf, Infallible> {
    Ok(Leaf::build(&TINY.circuit.common, 1))
}

/// A cache in a fresh folder that notes what it does.
struct Fixture {
    cache: CircuitCache,
    log: Arc<Mutex<Vec<String>>>,
    root: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let cache = CircuitCache::new(root.path(), fingerprint(b"a")).with_listener(Box::new(
            move |_, progress| {
                let name = match progress {
                    Progress::Loaded(_) => "loaded",
                    Progress::Unusable(_) => "unusable",
                    Progress::Building => "building",
                    Progress::Built(_) => "built",
                    Progress::Stored(_) => "stored",
                    Progress::NotStored(_) => "not stored",
                };
                sink.lock().unwrap().push(name.to_owned());
            },
        ));
        Self { cache, log, root }
    }

    fn stored() -> (Self, Vec<u8>) {
        let fixture = Self::new();
        fixture.cache.store("tiny", &*TINY).unwrap();
        let bytes = fs::read(fixture.path()).unwrap();
        (fixture, bytes)
    }

    fn path(&self) -> PathBuf {
        self.cache.path("tiny")
    }

    fn load(&self) -> Result<Leaf, FileError> {
        self.cache.load("tiny")
    }
}

#[test]
fn builds_once_then_loads() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        let Ok(leaf) = fixture.cache.load_or_build("tiny", tiny);
        assert!(leaf.circuit == TINY.circuit);
    }
    assert_eq!(
        *fixture.log.lock().unwrap(),
        ["building", "built", "stored", "loaded"]
    );
    // Nothing temporary is left.
    assert_eq!(
        fs::read_dir(fixture.path().parent().unwrap())
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_damaged_file_is_reported_rebuilt_and_replaced() {
    let (fixture, bytes) = Fixture::stored();
    fs::write(fixture.path(), &bytes[..bytes.len() / 2]).unwrap();
    let Ok(leaf) = fixture.cache.load_or_build("tiny", tiny);
    assert!(leaf.circuit == TINY.circuit);
    assert_eq!(
        *fixture.log.lock().unwrap(),
        ["unusable", "building", "built", "stored"]
    );
    assert_eq!(fs::read(fixture.path()).unwrap(), bytes);
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let (fixture, bytes) = Fixture::stored();
    let header = (0..116).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
    let payload = (116..bytes.len())
        .step_by(bytes.len() / 100)
        .map(|byte| (byte, byte % 8));
    for (byte, bit) in header.chain(payload) {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 1 << bit;
        fs::write(fixture.path(), damaged).unwrap();
        assert!(fixture.load().is_err(), "bit {bit} of byte {byte}");
    }
}

#[test]
fn a_truncated_or_extended_file_is_found() {
    let (fixture, bytes) = Fixture::stored();
    for length in [0, 1, 7, 115, 116, 117, bytes.len() / 2, bytes.len() - 1] {
        fs::write(fixture.path(), &bytes[..length]).unwrap();
        assert!(fixture.load().is_err(), "{length} bytes");
    }
    fs::write(fixture.path(), [bytes.as_slice(), &[0]].concat()).unwrap();
    assert!(matches!(
        fixture.load(),
        Err(FileError::Envelope(EnvelopeError::PayloadLength { .. }))
    ));
}

#[test]
fn a_stale_file_is_found() {
    let (fixture, bytes) = Fixture::stored();
    // Another fingerprint has another folder; even a file moved there is not used.
    let other = CircuitCache::new(fixture.root.path(), fingerprint(b"b"));
    assert_ne!(other.path("tiny"), fixture.path());
    assert!(matches!(other.load::<Leaf>("tiny"), Err(FileError::Absent)));
    fs::create_dir_all(other.path("tiny").parent().unwrap()).unwrap();
    fs::write(other.path("tiny"), &bytes).unwrap();
    assert!(matches!(
        other.load::<Leaf>("tiny"),
        Err(FileError::Fingerprint)
    ));
    // So is a file of another format.
    let mut newer = bytes;
    newer[10] += 1;
    fs::write(fixture.path(), newer).unwrap();
    assert!(matches!(
        fixture.load(),
        Err(FileError::Envelope(EnvelopeError::WrongVersion {
            found: 3,
            ..
        }))
    ));
}

#[test]
fn a_whole_file_with_another_circuit_is_found() {
    // Checksum and fingerprint are right, the recorded digest is that of another circuit.
    let (fixture, _) = Fixture::stored();
    let payload = Leaf::build(&TINY.circuit.common, 2).to_bytes().unwrap();
    let digest = checked_digest(&TINY.circuit).unwrap();
    file::write(&fixture.path(), &fingerprint(b"a"), &digest, &payload).unwrap();
    assert!(matches!(fixture.load(), Err(FileError::Digest)));
    // A payload of noise is refused, not a panic.
    file::write(&fixture.path(), &fingerprint(b"a"), &digest, &[0xff; 64]).unwrap();
    assert!(matches!(fixture.load(), Err(FileError::Decode)));
}

#[test]
fn a_read_only_place_costs_only_the_storing() {
    let fixture = Fixture::new();
    // A file stands where the folder should be.
    fs::write(fixture.path().parent().unwrap(), b"in the way").unwrap();
    let Ok(leaf) = fixture.cache.load_or_build("tiny", tiny);
    assert!(leaf.circuit == TINY.circuit);
    assert_eq!(fixture.log.lock().unwrap().last().unwrap(), "not stored");
}

#[test]
fn concurrent_writers_and_readers_never_see_half_a_file() {
    let (fixture, bytes) = Fixture::stored();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..5).for_each(|_| fixture.cache.store("tiny", &*TINY).unwrap()));
        }
        for _ in 0..20 {
            assert!(fixture.load().is_ok());
        }
    });
    assert_eq!(fs::read(fixture.path()).unwrap(), bytes);
}

#[test]
fn what_a_killed_process_left_behind_is_removed_after_an_hour() {
    let (fixture, _) = Fixture::stored();
    let folder = fixture.path().parent().unwrap().to_owned();
    let hours_ago = |hours: u64| std::time::SystemTime::now() - Duration::from_secs(3600 * hours);
    for (name, hours) in [
        ("tiny.1-0.tmp", 2),
        ("tiny.2-0.tmp", 0),
        ("other.circuit", 2),
        ("tiny.3-0.tmp", 2),
        ("tiny.backup.tmp", 2),
        ("notes.tmp", 2),
    ] {
        let mut file = fs::File::create(folder.join(name)).unwrap();
        // Half of a header, or a file of somebody else.
        let start: &[u8] = if name == "tiny.3-0.tmp" {
            b"mine"
        } else {
            b"SFCI"
        };
        file.write_all(start).unwrap();
        file.set_modified(hours_ago(hours)).unwrap();
    }
    fixture.cache.store("tiny", &*TINY).unwrap();
    assert!(!folder.join("tiny.1-0.tmp").exists());
    for stays in [
        "tiny.2-0.tmp",
        "other.circuit",
        "tiny.3-0.tmp",
        "tiny.backup.tmp",
        "notes.tmp",
    ] {
        assert!(folder.join(stays).exists(), "{stays}");
    }
}

#[test]
fn names_with_dots_are_different_files() {
    let fixture = Fixture::new();
    assert_ne!(
        fixture.cache.path("shard-1.5"),
        fixture.cache.path("shard-1.6")
    );
}

#[test]
fn the_root_follows_the_environment() {
    let all = |name: &str| Some(PathBuf::from(format!("/{name}")));
    assert_eq!(root_from(all), Some("/SHARDFOLD_CACHE".into()));
    let some = |name: &str| (name != "SHARDFOLD_CACHE").then(|| all(name)).flatten();
    assert_eq!(root_from(some), Some("/XDG_CACHE_HOME/shardfold".into()));
    let home = |name: &str| (name == "HOME").then(|| all(name)).flatten();
    assert_eq!(root_from(home), Some("/HOME/.cache/shardfold".into()));
    assert_eq!(root_from(|_| None), None);
}

#[test]
fn every_part_changes_the_fingerprint() {
    let base = Fingerprint::new(&PlonkParameters::UNSOUND_TEST, &[b"ab", b"c"]);
    let others = [
        Fingerprint::new(&PlonkParameters::PROVEN_100, &[b"ab", b"c"]),
        Fingerprint::new(&PlonkParameters::UNSOUND_TEST, &[b"a", b"bc"]),
        Fingerprint::new(&PlonkParameters::UNSOUND_TEST, &[b"abc"]),
    ];
    assert!(others.iter().all(|other| *other != base));
}

#[test]
fn pruning_removes_the_circuits_of_others_and_nothing_else() {
    let (fixture, bytes) = Fixture::stored();
    let other = CircuitCache::new(fixture.root.path(), fingerprint(b"b"));
    other.store("tiny", &*TINY).unwrap();
    let shared = CircuitCache::new(fixture.root.path(), fingerprint(b"c"));
    shared.store("tiny", &*TINY).unwrap();
    // Others' files: in a cache's folder, beside it, and in folders that are no caches.
    let mine = [
        shared.path("tiny").with_extension("txt"),
        shared.path("power"),
        fixture.root.path().join("mine.circuit"),
        fixture.root.path().join("mine/tiny.circuit"),
        fixture.root.path().join("D".repeat(32)).join("a.circuit"),
    ];
    for path in &mine {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"mine").unwrap();
    }

    let pruned = prune(fixture.root.path(), &[&fixture.cache]).unwrap();
    let expected = Pruned {
        files: 2,
        bytes: 2 * bytes.len() as u64,
    };
    assert_eq!(pruned, expected);
    assert!(fs::read(fixture.path()).unwrap() == bytes);
    assert!(!other.path("tiny").parent().unwrap().exists());
    assert!(!shared.path("tiny").exists());
    for path in &mine {
        assert_eq!(fs::read(path).unwrap(), b"mine");
    }
    let again = prune(fixture.root.path(), &[&fixture.cache]).unwrap();
    assert_eq!(again, Pruned::default());
    let nowhere = prune(&fixture.root.path().join("nowhere"), &[]).unwrap();
    assert_eq!(nowhere, Pruned::default());
}
