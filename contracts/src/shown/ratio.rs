//! Ratios as decimal text.

/// Digits of a ratio that are shown.
const DIGITS: usize = 9;

/// Returns a ratio of integers as a decimal number, cut after nine significant digits or where it
/// ends; `None` of one by zero.
#[must_use]
pub fn ratio(numerator: u64, denominator: u64) -> Option<String> {
    let (numerator, denominator) = (u128::from(numerator), u128::from(denominator));
    let whole = numerator.checked_div(denominator)?;
    let mut text = whole.to_string();
    let mut rest = numerator % denominator;
    let mut significant = if whole == 0 { 0 } else { text.len() };
    if rest > 0 && significant < DIGITS {
        text.push('.');
    }
    while rest > 0 && significant < DIGITS {
        let digit = rest * 10 / denominator;
        rest = rest * 10 % denominator;
        significant += usize::from(significant > 0 || digit > 0);
        text.push_str(&digit.to_string());
    }
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').len());
        text.truncate(text.trim_end_matches('.').len());
    }
    Some(text)
}
