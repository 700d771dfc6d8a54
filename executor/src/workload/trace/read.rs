//! Reads a trace: every value exactly as it is written, or an error with its line and column.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};
use num_bigint::BigUint;
use shardfold_protocol::address::Address;
use shardfold_protocol::head::TIME_LIMIT;
use shardfold_protocol::text::excerpt;
use thiserror::Error;

use super::{Movement, SwapOf, Trace};

/// The columns that are read; others are ignored.
const COLUMNS: [&str; 5] = ["kind", "from", "to", "asset_in", "amount_in"];
/// More that are read if they are there; the last two say what a swap is for.
const OPTIONAL: [&str; 3] = ["timestamp", "asset_out", "min_out"];
const TIMESTAMP: usize = 0;
const ASSET_OUT: usize = 1;
const MIN_OUT: usize = 2;
/// A 256-bit integer has no more decimal digits.
const MAX_DIGITS: usize = 78;

/// Why a trace cannot be read. Lines are counted from 1, as an editor shows them.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The operating system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The CSV library refuses.
    #[error("the trace cannot be read: {0}")]
    Csv(#[from] csv::Error),
    /// A column that the first line does not name.
    #[error(
        "found no column `{column}` in the first line, expected the columns {}, separated by commas",
        expected.join(", ")
    )]
    NoColumn {
        /// Name of the missing column.
        column: &'static str,
        /// Names of all columns that are read.
        expected: &'static [&'static str],
    },
    /// A column that the first line names more than once.
    #[error("found the column `{column}` more than once in the first line, expected it once")]
    ColumnTwice {
        /// Name of the repeated column.
        column: &'static str,
    },
    /// A record that is shorter or longer than the first line.
    #[error("line {line}: found {found} fields, expected {expected} as in the first line")]
    Fields {
        /// The line that the record starts in.
        line: u64,
        /// Fields of the record.
        found: usize,
        /// Columns that the first line names.
        expected: usize,
    },
    /// A quotation mark that neither starts nor ends a field and is not doubled.
    #[error("line {line}: found a quotation mark without its pair around a whole field")]
    Quotes {
        /// The line that the record starts in.
        line: u64,
    },
    /// A field that cannot be understood.
    #[error("line {line}, column `{column}`: {source}")]
    Field {
        /// The line that the field starts in.
        line: u64,
        /// Name of the field's column.
        column: &'static str,
        /// What is wrong with the field.
        source: FieldError,
    },
}

/// What is wrong with a field. Texts found are excerpts ([`excerpt`]).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// No text.
    #[error("found bytes that are no UTF-8, expected text")]
    Utf8,
    /// A kind that does not exist.
    #[error("the kind is `{0}`, expected `transfer` or `swap`")]
    Kind(String),
    /// Text that is no address.
    #[error("`{0}` is no address of 0x and 40 hex digits")]
    Address(String),
    /// No asset.
    #[error("found nothing, expected an asset: a contract's address or a name")]
    NoAsset,
    /// An asset with white space around it.
    #[error("`{0}` starts or ends with white space, expected an asset without")]
    AssetSpace(String),
    /// A name that another name equals but for upper and lower case.
    #[error("the asset `{found}` is `{earlier}` in an earlier line, expected one spelling")]
    AssetCase {
        /// The asset's name in this line.
        found: String,
        /// The asset's name in the earlier line.
        earlier: String,
    },
    /// Text that is no amount.
    #[error("`{0}` is no integer, expected decimal digits alone")]
    Amount(String),
    /// An amount that no contract can hold.
    #[error("found an integer of {found} digits, expected at most {MAX_DIGITS}")]
    Digits {
        /// How many digits it has.
        found: usize,
    },
    /// A pool of one token.
    #[error("found the same token on both sides of a pool")]
    SameToken,
    /// Text that is no time.
    #[error("`{0}` is no time in seconds, expected decimal digits, below 2^40")]
    Time(String),
}

