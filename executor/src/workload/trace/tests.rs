//! Traces are read exactly, or refused with line and column.

use super::{FieldError, Trace, TraceError};
use shardfold_protocol::address::Address;

const HEADER: &str = "kind,from,to,asset_in,amount_in\n";
const A: &str = "0x1111111111111111111111111111111111111111";
const B: &str = "0x2222222222222222222222222222222222222222";

/// A transfer's line, its end apart.
fn transfer(asset: &str, amount: &str) -> String {
    format!("transfer,{A},{B},{asset},{amount}")
}

fn read(lines: &str) -> Result<Trace, TraceError> {
    Trace::from_bytes(format!("{HEADER}{lines}").as_bytes())
}

/// The line and the column of a field that is refused, and why.
fn refused(lines: &str) -> (u64, &'static str, FieldError) {
    match read(lines) {
        Err(TraceError::Field {
            line,
            column,
            source,
        }) => (line, column, source),
        other => panic!("{lines:?}: {other:?}"),
    }
}

#[test]
fn an_amount_is_its_digits_and_nothing_else_is_one() {
    for (text, value) in [
        ("0", 0u128),
        ("5", 5),
        ("007", 7),
        ("18446744073709551616", 1 << 64),
    ] {
        let trace = read(&transfer("eth", text)).unwrap();
        assert_eq!(trace.movements[0].amount, value.into(), "{text}");
    }
    for text in [
        "+5", "-5", "1_000", "1e18", "1E3", "0x10", "1.0", "", " 5", "5 ", "٣", "1,5", "NaN",
    ] {
        let field = format!("\"{text}\"");
        let expected = FieldError::Amount(text.into());
        assert_eq!(
            refused(&transfer("eth", &field)),
            (2, "amount_in", expected)
        );
    }
}

