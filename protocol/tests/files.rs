//! Files are read back as they were written, and anything else is refused with its place.

use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::envelope::EnvelopeError;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::files::{self, FileContent, FileError, FileKind, HEADER_BYTES};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{Head, OutOfBounds, Statement, TIME_LIMIT};
use shardfold_protocol::record::Record;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::{RecordEntry, State, StateError, StateFile, VaultEntry};
use shardfold_protocol::transaction::{Field, FieldForm, Form, Kind, Transaction, form};
use shardfold_protocol::tree::StateTree;
use shardfold_protocol::witness::ShardWitness;

fn account() -> Account {
    Account::from_index(1, 2)
}

fn owner() -> Digest {
    account().owner(F::from_u8(8))
}

/// One transaction that is signed, and one that is not.
fn batch() -> Batch {
    const FIELDS: &[Field] = &[
        Field::new("to", FieldForm::Small),
        Field::new("amount", FieldForm::Number),
        Field::new("owner", FieldForm::Digest),
        Field::new("address", FieldForm::Address),
    ];
    let address = Address(core::array::from_fn(|i| 0xf0_u8.wrapping_add(i as u8)));
    let words = [&[F::TWO, -F::ONE][..], &owner(), &address.elements()].concat();
    let signature = account().sign(F::from_u8(8), &[F::ONE; 4]);
    let transaction = |name, is_signed: bool| {
        let kind = Kind::new(name);
        form::register(Form {
            kind,
            fields: FIELDS,
            is_signed,
        });
        Transaction {
            kind,
            words: words.clone(),
            authorization: is_signed.then(|| account().authorization(signature)),
        }
    };
    Batch {
        chain_id: 8,
        before: Head::genesis([F::TWO; 4]),
        time: 9,
        transactions: vec![transaction("signed", true), transaction("unsigned", false)],
    }
}

fn genesis() -> StateFile {
    let entry = |index| VaultEntry {
        index,
        owner: owner(),
        asset: 7,
        balance: 5,
        nonce: 0,
    };
    StateFile {
        chain_id: 8,
        head: None,
        vaults: vec![entry(1), entry(2), entry(u32::MAX)],
        records: vec![],
    }
}

fn witness() -> ShardWitness {
    let tree = StateTree::from_records(&[(2, Record([F::ONE; 8]))]);
    let before = Head::genesis(tree.root());
    ShardWitness {
        shape: Shape::TINY,
        statement: Statement {
            chain_id: 8,
            before,
            after: before,
        },
        transactions: batch().transactions,
        records: vec![(1, Record::EMPTY), (2, tree.get(2)), (9, Record::EMPTY)],
        siblings: tree.siblings(&[1, 2, 9]),
    }
}

/// Reads bytes, which must be refused.
fn refusal<T: FileContent>(bytes: &[u8]) -> FileError {
    files::from_bytes::<T>(bytes)
        .err()
        .expect("these bytes are no file")
}

#[test]
fn both_forms_are_read_back() {
    let (batch, genesis, witness) = (batch(), genesis(), witness());
    let read = |bytes: Vec<u8>| files::from_bytes::<Batch>(&bytes).unwrap();
    assert_eq!(read(files::to_binary(&batch).unwrap()), batch);
    assert_eq!(read(files::to_json(&batch).unwrap()), batch);
    let read = |bytes: Vec<u8>| files::from_bytes::<StateFile>(&bytes).unwrap();
    assert_eq!(read(files::to_binary(&genesis).unwrap()), genesis);
    assert_eq!(read(files::to_json(&genesis).unwrap()), genesis);
    let read = |bytes: Vec<u8>| files::from_bytes::<ShardWitness>(&bytes).unwrap();
    assert_eq!(read(files::to_binary(&witness).unwrap()), witness);
    assert_eq!(read(files::to_json(&witness).unwrap()), witness);
}

#[test]
fn json_names_digests_keys_and_addresses_in_hexadecimal() {
    let json: serde_json::Value =
        serde_json::from_slice(&files::to_json(&batch()).unwrap()).unwrap();
    assert_eq!(json["format"], "shardfold-batch");
    assert_eq!(json["version"], 2);
    let content = &json["content"];
    let two = "0200000000000000";
    assert_eq!(content["before"]["state_root"], two.repeat(4));
    let signed = &content["transactions"][0]["signed"];
    assert_eq!(signed["to"], 2);
    assert_eq!(signed["amount"], (MODULUS - 1).to_string());
    assert_eq!(signed["owner"].as_str().map(str::len), Some(64));
    assert_eq!(signed["public_key"].as_str().map(str::len), Some(160));
    let exit_address = hex::encode(account().exit_address.0);
    assert_eq!(signed["exit_address"], exit_address);
    let address = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00010203";
    assert_eq!(signed["address"], address);
    let unsigned = &content["transactions"][1]["unsigned"];
    assert_eq!(unsigned.as_object().map(|members| members.len()), Some(4));
}

