//! The file's form: what may stand in it, and where it stood.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, de};
use shardfold_protocol::text::excerpt;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer as TomlDeserializer, ValueDeserializer};
use toml::value::Datetime;

use super::error::{Fault, Wrong};
use super::numbers::{millionths, units};

/// Text with the place where it stood. A number stands for the text that it is written as, if it is
/// a whole one.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub at: usize,
    pub text: String,
}

/// Amounts by the name of their asset.
pub(super) type Amounts = BTreeMap<String, Text>;

/// All but the statements.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    #[serde(default)]
    pub asset: Vec<Spanned<AssetForm>>,
    #[serde(default)]
    pub person: Vec<Spanned<PersonForm>>,
    #[serde(default)]
    pub pool: Vec<Spanned<PoolForm>>,
    #[serde(default)]
    pub feed: Vec<Spanned<FeedForm>>,
    #[serde(default)]
    pub market: Vec<Spanned<MarketForm>>,
    /// Taken out before; it is here so that a misspelt name is told of it.
    #[serde(default, rename = "do")]
    _statements: Option<IgnoredAny>,
}

/// `[[asset]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetForm {
    pub name: Text,
    pub decimals: u32,
}

/// `[[person]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonForm {
    pub name: Text,
    #[serde(default)]
    pub has: Amounts,
}

/// `[[pool]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolForm {
    pub name: Text,
    pub has: Amounts,
    pub fee: Option<Text>,
    pub of: Text,
}

/// `[[feed]]`: somebody says what an asset is worth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedForm {
    pub name: Text,
    pub of: Text,
    pub asset: Text,
    pub price: Text,
}

/// `[[market]]`: an asset is lent for a collateral.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarketForm {
    pub name: Text,
    pub of: Text,
    pub loan: Text,
    pub collateral: Text,
    pub feed: Text,
    /// Which part of a collateral's worth may be owed.
    pub lltv: Text,
    /// The rate a year while nine tenths are lent, and what is added until all is.
    pub rate: Option<Text>,
    pub steep: Option<Text>,
    /// The part of the interest that goes to `of`.
    pub fee: Option<Text>,
}

/// What every `[[do]]` may say.
#[derive(Debug, Deserialize)]
pub(super) struct Common {
    pub at: Option<TimeForm>,
    pub who: Option<Text>,
    pub valid: Option<TimeForm>,
    pub fee: Option<Text>,
    pub expect: Option<Text>,
}

/// The names of [`Common`].
const COMMON: [&str; 5] = ["at", "who", "valid", "fee", "expect"];

/// One `[[do]]`.
#[derive(Debug)]
pub(super) struct DoForm<'a> {
    /// Where it starts.
    pub at: usize,
    pub common: Common,
    /// What else it says.
    pub own: Spanned<DeValue<'a>>,
    /// The names of that.
    pub names: Vec<String>,
}

/// A time, and where it stood.
#[derive(Clone, Debug)]
pub(super) struct TimeForm {
    pub at: usize,
    /// As it is written.
    pub text: String,
    /// Whether it is a number of seconds.
    pub is_seconds: bool,
}

/// Returns the parts of a file.
///
/// # Errors
/// Text that is no TOML, or a name or a value that does not belong there.
pub(super) fn read(text: &str) -> Result<(Setup, Vec<DoForm<'_>>), Wrong> {
    let mut table = DeTable::parse(text).map_err(toml_error)?;
    let statements = match table.get_mut().remove("do") {
        None => vec![],
        Some(value) => statements(value)?,
    };
    let setup = Setup::deserialize(TomlDeserializer::from(table)).map_err(toml_error)?;
    Ok((setup, statements))
}

fn statements(value: Spanned<DeValue<'_>>) -> Result<Vec<DoForm<'_>>, Wrong> {
    let at = value.span().start;
    let list = match value.into_inner() {
        DeValue::Array(list) => list,
        _ => return Err(Wrong::from(no_list()).at(at)),
    };
    list.into_iter().map(statement).collect()
}

fn no_list() -> Fault {
    Fault::Form(
        "found a `do` that is no list, expected statements that start with [[do]]".to_owned(),
    )
}

fn statement(value: Spanned<DeValue<'_>>) -> Result<DoForm<'_>, Wrong> {
    let span = value.span();
    let at = span.start;
    let mut own = match value.into_inner() {
        DeValue::Table(table) => table,
        _ => return Err(Wrong::from(no_list()).at(at)),
    };
    let mut common = DeTable::new();
    for name in COMMON {
        if let Some((key, value)) = own.remove_entry(name) {
            common.insert(key, value);
        }
    }
    let common = DeValue::Table(common);
    let common = ValueDeserializer::from(Spanned::new(span.clone(), common));
    let names = own.keys().map(|key| key.get_ref().to_string()).collect();
    Ok(DoForm {
        at,
        common: Common::deserialize(common).map_err(toml_error)?,
        own: Spanned::new(span, DeValue::Table(own)),
        names,
    })
}

/// Reads what a statement says besides what all say.
///
/// # Errors
/// A name or a value that does not belong there.
pub(super) fn own<T: de::DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<T, Wrong> {
    T::deserialize(ValueDeserializer::from(value)).map_err(toml_error)
}

fn toml_error(error: toml::de::Error) -> Wrong {
    Wrong {
        at: error.span().map(|span| span.start),
        fault: Fault::Form(error.message().trim().replace('\n', ", ")),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Plain>::deserialize(deserializer)?;
        let at = spanned.span().start;
        let Plain(text) = spanned.into_inner();
        Ok(Self { at, text })
    }
}

/// Text, or a whole number.
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl de::Visitor<'_> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text such as \"1.5\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Plain, E> {
        Ok(Plain(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Plain, E> {
        Ok(Plain(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Plain, E> {
        Err(E::custom(format_args!(
            "found the number {number}, expected text, so that it is exact: write \"{number}\""
        )))
    }
}

impl<'de> Deserialize<'de> for TimeForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<TimeValue>::deserialize(deserializer)?;
        let at = spanned.span().start;
        let (text, is_seconds) = match spanned.into_inner() {
            TimeValue::Seconds(seconds) => (seconds.to_string(), true),
            TimeValue::Text(text) => (text, false),
            TimeValue::Instant(time) => (time.to_string(), false),
        };
        Ok(Self {
            at,
            text,
            is_seconds,
        })
    }
}

/// A time as TOML has it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a time: seconds, 2026-01-01T00:00:00Z, or \"+10m\""
)]
enum TimeValue {
    Seconds(u64),
    Text(String),
    Instant(Datetime),
}

impl Text {
    /// Returns something that is wrong here.
    pub fn wrong(&self, fault: Fault) -> Wrong {
        Wrong::from(fault).at(self.at)
    }

    /// Returns how many shares `all`, `50%` of what is held, or a number are.
    pub fn part_of(&self, held: u64) -> Result<u64, Wrong> {
        let text = self.text.trim();
        if text == "all" {
            return Ok(held);
        }
        if !text.ends_with('%') {
            return units(text, "shares", 0).map_err(|fault| self.wrong(fault));
        }
        let parts = millionths(text, 100).map_err(|fault| self.wrong(fault))?;
        let shares = u128::from(held) * u128::from(parts) / 1_000_000;
        // A part of what is held is no more than that.
        Ok(u64::try_from(shares).unwrap_or(held))
    }

    /// Returns the text, short enough to be shown.
    pub fn shown(&self) -> String {
        excerpt(&self.text)
    }
}
