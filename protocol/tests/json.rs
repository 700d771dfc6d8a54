//! JSON files hold 64-bit integers exactly, whatever tools they pass through, and what is not
//! exactly right in them is named with its place.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde_json::{Value, json};
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::files::{self, FileContent, FileError, JsonError};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::record::Record;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::{StateFile, VaultEntry};
use shardfold_protocol::transaction::{Field, FieldForm, Form, Kind, Transaction, form};
use shardfold_protocol::tree::StateTree;
use shardfold_protocol::witness::ShardWitness;

/// An integer that no double holds, and one that is a field element besides.
const ODD: u64 = u64::MAX - 2;
const ELEMENT: u64 = MODULUS - 2;

fn head() -> Head {
    Head {
        tx_count: ELEMENT,
        time: ELEMENT - 1,
        queue_count: ELEMENT - 2,
        withdrawal_count: ELEMENT - 3,
        ..Head::genesis([F::from_u64(ELEMENT); 4])
    }
}

fn owner() -> Digest {
    Account::from_index(1, 2).owner(F::from_u64(ELEMENT))
}

/// A transfer, a deposit, which is not signed, and a withdrawal, as far as text goes.
fn transactions() -> Vec<Transaction> {
    const START: [Field; 3] = [
        Field::new("to", FieldForm::Small),
        Field::new("amount", FieldForm::Number),
        Field::new("nonce", FieldForm::Number),
    ];
    const OWNED: &[Field] = &[
        START[0],
        START[1],
        START[2],
        Field::new("owner", FieldForm::Digest),
    ];
    const ADDRESSED: &[Field] = &[
        START[0],
        START[1],
        START[2],
        Field::new("address", FieldForm::Address),
    ];
    let account = Account::from_index(1, 2);
    let signature = account.sign(F::from_u64(ELEMENT), &[F::ONE; 4]);
    let start = [F::TWO, F::from_u64(ELEMENT), F::from_u64(ELEMENT - 1)];
    let address = Address([0xab; 20]).elements();
    let transaction = |name, fields, rest: &[F], is_signed: bool| {
        let kind = Kind::new(name);
        form::register(Form {
            kind,
            fields,
            is_signed,
        });
        Transaction {
            kind,
            words: [&start[..], rest].concat(),
            authorization: is_signed.then(|| account.authorization(signature)),
        }
    };
    vec![
        transaction("transfer", OWNED, &owner(), true),
        transaction("deposit", OWNED, &owner(), false),
        transaction("withdraw", ADDRESSED, &address, true),
    ]
}

fn batch() -> Batch {
    Batch {
        chain_id: ELEMENT,
        before: head(),
        time: ODD,
        transactions: transactions(),
    }
}

fn state() -> StateFile {
    let entry = VaultEntry {
        index: 1,
        owner: [F::TWO; 4],
        asset: 7,
        balance: ODD,
        nonce: ODD - 1,
    };
    StateFile {
        chain_id: ELEMENT,
        head: Some(head()),
        vaults: vec![entry],
        records: vec![],
    }
}

fn tree() -> StateTree {
    StateTree::from_records(&[(2, Record([F::from_u64(ELEMENT); 8]))])
}

fn witness() -> ShardWitness {
    ShardWitness {
        shape: Shape::TINY,
        statement: Statement {
            chain_id: ELEMENT,
            before: head(),
            after: head(),
        },
        transactions: transactions(),
        records: vec![(2, tree().get(2))],
        siblings: tree().siblings(&[2]),
    }
}

fn inclusion() -> Inclusion {
    Inclusion {
        chain_id: ELEMENT,
        head: head(),
        proof: tree().prove_record(2),
    }
}

/// What text is in JSON is eight bytes in the binary form, as ever.
#[test]
fn the_binary_form_has_eight_bytes_for_each_integer() {
    let [_, deposit, _] = &transactions()[..] else {
        panic!("three kinds");
    };
    let mut batch = batch();
    batch.transactions = vec![deposit.clone()];
    let owner = owner();
    let element = |element: &F| element.as_canonical_u64().to_le_bytes();
    let mut expected = ELEMENT.to_le_bytes().to_vec();
    expected.extend(head().state_root.map(|e| element(&e)).as_flattened());
    expected.extend(ELEMENT.to_le_bytes());
    expected.extend((ELEMENT - 1).to_le_bytes());
    expected.extend((ELEMENT - 2).to_le_bytes());
    expected.extend([0; 32]);
    expected.extend((ELEMENT - 3).to_le_bytes());
    expected.extend([0; 3 * 32]);
    expected.extend(ODD.to_le_bytes());
    expected.extend(1u64.to_le_bytes());
    // The name, the elements, and that nobody has signed.
    expected.extend(b"deposit\0\0\0\0\0\0\0\0\0");
    expected.extend(7u64.to_le_bytes());
    for element in [2, ELEMENT, ELEMENT - 1] {
        expected.extend(element.to_le_bytes());
    }
    expected.extend(owner.map(|e| element(&e)).as_flattened());
    expected.push(0);
    let binary = files::to_binary(&batch).unwrap();
    assert_eq!(binary[files::HEADER_BYTES..], expected);
    // Records and siblings.
    let end = files::to_binary(&witness()).unwrap();
    let siblings = tree().siblings(&[2]);
    let mut expected = 1u64.to_le_bytes().to_vec();
    expected.extend(2u32.to_le_bytes());
    expected.extend([ELEMENT.to_le_bytes(); 8].as_flattened());
    expected.extend((siblings.len() as u64).to_le_bytes());
    for sibling in siblings {
        expected.extend(sibling.map(|e| element(&e)).as_flattened());
    }
    assert!(end.ends_with(&expected));
}