impl Trace {
    /// Reads a CSV trace.
    ///
    /// # Errors
    /// Those of the file, and the first record that is not understood.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        Self::from_bytes(&fs::read(path)?)
    }

    /// Returns the trace of a CSV file's bytes.
    ///
    /// # Errors
    /// The first record that is not understood.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TraceError> {
        let mut records = Records::new(bytes, &COLUMNS, &OPTIONAL)?;
        let mut assets = HashMap::new();
        let mut trace = Self::default();
        while records.advance()? {
            let is_swap = match records.text(0)? {
                "transfer" => false,
                "swap" => true,
                other => {
                    let kind = FieldError::Kind(excerpt(other));
                    return Err(records.refused(0, kind));
                }
            };
            let movement = Movement {
                from: records.field(1, address)?,
                to: records.field(2, address)?,
                asset: records.field(3, |text| asset(text, &mut assets))?,
                amount: records.field(4, amount)?,
                time: records.optional(TIMESTAMP, time)?,
                swap: None,
            };
            if !is_swap {
                trace.movements.push(movement);
                continue;
            }
            let asset = records.optional(ASSET_OUT, |text| asset(text, &mut assets))?;
            let least = records.optional(MIN_OUT, amount)?;
            let (Some(asset), Some(least)) = (asset, least) else {
                trace.swaps_skipped += 1;
                continue;
            };
            let swap = Some(SwapOf { asset, least });
            trace.movements.push(Movement { swap, ..movement });
        }
        Ok(trace)
    }
}

/// The records after the first one, which names the columns.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    /// Those asked for, and then the optional ones that are there.
    columns: Vec<Column>,
    /// The place in `columns` of each optional one.
    optional: Vec<Option<usize>>,
    /// How many columns the first line names.
    width: usize,
    /// Where the current record starts; line breaks may come first.
    start: usize,
    record: ByteRecord,
}

/// A column that is read.
struct Column {
    name: &'static str,
    /// Where it stands in the first line.
    place: usize,
}

impl Column {
    /// The column of this name, `None` if the first line has none.
    fn find(first: &ByteRecord, name: &'static str) -> Result<Option<Self>, TraceError> {
        let mut found = (0..first.len()).filter(|&i| first[i] == *name.as_bytes());
        let place = found.next();
        match found.next() {
            Some(_) => Err(TraceError::ColumnTwice { column: name }),
            None => Ok(place.map(|place| Self { name, place })),
        }
    }
}

impl<'a> Records<'a> {
    /// Reads the first line, which names these columns, and perhaps the optional ones.
    pub fn new(
        bytes: &'a [u8],
        expected: &'static [&'static str],
        optional: &[&'static str],
    ) -> Result<Self, TraceError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        reader.read_byte_record(&mut record)?;
        let mut columns = Vec::new();
        for &column in expected {
            let found = Column::find(&record, column)?;
            columns.push(found.ok_or(TraceError::NoColumn { column, expected })?);
        }
        let mut places = Vec::new();
        for &column in optional {
            let found = Column::find(&record, column)?;
            places.push(found.is_some().then_some(columns.len()));
            columns.extend(found);
        }
        Ok(Self {
            bytes,
            reader,
            columns,
            optional: places,
            width: record.len(),
            start: 0,
            record,
        })
    }

    /// Reads the next record; false at the end.
    pub fn advance(&mut self) -> Result<bool, TraceError> {
        self.start = self.offset();
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(false);
        }
        let line = || self.line();
        if !is_well_quoted(&self.bytes[self.start..self.offset()]) {
            return Err(TraceError::Quotes { line: line() });
        }
        if self.record.len() != self.width {
            return Err(TraceError::Fields {
                line: line(),
                found: self.record.len(),
                expected: self.width,
            });
        }
        Ok(true)
    }

    /// How many bytes were read.
    fn offset(&self) -> usize {
        self.reader.position().byte() as usize
    }

    /// The line in which the current record starts.
    fn line(&self) -> u64 {
        let is_break = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let blank = self.bytes[self.start..].iter().take_while(is_break);
        1 + line_breaks(&self.bytes[..self.start + blank.count()])
    }

    /// A column of the current record.
    pub fn text(&self, column: usize) -> Result<&str, TraceError> {
        let bytes = &self.record[self.columns[column].place];
        str::from_utf8(bytes).map_err(|_| self.refused(column, FieldError::Utf8))
    }

    /// A column of the current record, parsed.
    pub fn field<T>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Result<T, TraceError> {
        parse(self.text(column)?).map_err(|source| self.refused(column, source))
    }

    /// An optional column of the current record, parsed, if it is there.
    pub fn optional<T>(
        &self,
        number: usize,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Result<Option<T>, TraceError> {
        let column = self.optional.get(number).copied().flatten();
        column.map(|column| self.field(column, parse)).transpose()
    }

    pub fn refused(&self, column: usize, source: FieldError) -> TraceError {
        let before = (0..self.columns[column].place).map(|i| line_breaks(&self.record[i]));
        TraceError::Field {
            line: self.line() + before.sum::<u64>(),
            column: self.columns[column].name,
            source,
        }
    }
}