#[test]
fn every_truncation_is_refused() {
    let binary = files::to_binary(&batch()).unwrap();
    let json = files::to_json(&batch()).unwrap();
    for end in 0..binary.len() {
        let error = refusal::<Batch>(&binary[..end]);
        let expected = match end {
            0..8 => matches!(error, FileError::UnknownForm { .. }),
            8..HEADER_BYTES => {
                matches!(error, FileError::Envelope(EnvelopeError::TruncatedHeader { found }) if found == end)
            }
            _ => {
                matches!(error, FileError::Envelope(EnvelopeError::PayloadLength { found, .. }) if found == (end - HEADER_BYTES) as u64)
            }
        };
        assert!(expected, "{end} bytes: {error}");
    }
    // The last byte is a newline.
    for end in 1..json.len() - 1 {
        let error = refusal::<Batch>(&json[..end]);
        assert!(matches!(error, FileError::Json(_)), "{end} bytes: {error}");
    }
}

/// A file whose header agrees with its payload.
fn with_payload(bytes: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut file = bytes[..HEADER_BYTES].to_vec();
    file[12..].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    file.extend(payload);
    file
}

#[test]
fn a_payload_that_ends_early_or_late_is_refused_with_its_place() {
    let good = files::to_binary(&batch()).unwrap();
    let payload = &good[HEADER_BYTES..];
    for end in 0..payload.len() {
        let error = refusal::<Batch>(&with_payload(&good, &payload[..end]));
        let FileError::Payload { offset, .. } = error else {
            panic!("{end} bytes: {error}");
        };
        assert!(offset <= HEADER_BYTES + end);
    }
    let longer = [payload, &[0; 3]].concat();
    let error = refusal::<Batch>(&with_payload(&good, &longer));
    assert!(
        matches!(error, FileError::TrailingBytes { offset, found: 3 } if offset == good.len()),
        "{error}"
    );
    let mut trailing = good.clone();
    trailing.push(0);
    let error = refusal::<Batch>(&trailing);
    assert!(
        matches!(
            error,
            FileError::Envelope(EnvelopeError::PayloadLength { .. })
        ),
        "{error}"
    );
}

#[test]
fn other_kinds_versions_and_forms_are_refused() {
    let binary = files::to_binary(&batch()).unwrap();
    let error = refusal::<StateFile>(&binary);
    let expected = FileKind::State;
    assert!(
        matches!(error, FileError::Envelope(EnvelopeError::WrongKind { found: 1, expected: e }) if e == expected)
    );
    let mut newer = binary.clone();
    newer[10] = 3;
    let error = refusal::<Batch>(&newer);
    assert!(matches!(
        error,
        FileError::Envelope(EnvelopeError::WrongVersion {
            found: 3,
            expected: 2,
            ..
        })
    ));

    let json = String::from_utf8(files::to_json(&batch()).unwrap()).unwrap();
    let error = refusal::<StateFile>(json.as_bytes());
    assert!(matches!(error, FileError::WrongFormat { .. }));
    let newer = json.replacen("\"version\": 2", "\"version\": 3", 1);
    let error = refusal::<Batch>(newer.as_bytes());
    assert!(matches!(
        error,
        FileError::Envelope(EnvelopeError::WrongVersion {
            found: 3,
            expected: 2,
            ..
        })
    ));
    let error = refusal::<Batch>(format!("{json}0").as_bytes());
    assert!(matches!(error, FileError::Json(_)));
    assert!(matches!(
        refusal::<Batch>(b"[1]"),
        FileError::UnknownForm { .. }
    ));
}

