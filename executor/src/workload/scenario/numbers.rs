//! Decimal amounts, exactly; percentages; times and durations.

use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::text::excerpt;

use super::error::Fault;

/// Returns the smallest units of a decimal number of an asset.
///
/// # Errors
/// Text that is no number, a part of a unit, or 2^62 units and more.
pub(super) fn units(text: &str, asset: &str, decimals: u32) -> Result<u64, Fault> {
    let (digits, point) = digits(text).ok_or_else(|| Fault::Number {
        found: excerpt(text),
    })?;
    if point > decimals as usize {
        return Err(Fault::Decimals {
            found: excerpt(text),
            digits: point,
            asset: asset.to_owned(),
            decimals,
        });
    }
    let zeros = u32::try_from(decimals as usize - point).ok();
    let scale = zeros.and_then(|zeros| 10_u64.checked_pow(zeros));
    let units = match digits.parse::<u64>() {
        Ok(0) => Some(0),
        Ok(number) => scale.and_then(|scale| number.checked_mul(scale)),
        Err(_) => None,
    };
    units
        .filter(|&units| units < AMOUNT_LIMIT)
        .ok_or_else(|| Fault::TooLarge {
            found: excerpt(text),
            asset: asset.to_owned(),
            decimals,
        })
}

/// The digits of a decimal number without its point, zeros at its end and underscores, and how many
/// of them are behind the point.
fn digits(text: &str) -> Option<(String, usize)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if text.contains('.') && part.is_empty() {
        return None;
    }
    let well_set = !whole.starts_with('_') && !whole.ends_with('_') && !whole.contains("__");
    let whole = whole.replace('_', "");
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !well_set || whole.is_empty() || !are_digits(&whole) || !are_digits(part) {
        return None;
    }
    let part = part.trim_end_matches('0');
    Some((format!("{whole}{part}"), part.len()))
}

/// Returns so many units of an asset as a decimal number.
#[must_use]
pub fn decimal(units: u64, decimals: u32) -> String {
    let digits = decimals as usize;
    let text = format!("{units:0>width$}", width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

/// Returns the millionths of a percentage of at most so many percent.
///
/// # Errors
/// Text that is none, or has more than four decimals.
pub(super) fn millionths(text: &str, most: u32) -> Result<u64, Fault> {
    let percent = text.strip_suffix('%').map(str::trim_end);
    let parts = percent.and_then(|percent| units(percent, "", 4).ok());
    let most_parts = u64::from(most) * 10_000;
    parts
        .filter(|&parts| parts <= most_parts)
        .ok_or_else(|| Fault::Percent {
            found: excerpt(text),
            most,
        })
}

/// Returns the seconds of a duration such as `10m`.
pub(super) fn duration(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?.min(last(text)));
    let scale = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| number.parse().ok()).flatten()?;
    number.checked_mul(scale)
}

/// Where the last character of a text starts.
fn last(text: &str) -> usize {
    text.char_indices().last().map_or(0, |(at, _)| at)
}

/// Returns the seconds since 1970 of a time such as `2026-01-01T00:00:00Z`.
pub(super) fn instant(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(time, ':', [2, 2, 2])?;
    let days = days_before_year(year)? + days_before_month(year, month)?;
    let is_there = day >= 1 && day <= days_of(year, month)?;
    if !is_there || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((days + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Three numbers of so many digits.
fn parts(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let are_digits = part.bytes().all(|byte| byte.is_ascii_digit());
        *number = are_digits.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(numbers)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The days from 1970 to a year.
fn days_before_year(year: u64) -> Option<u64> {
    let years = 1970..year;
    (year >= 1970).then(|| years.map(|year| 365 + u64::from(is_leap(year))).sum())
}

fn days_of(year: u64, month: u64) -> Option<u64> {
    match month {
        2 => Some(28 + u64::from(is_leap(year))),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

fn days_before_month(year: u64, month: u64) -> Option<u64> {
    (1..month).map(|month| days_of(year, month)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, decimals, expected) in [
            ("0", 18, 0),
            ("1", 0, 1),
            ("1.5", 6, 1_500_000),
            ("0.000001", 6, 1),
            ("1.500", 1, 15),
            ("20_000.25", 2, 2_000_025),
            ("4611686018427387903", 0, AMOUNT_LIMIT - 1),
            ("4.611686018427387903", 18, AMOUNT_LIMIT - 1),
            ("00012", 0, 12),
            ("0.0", 0, 0),
        ] {
            let found = units(text, "X", decimals);
            assert_eq!(found, Ok(expected), "{text}");
        }
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "_1", "1_", "1__0", "1.5.2", "1._5",
            "0x1", "１",
        ] {
            let found = units(text, "X", 6);
            assert!(
                matches!(found, Err(Fault::Number { .. })),
                "{text}: {found:?}"
            );
        }
        let found = units("0.0000001", "USDC", 6).unwrap_err().to_string();
        assert_eq!(
            found,
            "found `0.0000001`, which has 7 decimals, expected at most 6 for USDC"
        );
        for (text, decimals) in [
            ("4611686018427387904", 0),
            ("5", 18),
            ("1", 19),
            ("1", 4_000_000_000),
        ] {
            let found = units(text, "X", decimals);
            assert!(
                matches!(found, Err(Fault::TooLarge { .. })),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn units_are_written_as_they_are_read() {
        for (number, decimals, expected) in [
            (0, 6, "0"),
            (1, 6, "0.000001"),
            (1_500_000, 6, "1.5"),
            (12, 0, "12"),
            (AMOUNT_LIMIT - 1, 18, "4.611686018427387903"),
        ] {
            assert_eq!(decimal(number, decimals), expected);
            assert_eq!(units(expected, "X", decimals), Ok(number));
        }
    }

    #[test]
    fn percentages_are_millionths() {
        assert_eq!(millionths("0.3%", 10), Ok(3_000));
        assert_eq!(millionths("10 %", 10), Ok(100_000));
        assert_eq!(millionths("0.0001%", 10), Ok(1));
        for text in ["0.3", "%", "10.0001%", "0.00001%", "-1%", "a%"] {
            millionths(text, 10).unwrap_err();
        }
    }

    #[test]
    fn times_are_seconds() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2100-03-01 00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        for text in [
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T00:00:00.5Z",
            "2026-1-1T0:0:0Z",
            "Z",
            "",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, expected) in [("90s", 90), ("10m", 600), ("1h", 3_600), ("2d", 172_800)] {
            assert_eq!(duration(text), Some(expected));
        }
        for text in [
            "",
            "s",
            "1",
            "1w",
            "-1s",
            "1.5h",
            "1é",
            "999999999999999999999d",
            "18446744073709551615d",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