/// Line breaks as editors count them: \n, \r\n, or \r alone.
fn line_breaks(bytes: &[u8]) -> u64 {
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    let pairs = bytes.iter().zip(next);
    let is_break = |&(byte, next): &(&u8, Option<&u8>)| match byte {
        b'\n' => true,
        b'\r' => next != Some(&b'\n'),
        _ => false,
    };
    pairs.filter(is_break).count() as u64
}

/// Whether quotation marks stand around whole fields only, and in pairs within them (RFC 4180):
/// the CSV library would read `"5"0` as 50, and an open field to the end of the file.
fn is_well_quoted(record: &[u8]) -> bool {
    let mut bytes = record.iter().copied().peekable();
    let (mut previous, mut is_quoted) = (b',', false);
    while let Some(byte) = bytes.next() {
        match (byte, is_quoted) {
            (b'"', false) if !matches!(previous, b',' | b'\r' | b'\n') => return false,
            (b'"', false) => is_quoted = true,
            (b'"', true) if bytes.next_if_eq(&b'"').is_none() => {
                if !matches!(bytes.peek(), None | Some(b',' | b'\r' | b'\n')) {
                    return false;
                }
                is_quoted = false;
            }
            _ => {}
        }
        previous = byte;
    }
    !is_quoted
}

/// The digits after 0x or 0X, as bytes, if there are 40 of them.
pub(super) fn time(text: &str) -> Result<u64, FieldError> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    let time = text.parse().ok().filter(|_| is_decimal);
    time.filter(|&time| time < TIME_LIMIT)
        .ok_or_else(|| FieldError::Time(excerpt(text)))
}

fn parse_address(text: &str) -> Option<Address> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    let mut address = [0; 20];
    hex::decode_to_slice(digits, &mut address).ok()?;
    Some(Address(address))
}

pub(super) fn address(text: &str) -> Result<Address, FieldError> {
    parse_address(text).ok_or_else(|| FieldError::Address(excerpt(text)))
}

/// An asset in its one spelling: a contract's address in lower case, or a name as it is
/// written, of which no other spelling may be among the names before.
fn asset(text: &str, names: &mut HashMap<String, String>) -> Result<String, FieldError> {
    if text.trim().is_empty() {
        return Err(FieldError::NoAsset);
    }
    if text.trim() != text {
        return Err(FieldError::AssetSpace(excerpt(text)));
    }
    if text.starts_with("0x") || text.starts_with("0X") {
        return address(text).map(|address| format!("0x{}", hex::encode(address.0)));
    }
    let earlier = names
        .entry(text.to_lowercase())
        .or_insert_with(|| text.into());
    if **earlier != *text {
        return Err(FieldError::AssetCase {
            found: excerpt(text),
            earlier: excerpt(earlier),
        });
    }
    Ok(text.to_owned())
}

pub(super) fn amount(text: &str) -> Result<BigUint, FieldError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FieldError::Amount(excerpt(text)));
    }
    let found = text.trim_start_matches('0').len();
    if found > MAX_DIGITS {
        return Err(FieldError::Digits { found });
    }
    text.parse().map_err(|_| FieldError::Amount(excerpt(text)))
}