/// Every number as a tool leaves it that keeps numbers as doubles.
fn through_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap();
            // As JavaScript writes it.
            *value = if double.fract() == 0.0 && double < 1e19 {
                json!(double as u64)
            } else {
                json!(double)
            };
        }
        Value::Array(values) => values.iter_mut().for_each(through_doubles),
        Value::Object(members) => members.values_mut().for_each(through_doubles),
        _ => {}
    }
}

#[test]
fn files_survive_a_tool_that_keeps_numbers_as_doubles() {
    fn check<T: FileContent + PartialEq + std::fmt::Debug>(content: &T) {
        let mut value = serde_json::from_slice(&files::to_json(content).unwrap()).unwrap();
        through_doubles(&mut value);
        let bytes = serde_json::to_vec(&value).unwrap();
        assert_eq!(files::from_bytes::<T>(&bytes).unwrap(), *content);
    }
    check(&batch());
    check(&state());
    check(&witness());
    check(&inclusion());
}

/// Integers were numbers once, and other programs write them so.
#[test]
fn numbers_are_read_as_well() {
    fn numbers(value: &mut Value) {
        match value {
            Value::String(text) => {
                // Digests are longer.
                if text.len() <= 20
                    && let Ok(number) = text.parse::<u64>()
                {
                    *value = json!(number);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(numbers),
            Value::Object(members) => members.values_mut().for_each(numbers),
            _ => {}
        }
    }
    fn check<T: FileContent + PartialEq + std::fmt::Debug>(content: &T) {
        let json = files::to_json(content).unwrap();
        let text: Value = serde_json::from_slice(&json).unwrap();
        let mut value = text.clone();
        numbers(&mut value);
        assert_ne!(value, text);
        let bytes = serde_json::to_vec(&value).unwrap();
        assert_eq!(files::from_bytes::<T>(&bytes).unwrap(), *content);
    }
    check(&batch());
    check(&state());
    check(&witness());
    check(&inclusion());
}

fn refused<T: FileContent>(bytes: &[u8]) -> JsonError {
    match files::from_bytes::<T>(bytes) {
        Err(FileError::Json(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("this is read: {}", String::from_utf8_lossy(bytes)),
    }
}

/// The batch's text with one thing changed.
fn changed(from: &str, to: &str) -> String {
    let text = String::from_utf8(files::to_json(&batch()).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1)
}

#[test]
fn an_amount_that_is_no_exact_integer_is_refused_with_its_path() {
    let amount = format!("\"amount\": \"{ELEMENT}\"");
    let path = "content.transactions[0].transfer.amount";
    for value in [
        "1e3",
        "1.0",
        "1.2e18",
        "-5",
        "-0.0",
        "18446744073709551616",
        "null",
        "[5]",
        "true",
        "\"\"",
        "\"+5\"",
        "\"-5\"",
        "\" 5\"",
        "\"1_000\"",
        "\"1e3\"",
        "\"0x10\"",
        "\"18446744073709551616\"",
    ] {
        let text = changed(&amount, &format!("\"amount\": {value}"));
        let error = refused::<Batch>(text.as_bytes());
        assert_eq!(error.path, path, "{value}: {error}");
        let line = text.lines().position(|line| line.contains("\"amount\""));
        assert_eq!(Some(error.line - 1), line, "{value}: {error}");
        assert!(error.message.contains("an integer below 2^64"), "{error}");
    }
    let million = format!("\"amount\": \"{}\"", "9".repeat(1_000_000));
    let error = refused::<Batch>(changed(&amount, &million).as_bytes());
    assert_eq!(error.path, path);
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn counts_and_chain_ids_are_field_elements_in_both_forms() {
    for (from, path) in [
        ("\"chain_id\": ", "content.chain_id"),
        ("\"tx_count\": ", "content.before.tx_count"),
    ] {
        let text = changed(
            &format!("{from}\"{ELEMENT}\""),
            &format!("{from}\"{MODULUS}\""),
        );
        let error = refused::<Batch>(text.as_bytes());
        assert_eq!(error.path, path);
        assert!(error.message.contains(&MODULUS.to_string()), "{error}");
    }
    let mut aliased = batch();
    aliased.chain_id = MODULUS;
    let binary = files::to_binary(&aliased).unwrap();
    let error = files::from_bytes::<Batch>(&binary).unwrap_err();
    let expected = files::HEADER_BYTES + 8;
    assert!(
        matches!(error, FileError::Payload { offset, .. } if offset == expected),
        "{error}"
    );
    let mut aliased = inclusion();
    aliased.proof.index = 3;
    aliased.head.queue_count = MODULUS + 1;
    let binary = files::to_binary(&aliased).unwrap();
    files::from_bytes::<Inclusion>(&binary).unwrap_err();
}

#[test]
fn a_byte_order_mark_is_skipped_and_others_are_named() {
    let json = files::to_json(&batch()).unwrap();
    let marked = [b"\xef\xbb\xbf", &json[..]].concat();
    assert_eq!(files::from_bytes::<Batch>(&marked).unwrap(), batch());
    let error = refused::<Batch>(&marked[..100]);
    assert_eq!(error.line, refused::<Batch>(&json[..97]).line);
    let text = String::from_utf8(json).unwrap();
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = files::from_bytes::<Batch>(&utf16).unwrap_err().to_string();
    assert!(error.contains("byte order mark of UTF-16"), "{error}");
}

#[test]
fn a_transaction_has_one_kind() {
    let deposit = "\"deposit\": {";
    for (text, expected) in [
        (
            changed(deposit, "\"withdraw\": 1, \"deposit\": {"),
            "an object with to, amount, nonce, address, public_key",
        ),
        (
            changed("\"address\": ", "\"address\": 5, \"more\": "),
            "expected a string",
        ),
        (
            changed(deposit, "\"mint\": {"),
            "unknown kind of transaction `mint`, expected one of transfer, deposit, withdraw",
        ),
    ] {
        let error = refused::<Batch>(text.as_bytes());
        assert!(error.message.contains(expected), "{error}");
    }
    let mut value: Value = serde_json::from_slice(&files::to_json(&batch()).unwrap()).unwrap();
    let list = &mut value["content"]["transactions"];
    list[1]["transfer"] = list[0]["transfer"].clone();
    let text = serde_json::to_string_pretty(&value).unwrap();
    let error = refused::<Batch>(text.as_bytes());
    assert_eq!(
        error.message,
        "a transaction has one kind, found `transfer` after `deposit`"
    );
    assert_eq!(error.path, "content.transactions[1]");
    assert!(error.line > 30, "{error}");
    for (none, expected) in [(json!({}), "length 0"), (json!("deposit"), "string")] {
        value["content"]["transactions"][1] = none;
        let text = serde_json::to_string(&value).unwrap();
        let error = refused::<Batch>(text.as_bytes());
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("of transfer, deposit"), "{error}");
    }
}

#[test]
fn members_that_are_unknown_or_repeated_are_refused_everywhere() {
    fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.push(path.to_owned());
                for (name, member) in members {
                    objects(member, &format!("{path}/{name}"), found);
                }
            }
            Value::Array(values) => {
                for (place, member) in values.iter().enumerate() {
                    objects(member, &format!("{path}/{place}"), found);
                }
            }
            _ => {}
        }
    }
    fn check<T: FileContent>(content: &T) {
        let good: Value = serde_json::from_slice(&files::to_json(content).unwrap()).unwrap();
        let mut paths = Vec::new();
        objects(&good, "", &mut paths);
        for path in paths {
            let mut value = good.clone();
            let object = value.pointer_mut(&path).unwrap();
            object["extra\u{1b}[2J"] = json!(1);
            let text = serde_json::to_string(&value).unwrap();
            let error = refused::<T>(text.as_bytes());
            assert!(error.message.contains("extra"), "{path}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{path}: {error}");
            // Twice the first member, whose value stays the same.
            let object = good.pointer(&path).unwrap().as_object().unwrap();
            let (name, member) = object.iter().next().unwrap();
            let (name, member) = (json!(name), member.to_string());
            let mut value = good.clone();
            *value.pointer_mut(&path).unwrap() = json!("HERE");
            let inner = serde_json::to_string(object).unwrap();
            let twice = format!("{{{name}:{member},{}", &inner[1..]);
            let text = serde_json::to_string(&value).unwrap();
            let text = text.replacen("\"HERE\"", &twice, 1);
            let error = refused::<T>(text.as_bytes());
            let expected = ["duplicate field", "one kind"];
            assert!(
                expected.iter().any(|text| error.message.contains(text)),
                "{path}: {error}"
            );
        }
    }
    check(&batch());
    check(&state());
    check(&witness());
    check(&inclusion());
}