/// Whatever follows the header: the layout was another.
#[test]
fn files_of_version_1_are_refused_with_what_to_do() {
    fn check<T: FileContent>(content: &T, what_to_do: &str) {
        let mut binary = files::to_binary(content).unwrap();
        binary[10] = 1;
        let binary = with_payload(&binary, b"of version 1");
        let name = T::KIND.name();
        let json = format!(r#"{{"format": "{name}", "version": 1, "content": {{}}}}"#);
        for bytes in [binary, json.into_bytes()] {
            let error = refusal::<T>(&bytes).to_string();
            let start = format!("found version 1 of {name}, expected {}: ", T::VERSION);
            assert!(error.starts_with(&start), "{error}");
            assert!(error.contains(what_to_do), "{error}");
        }
    }
    check(&batch(), "make it anew with this build");
    check(
        &genesis(),
        "its owners have no exit address, so it cannot be converted; only the build that wrote it \
         reads and exports such ledgers (`shardfold state export`)",
    );
    check(&witness(), "cut the batch into shards again");
}

#[test]
fn json_errors_say_the_line() {
    let json = String::from_utf8(files::to_json(&genesis()).unwrap()).unwrap();
    let line_of = |text: &str, line: usize| {
        let error = refusal::<StateFile>(text.as_bytes());
        let FileError::Json(source) = &error else {
            panic!("{error}");
        };
        assert_eq!(source.line, line, "{error}");
    };
    // Line 9 has the balance of the first vault, line 8 its asset.
    let balance = json
        .lines()
        .position(|line| line.contains("balance"))
        .unwrap()
        + 1;
    line_of(
        &json.replacen("\"balance\": \"5\"", "\"balance\": -5", 1),
        balance,
    );
    line_of(
        &json.replacen("\"balance\": \"5\"", "\"balanse\": 5", 1),
        balance,
    );
    line_of(
        &json.replacen("\"asset\": 7", "\"asset\": -7", 1),
        balance - 1,
    );
}

#[test]
fn elements_above_the_modulus_are_refused_in_both_forms() {
    let json = String::from_utf8(files::to_json(&batch()).unwrap()).unwrap();
    let modulus = hex::encode(MODULUS.to_le_bytes());
    let above = json.replacen("0200000000000000", &modulus, 1);
    assert!(
        refusal::<Batch>(above.as_bytes())
            .to_string()
            .contains("element 0 of a digest")
    );

    let mut binary = files::to_binary(&batch()).unwrap();
    // The payload starts with the chain id; the state root follows.
    binary[HEADER_BYTES + 8..HEADER_BYTES + 16].copy_from_slice(&MODULUS.to_le_bytes());
    let error = refusal::<Batch>(&binary);
    assert!(
        matches!(error, FileError::Payload { offset, .. } if offset == HEADER_BYTES + 16),
        "{error}"
    );
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    let mut binary = files::to_binary(&genesis()).unwrap();
    // Chain id, no head, then how many vaults there are.
    let length = HEADER_BYTES + 8 + 1;
    binary[length..length + 8].copy_from_slice(&(1u64 << 60).to_le_bytes());
    assert!(matches!(
        refusal::<StateFile>(&binary),
        FileError::Payload { .. }
    ));
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let path = std::env::temp_dir().join(format!("shardfold-limit-{}", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    // Sparse: no byte of it is on the disk.
    file.set_len(ShardWitness::MAX_BYTES + 1).unwrap();
    let result = files::read::<ShardWitness>(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        result,
        Err(FileError::Envelope(EnvelopeError::TooLarge { .. }))
    ));
    assert!(matches!(
        files::read::<Batch>(&path),
        Err(FileError::Io { .. })
    ));
}

/// A large file of one kind is not taken for a too large one of another.
#[test]
fn the_kind_is_looked_at_before_the_size() {
    let mut bytes = files::to_binary(&batch()).unwrap();
    bytes.resize(ShardWitness::MAX_BYTES as usize + 1, 0);
    assert!(matches!(
        files::from_bytes::<ShardWitness>(&bytes),
        Err(FileError::Envelope(EnvelopeError::WrongKind {
            found: 1,
            ..
        }))
    ));
    bytes[8] = FileKind::Witness as u8;
    bytes[10] = ShardWitness::VERSION as u8;
    assert!(matches!(
        files::from_bytes::<ShardWitness>(&bytes),
        Err(FileError::Envelope(EnvelopeError::TooLarge { .. }))
    ));
}

#[test]
fn a_state_is_read_back_and_only_if_it_is_well_formed() {
    let genesis = genesis();
    let state = State::try_from(&genesis).unwrap();
    assert_eq!(state.head(), &Head::genesis(state.tree().root()));
    assert_eq!(State::try_from(&state.to_file()).unwrap(), state);
    assert_eq!(state.to_file().vaults, genesis.vaults);

    let refused = |change: &dyn Fn(&mut StateFile)| {
        let mut file = state.to_file();
        change(&mut file);
        State::try_from(&file).unwrap_err()
    };
    assert_eq!(
        refused(&|f| f.chain_id = MODULUS),
        StateError::ChainId { found: MODULUS }
    );
    let order = StateError::Order {
        position: 1,
        found: 1,
        previous: 2,
    };
    assert_eq!(refused(&|f| f.vaults.swap(0, 1)), order);
    let order = StateError::Order {
        position: 1,
        found: 1,
        previous: 1,
    };
    assert_eq!(refused(&|f| f.vaults[1].index = 1), order);
    let balance = StateError::Balance {
        index: 2,
        found: 1 << 62,
    };
    assert_eq!(refused(&|f| f.vaults[1].balance = 1 << 62), balance);
    // The element that it would be is a small one.
    let balance = StateError::Balance {
        index: 2,
        found: MODULUS + 5,
    };
    assert_eq!(refused(&|f| f.vaults[1].balance = MODULUS + 5), balance);
    let nonce = StateError::Nonce {
        index: 2,
        found: 1 << 62,
    };
    assert_eq!(refused(&|f| f.vaults[1].nonce = 1 << 62), nonce);
    // Among the other records is no vault, be it one of shares.
    let other = |index: u32, kind: u64, [asset, balance, nonce]: [u64; 3]| {
        refused(&|f| {
            let mut record = Record([F::ONE; 8]);
            for (element, value) in record.0.iter_mut().zip([kind, asset, balance, nonce]) {
                *element = F::from_u64(value);
            }
            f.records.push(RecordEntry { index, record });
        })
    };
    let (share, limit) = (1 << 32, 1 << 62);
    let no_other = StateError::NoOther { index: 9 };
    assert_eq!(other(9, 1, [3, 0, 0]), no_other);
    let twice = StateError::Twice { index: 2 };
    assert_eq!(other(2, 1_000, [share, 0, 0]), twice);
    assert_eq!(other(9, 1, [share, 0, 0]), no_other);
    let asset = StateError::Asset {
        index: 2,
        found: limit,
    };
    assert_eq!(refused(&|f| f.vaults[1].asset = limit), asset);
    // A pool without reserves.
    let pool = other(9, 2, [3, 4, 0]);
    assert!(matches!(pool, StateError::Bounds(_)), "{pool}");
    // Nothing else is known of a contract's own kinds than the root of all records.
    let root = other(9, 9, [limit, limit, limit]);
    assert!(matches!(root, StateError::Root { .. }));
    let root = refused(&|f| f.vaults[1].balance += 1);
    assert!(matches!(root, StateError::Root { .. }));
    let count = refused(&|f| {
        if let Some(head) = &mut f.head {
            head.queue_count = MODULUS;
        }
    });
    let (found, limit) = (MODULUS, MODULUS);
    let name = "queue count";
    assert_eq!(count, OutOfBounds { name, found, limit }.into());
    let time = refused(&|f| {
        if let Some(head) = &mut f.head {
            head.time = TIME_LIMIT;
        }
    });
    let (found, limit) = (TIME_LIMIT, TIME_LIMIT);
    let name = "time";
    assert_eq!(time, OutOfBounds { name, found, limit }.into());
}

proptest! {
    #[test]
    fn no_change_of_a_byte_panics_or_goes_unnoticed(at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let good = witness();
        let mut bytes = files::to_binary(&good).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        // Refused, or something else: no two files mean the same.
        if let Ok(read) = files::from_bytes::<ShardWitness>(&bytes) {
            prop_assert_ne!(&read, &good);
        }
    }

    #[test]
    fn no_bytes_panic(kind in 1..4u8, payload in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = b"SHRDFOLD".to_vec();
        let versions = [Batch::VERSION, StateFile::VERSION, ShardWitness::VERSION];
        let version = versions[usize::from(kind) - 1] as u8;
        bytes.extend([kind, 0, version, 0]);
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend(payload);
        let _ = files::from_bytes::<Batch>(&bytes);
        let _ = files::from_bytes::<StateFile>(&bytes);
        let _ = files::from_bytes::<ShardWitness>(&bytes);
    }
}
