//! The score as a table, and in `docs/security.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::all_chips;
use crate::testing::Removal;

/// What was taken out of one chip or bus.
#[derive(Clone, Copy, Default)]
struct Line {
    constraints: usize,
    messages: usize,
    fields: usize,
    noticed: usize,
}

impl Line {
    const fn taken_out(&self) -> usize {
        self.constraints + self.messages + self.fields
    }

    const fn implied(&self) -> usize {
        self.taken_out() - self.noticed
    }
}

/// What was taken out and whether it was noticed.
#[derive(Default)]
pub struct Score {
    chips: BTreeMap<&'static str, Line>,
    buses: BTreeMap<&'static str, Line>,
}

impl FromIterator<(Removal, bool)> for Score {
    fn from_iter<I: IntoIterator<Item = (Removal, bool)>>(outcomes: I) -> Self {
        let mut score = Self::default();
        for (removal, noticed) in outcomes {
            let line = match removal {
                Removal::Constraint { chip, .. }
                | Removal::Message { chip, .. }
                | Removal::OneSide { chip, .. }
                | Removal::Branch { chip, .. }
                | Removal::BranchField { chip, .. } => score.chips.entry(chip).or_default(),
                Removal::Rule { .. } => score.chips.entry("transaction").or_default(),
                Removal::BusField { bus, .. } => score.buses.entry(bus).or_default(),
            };
            match removal {
                Removal::Constraint { .. } | Removal::Rule { .. } => line.constraints += 1,
                Removal::Message { .. } | Removal::Branch { .. } => line.messages += 1,
                Removal::OneSide { .. }
                | Removal::BranchField { .. }
                | Removal::BusField { .. } => line.fields += 1,
            }
            line.noticed += usize::from(noticed);
        }
        score
    }
}

impl Score {
    /// Returns two tables: by chip, then by bus.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from(
            "| chip | constraints | messages | fields of one message | noticed | implied |\n\
             | --- | --- | --- | --- | --- | --- |\n",
        );
        let names = all_chips().into_iter().map(|chip| chip.name());
        let lines: Vec<_> = names
            .filter_map(|name| Some((name, *self.chips.get(name)?)))
            .collect();
        let all = lines.iter().fold(Line::default(), |sum, (_, line)| Line {
            constraints: sum.constraints + line.constraints,
            messages: sum.messages + line.messages,
            fields: sum.fields + line.fields,
            noticed: sum.noticed + line.noticed,
        });
        for (name, line) in lines.into_iter().chain([("all", all)]) {
            let Line {
                constraints,
                messages,
                fields,
                noticed,
            } = line;
            let implied = line.implied();
            writeln!(
                text,
                "| {name} | {constraints} | {messages} | {fields} | {noticed} | {implied} |"
            )
            .expect("a string takes all");
        }
        text +=
            "\n| bus | fields, on both sides | noticed | implied |\n| --- | --- | --- | --- |\n";
        for (name, line) in &self.buses {
            let (fields, noticed, implied) = (line.fields, line.noticed, line.implied());
            writeln!(text, "| {name} | {fields} | {noticed} | {implied} |")
                .expect("a string takes all");
        }
        text
    }
}

/// The score stands in the docs. With `SHARDFOLD_BLESS` it is written there.
pub fn is_in_the_docs(score: &Score) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
    let docs = std::fs::read_to_string(path).expect("docs/security.md is there");
    let expected = score.to_markdown();
    let (begin, end) = ("<!-- removals -->\n", "<!-- /removals -->");
    let parts = docs.split_once(begin).and_then(|(before, rest)| {
        let (found, after) = rest.split_once(end)?;
        Some((before, found, after))
    });
    let (before, found, after) = parts.expect("docs/security.md has a place for it");
    if std::env::var_os("SHARDFOLD_BLESS").is_some() {
        // As it was, but for the tables.
        let lead = found.len() - found.trim_start().len();
        let trail = found.trim_end().len();
        let (lead, trail) = (&found[..lead], &found[trail..]);
        let new = [before, begin, lead, expected.trim(), trail, end, after].concat();
        std::fs::write(path, new).expect("docs/security.md can be written");
        return;
    }
    let is_there = found.trim() == expected.trim();
    assert!(
        is_there,
        "SHARDFOLD_BLESS=1 writes docs/security.md anew:\n{expected}"
    );
}
