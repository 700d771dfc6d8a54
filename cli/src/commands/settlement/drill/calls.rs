//! The calls that lead out of a contract, each in a file of its own.

use std::fs;
use std::path::Path;

use alloy_primitives::{Address, U256};
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::record::Asset;
use shardfold_settlement::events::Events;
use shardfold_settlement::leaving::{Call, Gone, Step, Stuck};

use crate::exit::cannot;
use crate::output::{Places, Printer};

/// More than a call, which shows 512 items of 64 digits at most.
const CALL_BYTES: u64 = 1 << 16;
/// Digits of the numbers of calls, if there are not more of them.
const DIGITS: usize = 3;

/// A call, and its file.
#[derive(Serialize)]
pub struct Written {
    file: String,
    #[serde(flatten)]
    call: Call,
    /// What its sender pays with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<Payment>,
}

/// What a call costs beside gas.
#[derive(Clone, Copy, Debug, Serialize)]
struct Payment {
    /// The token, which was approved before; the zero address for coin, which is sent with the call.
    token: Address,
    /// How much of its smallest part: exactly so much.
    amount: U256,
}

/// Makes sure that a folder has no calls: those of another drill would lie between the new ones.
pub fn refuse_earlier(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|end| end == "hex") {
            return Err(cannot(format!(
                "found {} in {}, expected no calls of an earlier drill: remove them, or take another \
                 folder",
                Path::new(&name).display(),
                folder.display()
            )));
        }
    }
    Ok(())
}

/// Writes the calls into the files of a folder, which sort in the order in which they are sent, and says
/// what each does.
pub fn write(
    calls: Vec<Call>,
    events: &Events,
    folder: &Path,
    printer: Printer,
) -> Result<Vec<Written>> {
    let digits = calls.len().to_string().len().max(DIGITS);
    let mut written = vec![];
    for (number, call) in (1..).zip(calls) {
        let (function, of) = call.step.name();
        let file = format!("{number:0digits$}-{function}-{of}.hex");
        // There may be thousands, with names of their own: each is a place by itself.
        let output = Places::new([]).output(&folder.join(&file), CALL_BYTES)?;
        output.write(format!("{}\n", call.data).as_bytes())?;
        let payment = payment(&call.step, events);
        printer.line(format_args!("{output}: {}", says(&call.step, payment)));
        written.push(Written {
            file,
            call,
            payment,
        });
    }
    Ok(written)
}

/// Says what stays.
pub fn say_stuck(stuck: &[Stuck], printer: Printer) {
    for stuck in stuck {
        printer.line(format_args!("stays: {}", stays(stuck)));
    }
}

/// Says what has left.
pub fn say_gone(gone: &[Gone], printer: Printer) {
    for gone in gone {
        printer.line(format_args!("has left, by the logs: {}", left(gone)));
    }
}

/// What the sender of a call pays, if the logs say what the asset is.
fn payment(step: &Step, events: &Events) -> Option<Payment> {
    let Step::Repay { asset, debt, .. } = step else {
        return None;
    };
    let unit = events.units.get(asset)?;
    let amount = unit.in_token(*debt)?;
    let token = unit.token;
    (*debt > 0).then_some(Payment { token, amount })
}

/// What a call does, in words.
fn says(step: &Step, payment: Option<Payment>) -> String {
    match *step {
        Step::Claim {
            number,
            asset,
            amount,
        } => format!(
            "pays {amount} of asset {asset}, withdrawal {number}; also while nothing is frozen"
        ),
        Step::Reclaim {
            position,
            asset,
            amount,
        } => format!("pays {amount} of asset {asset} back, the deposit at {position} of the queue"),
        Step::ShowLink { count } => format!("shows what {count} items of the queue lead to"),
        Step::Escape {
            index,
            asset,
            balance,
        } => format!("takes {balance} of asset {asset} out of vault {index}"),
        Step::Open { index } => format!("shows record {index}, once for everybody"),
        Step::Repay { index, debt: 0, .. } => {
            format!("gives the collateral of position {index} back")
        }
        Step::Repay { index, asset, debt } => format!(
            "gives the collateral of position {index} back for the debt of {debt} of asset {asset}, after 30 \
             days to whoever sends it: {}",
            pays(asset, payment)
        ),
        Step::RefundPayout {
            index,
            amount,
            asset,
        } => format!(
            "gives {amount} of asset {asset} back, the rest of payout {index}, unless that was done before, \
             which no log says"
        ),
        Step::Redeem { asset } => format!("gives all shares {asset} back for their part"),
        Step::PayDue { asset } => format!("pays what is due of asset {asset}"),
    }
}

