//! Statements as they are read: when they happen, and how they should go.

use shardfold_protocol::head::check_time;
use shardfold_protocol::text::excerpt;

use super::error::{Fault, Wrong};
use super::form::{DoForm, Setup, Text, TimeForm};
use super::stage::Statement;
use super::{Expected, Line, numbers, verbs};

/// For how many seconds a signature is valid if its statement does not say.
const VALID: u64 = 3_600;

/// Feeds and markets, which are opened at the time of the first statement, before it.
pub(super) fn openings(setup: &Setup, time: u64) -> Vec<Line> {
    let line = |at, who: &Text, verb, statement| Line {
        number: None,
        at,
        time,
        who: Some(who.clone()),
        valid_until: time.saturating_add(VALID),
        fee: None,
        expect: None,
        verb,
        statement,
    };
    let feeds = setup.feed.iter().map(|form| {
        let (at, form) = (form.span().start, form.get_ref());
        line(
            at,
            &form.of,
            "feed",
            Box::new(form.clone()) as Box<dyn Statement>,
        )
    });
    let markets = setup.market.iter().map(|form| {
        let (at, form) = (form.span().start, form.get_ref());
        line(
            at,
            &form.of,
            "market",
            Box::new(form.clone()) as Box<dyn Statement>,
        )
    });
    feeds.chain(markets).collect()
}

/// Makes a statement of its form; `before` is the time of the one before.
pub(super) fn line(number: usize, form: DoForm<'_>, before: Option<u64>) -> Result<Line, Wrong> {
    let DoForm {
        at,
        common,
        own,
        names,
    } = form;
    let time = time(common.at.as_ref(), before)?;
    let valid_until = match &common.valid {
        None => time.saturating_add(VALID),
        Some(valid) => valid_until(valid, time)?,
    };
    let verb = verbs::verb_of(&names)?;
    Ok(Line {
        number: Some(number),
        at,
        time,
        who: common.who,
        valid_until,
        fee: common.fee,
        expect: common.expect.as_ref().map(Expected::read).transpose()?,
        verb: verb.name,
        statement: (verb.read)(own)?,
    })
}

/// The time that is written, or that of the statement before.
fn time(form: Option<&TimeForm>, before: Option<u64>) -> Result<u64, Wrong> {
    let Some(form) = form else {
        return Ok(before.ok_or(Fault::NoTime)?);
    };
    let found = || Fault::Time {
        found: excerpt(&form.text),
    };
    let later = || {
        let seconds = numbers::duration(form.text.strip_prefix('+')?)?;
        before?.checked_add(seconds)
    };
    let time = form.seconds().or_else(later);
    let time = time.ok_or_else(|| Wrong::from(found()).at(form.at))?;
    // The first time follows the genesis, which has time 0.
    let order = check_time(before.unwrap_or(0), time);
    order.map_err(|error| Wrong::from(Fault::from(error)).at(form.at))?;
    Ok(time)
}

fn valid_until(form: &TimeForm, time: u64) -> Result<u64, Wrong> {
    let after = || {
        let text = form.text.strip_prefix('+').unwrap_or(&form.text);
        Some(time.saturating_add(numbers::duration(text)?))
    };
    form.seconds().or_else(after).ok_or_else(|| {
        let found = excerpt(&form.text);
        Wrong::from(Fault::Duration { found }).at(form.at)
    })
}

impl TimeForm {
    /// The time, if it stands for itself.
    fn seconds(&self) -> Option<u64> {
        if self.is_seconds {
            return self.text.parse().ok();
        }
        numbers::instant(&self.text)
    }
}

impl Expected {
    fn read(text: &Text) -> Result<Self, Wrong> {
        let reason = text.text.strip_prefix("refused:").map(str::trim);
        let reason = match (reason, text.text.as_str()) {
            (Some(reason), _) if !reason.is_empty() => Some(reason.to_owned()),
            (_, "accepted") => None,
            _ => {
                let found = text.shown();
                return Err(text.wrong(Fault::NoExpectation { found }));
            }
        };
        let at = text.at;
        Ok(Self { at, reason })
    }
}