#[test]
fn a_timestamp_is_read_if_there_is_one() {
    let line = transfer("eth", "5");
    assert_eq!(read(&line).unwrap().movements[0].time, None);
    let with_time = |time: &str| {
        let header = HEADER.trim_end();
        Trace::from_bytes(format!("timestamp,{header}\n{time},{line}\n").as_bytes())
    };
    for (text, time) in [
        ("0", 0),
        ("1598766666", 1_598_766_666),
        ("1099511627775", (1 << 40) - 1),
    ] {
        assert_eq!(with_time(text).unwrap().movements[0].time, Some(time));
    }
    for text in [
        "",
        "-1",
        "+1",
        "1.5",
        "1e9",
        "now",
        "1099511627776",
        "18446744073709551616",
    ] {
        let error = with_time(text).unwrap_err().to_string();
        let expected = format!(
            "line 2, column `timestamp`: `{text}` is no time in seconds, expected decimal digits, \
             below 2^40"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn a_million_digits_are_refused_in_a_few_words() {
    let error = read(&transfer("eth", &"9".repeat(1_000_000))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column `amount_in`: found an integer of 1000000 digits, expected at most 78"
    );
    let largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let padded = format!("{}{largest}", "0".repeat(100));
    let amount = &read(&transfer("eth", &padded)).unwrap().movements[0].amount;
    assert_eq!(amount.to_string(), largest);
    // Nor do other fields fill the screen, or reach it raw.
    let letters = "x".repeat(1_000_000);
    for line in [
        transfer("eth", &letters),
        format!("{letters},{A},{B},eth,5"),
        format!("transfer,{letters},{B},eth,5"),
        transfer(&format!("0x{letters}"), "5"),
        transfer("eth", "\x1b]0;title\x07"),
    ] {
        let message = read(&line).unwrap_err().to_string();
        assert!(message.len() < 200, "{}", message.len());
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

#[test]
fn lines_are_those_of_an_editor() {
    let (good, bad) = (transfer("eth", "5"), transfer("eth", "x"));
    let quoted = format!("transfer,{A},{B},\"a,\"\"b\"\"\nc\",5");
    let in_the_record = format!("transfer,{A},{B},\"a\n\nb\",x");
    for (lines, expected) in [
        (format!("\n\n{bad}"), 4),
        (format!("\r\n\r\n{good}\r\n\r\n{bad}\r\n"), 6),
        (format!("\r{good}\r\r{bad}"), 5),
        (format!("{quoted}\n{bad}"), 4),
        (format!("{quoted}\r\n\r\n{bad}"), 5),
        (in_the_record, 4),
    ] {
        let (line, column, _) = refused(&lines);
        assert_eq!((line, column), (expected, "amount_in"), "{lines:?}");
    }
    let short = format!("\n{quoted}\n\ntransfer,{A}\n");
    let error = read(&short).unwrap_err();
    assert!(
        matches!(
            error,
            TraceError::Fields {
                line: 6,
                found: 2,
                expected: 5
            }
        ),
        "{error}"
    );
    let crlf = format!("\u{feff}{HEADER}\r\n{bad}").replace("amount_in\n", "amount_in\r\n");
    let error = Trace::from_bytes(crlf.as_bytes()).unwrap_err();
    assert!(error.to_string().starts_with("line 3, "), "{error}");
}

#[test]
fn a_contract_in_any_spelling_is_one_asset() {
    let spellings = [
        "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "0XA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48",
    ];
    let lines: Vec<String> = spellings.map(|asset| transfer(asset, "5")).into();
    let trace = read(&lines.join("\n")).unwrap();
    assert!(
        trace
            .movements
            .iter()
            .all(|entry| entry.asset == spellings[1])
    );
    // So is an address.
    let trace = read(&transfer("eth", "5").replace("0x1", "0X1")).unwrap();
    assert_eq!(trace.movements[0].from, Address([0x11; 20]));
}

#[test]
fn an_asset_that_is_none_or_could_be_another_is_refused() {
    for text in ["", " ", "\t"] {
        let found = refused(&transfer(text, "5"));
        assert_eq!(found, (2, "asset_in", FieldError::NoAsset));
    }
    for text in [" eth", "eth ", "0xdac17f", "0x", "0xzz"] {
        let (line, column, _) = refused(&transfer(text, "5"));
        assert_eq!((line, column), (2, "asset_in"), "{text:?}");
    }
    let lines = format!("{}\n{}\n", transfer("eth", "5"), transfer("ETH", "5"));
    let expected = FieldError::AssetCase {
        found: "ETH".into(),
        earlier: "eth".into(),
    };
    assert_eq!(refused(&lines), (3, "asset_in", expected));
}

#[test]
fn quotation_marks_change_no_value() {
    let trace = read(&transfer("\"a,\"\"b\"\"\nc\"", "\"5\"")).unwrap();
    assert_eq!(trace.movements[0].asset, "a,\"b\"\nc");
    assert_eq!(trace.movements[0].amount, 5u32.into());
    // The CSV library reads 50, 5"0 and everything to the end of the file.
    for amount in ["\"5\"0", "5\"0", "\"5"] {
        let lines = format!("\n{}\n{}\n", transfer("eth", amount), transfer("eth", "6"));
        let error = read(&lines).unwrap_err();
        assert!(matches!(error, TraceError::Quotes { line: 3 }), "{error}");
    }
}

#[test]
fn the_first_line_names_each_column_once() {
    let read = |header: &str| Trace::from_bytes(format!("{header}\n").as_bytes());
    for header in [
        "",
        "kind;from;to;asset_in;amount_in",
        "kind,from,to,asset_in,Amount_in",
    ] {
        let error = read(header).unwrap_err();
        assert!(matches!(error, TraceError::NoColumn { .. }), "{error}");
    }
    let error = read("kind,from,to,asset_in,amount_in,amount_in").unwrap_err();
    let column = "amount_in";
    assert!(matches!(error, TraceError::ColumnTwice { column: found } if found == column));
    // Other columns may repeat, and stand in any order.
    let trace = read(&format!(
        "note,amount_in,asset_in,note,to,from,kind\n,5,eth,,{B},{A},transfer"
    ));
    assert_eq!(trace.unwrap().movements[0].from, Address([0x11; 20]));
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    let mut bytes = format!("{HEADER}\n{}\n", transfer("??", "5")).into_bytes();
    let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xff;
    let error = Trace::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.starts_with("line 3, column `asset_in`: "), "{error}");
}