/// What the sender of `repay` pays, in words.
fn pays(asset: Asset, payment: Option<Payment>) -> String {
    match payment {
        Some(Payment {
            token: Address::ZERO,
            amount,
        }) => format!("send exactly {amount} wei with it"),
        Some(Payment { token, amount }) => {
            format!("approve {amount} of the token {token} to the contract before")
        }
        None => format!(
            "send exactly so much coin with it, or approve so much of the token, as assets({asset}) of \
             the contract says that it is"
        ),
    }
}

/// What the contract keeps, in words.
fn stays(stuck: &Stuck) -> String {
    match stuck {
        Stuck::Collateral { index } => format!(
            "the collateral of position {index}, whose debt is in shares, in which nobody can pay it"
        ),
        Stuck::Shares { asset } => {
            format!("shares {asset}, of a record that the contract does not know")
        }
    }
}

/// What has left, in words.
fn left(gone: &Gone) -> String {
    match gone {
        Gone::Withdrawal { number } => format!("withdrawal {number}"),
        Gone::Deposit { position } => format!("the deposit at {position} of the queue"),
        Gone::Record { index } => format!("record {index}"),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use shardfold_settlement::events::Unit;
    use tempfile::TempDir;

    use super::*;

    fn calls(count: u64) -> Vec<Call> {
        let call = |asset| Call {
            step: Step::PayDue { asset },
            data: Bytes::from_static(&[1, 2]),
        };
        (0..count).map(call).collect()
    }

    #[test]
    fn files_sort_in_the_order_of_the_calls_however_many_there_are() {
        for count in [9, 1_234] {
            let folder = TempDir::new().expect("a folder for temporary files");
            let printer = Printer::new(true);
            refuse_earlier(folder.path()).expect("it is empty");
            let written = write(calls(count), &Events::default(), folder.path(), printer);
            let expected: Vec<_> = written
                .expect("there is room")
                .into_iter()
                .map(|w| w.file)
                .collect();
            let entries = fs::read_dir(folder.path()).expect("it is there");
            let mut names: Vec<_> = entries
                .map(|entry| {
                    entry
                        .expect("a file")
                        .file_name()
                        .into_string()
                        .expect("plain names")
                })
                .collect();
            names.sort();
            assert_eq!(names, expected);
            assert_eq!(names.len() as u64, count);
            let last = names.last().expect("there are some");
            assert_eq!(*last, format!("{count:03}-payDue-{}.hex", count - 1));
            let error = refuse_earlier(folder.path()).expect_err("there are calls");
            assert!(error.to_string().contains("earlier drill"), "{error}");
        }
    }

    #[test]
    fn a_debt_is_told_in_what_its_asset_is() {
        let token = Address::repeat_byte(5);
        let unit = |token, digits| Unit { token, digits };
        let units = [(3, unit(Address::ZERO, 9)), (4, unit(token, 0))];
        let events = Events {
            units: units.into(),
            ..Events::default()
        };
        let said = |asset, debt| {
            let step = Step::Repay {
                index: 1,
                asset,
                debt,
            };
            says(&step, payment(&step, &events))
        };
        assert!(said(3, 7).ends_with("send exactly 7000000000 wei with it"));
        let expected = format!("approve 7 of the token {token} to the contract before");
        assert!(said(4, 7).ends_with(&expected));
        assert!(said(5, 7).contains("as assets(5) of the contract says"));
        assert_eq!(said(3, 0), "gives the collateral of position 1 back");
    }
}
