//! What each step costs, counted from its recorded constraints: the table of `docs/costs.md`.

use std::fmt::Write as _;

use crate::readings::Bus;
use crate::set::Contracts;

/// Returns the table in Markdown: a line for each step of the list.
#[must_use]
pub fn to_markdown(contracts: &Contracts) -> String {
    let layout = contracts.layout();
    let mut text = String::from(
        "| step | body | constraints | messages | permutations | accesses | limbs | short limbs | free cells |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let names: Vec<_> = contracts.list().map(crate::law::Contract::name).collect();
    for step in contracts.steps() {
        let (limbs, shorts, free) = step.used;
        let name = match step.step.name {
            "only" => names[step.contract].to_owned(),
            other => format!("{}, {other}", names[step.contract]),
        };
        // Writing to text cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {limbs} | {shorts} | {free} |",
            step.words,
            step.zeros.len(),
            step.messages.len(),
            step.permutations(),
            step.accesses,
        );
    }
    let slots = |bus| {
        contracts
            .steps()
            .iter()
            .map(move |step| step.count(bus))
            .max()
    };
    let slots: usize = Bus::ALL.into_iter().filter_map(slots).sum();
    let _ = writeln!(
        text,
        "\nThe table has {} columns: {} of every row, {} selectors, {} carried cells, {} limbs, {} short \
         limbs, {} free cells; and {slots} slots for messages.",
        layout.width(),
        crate::layout::prefix::WIDTH,
        layout.selectors,
        layout.carried,
        layout.limbs,
        layout.shorts,
        layout.free,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::standard;

    /// With `SHARDFOLD_BLESS` the table is written anew.
    #[test]
    fn the_document_has_the_costs_that_are_counted() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");
        let document = std::fs::read_to_string(path).unwrap();
        let (start, end) = ("<!-- counted -->\n", "<!-- end -->");
        let (head, rest) = document.split_once(start).unwrap();
        let (table, tail) = rest.split_once(end).unwrap();
        let counted = to_markdown(standard());
        if std::env::var_os("SHARDFOLD_BLESS").is_some() {
            std::fs::write(path, format!("{head}{start}{counted}{end}{tail}")).unwrap();
            return;
        }
        assert_eq!(table, counted, "SHARDFOLD_BLESS=1 writes it anew");
    }
}
