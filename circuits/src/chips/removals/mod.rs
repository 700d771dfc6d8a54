//! Takes everything out that the chips assert and say, one thing at a time, and asks whether
//! a negative test notices. `circuits/src/testing/README.md` says how.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use rayon::prelude::*;

use super::data::DataChip;
use super::transaction::TransactionChip;
use super::transaction::tests::MessageOf;
use super::{
    Chip, data, fee, fixed_base, fixed_table, fixture, muldiv, node, poseidon2, range, record,
    signature, together, transaction, variable_base, variable_table, vault,
};
use crate::check::Report;
use crate::testing::{
    Cheat, ChipTrace, Inventory, MessageKind, Removal, Said, nets, report, report_without,
};

mod implied;
mod table;

use implied::reason;

/// What the negative tests of all chips refuse.
fn all_cheats() -> Vec<Cheat> {
    [
        transaction::tests::cheats(),
        fee::tests::cheats(),
        vault::tests::cheats(),
        muldiv::tests::cheats(),
        signature::tests::cheats(),
        variable_table::tests::cheats(),
        variable_base::tests::cheats(),
        fixed_base::tests::cheats(),
        record::tests::cheats(),
        node::tests::cheats(),
        poseidon2::tests::cheats(),
        fixed_table::tests::cheats(),
        range::tests::cheats(),
        super::vault::tests::cheats(),
        super::muldiv::tests::cheats(),
        data::tests::cheats(),
    ]
    .concat()
}

/// How many fields the messages of each bus have.
type Widths = BTreeMap<&'static str, usize>;

/// The number in the transaction table of the first constraint of its rules: they come last.
fn first_rule() -> usize {
    let contracts = fixture::contracts();
    let chip = Chip::Transaction(TransactionChip { contracts });
    let rules = contracts.steps().iter().map(|step| step.zeros.len()).max();
    Inventory::of(&chip).constraints - rules.unwrap_or_default()
}

/// The chips of a shard with every table, and that of the data.
fn all_chips() -> Vec<Chip> {
    let mut chips = Chip::all(fixture::contracts());
    chips.push(Chip::Data(DataChip));
    chips
}

/// Every removal: those of each chip, then those of each bus.
fn all_removals() -> Vec<Removal> {
    let mut removals = vec![];
    let mut widths = Widths::new();
    for chip in all_chips() {
        let (inventory, chip) = (Inventory::of(&chip), chip.name());
        let constraints = 0..inventory.constraints;
        removals.extend(constraints.map(|number| Removal::Constraint { chip, number }));
        let messages = 0..inventory.messages.len();
        removals.extend(messages.map(|number| Removal::Message { chip, number }));
        for (number, message) in inventory.messages.iter().enumerate() {
            widths.insert(message.bus, message.width());
            removals.extend(within(chip, number, message));
        }
    }
    for (step, recorded) in fixture::contracts().steps().iter().enumerate() {
        let rules = 0..recorded.zeros.len();
        removals.extend(rules.map(|number| Removal::Rule { step, number }));
    }
    removals.extend(
        widths
            .into_iter()
            .flat_map(|(bus, width)| (0..width).map(move |field| Removal::BusField { bus, field })),
    );
    removals
}

/// The fields of a message that are not always zero.
fn used(fields: &[bool]) -> impl Iterator<Item = usize> {
    let fields = fields.iter().enumerate();
    fields
        .filter(|(_, is_zero)| !**is_zero)
        .map(|(field, _)| field)
}

/// What can be taken out of one message.
fn within(chip: &'static str, number: usize, message: &MessageKind) -> Vec<Removal> {
    let branches = match &message.said {
        Said::One(fields) => {
            let removals = used(fields).map(|field| Removal::OneSide {
                chip,
                number,
                field,
            });
            return removals.collect();
        }
        Said::Slot(branches) => branches.iter().enumerate(),
    };
    let of_branch = |(branch, fields): (usize, &Vec<bool>)| {
        let whole = Removal::Branch {
            chip,
            number,
            branch,
        };
        let fields = used(fields).map(|field| Removal::BranchField {
            chip,
            number,
            branch,
            field,
        });
        [whole].into_iter().chain(fields).collect::<Vec<_>>()
    };
    branches.flat_map(of_branch).collect()
}

/// A cheat, and what it takes to look for it.
struct Refused {
    cheat: Cheat,
    /// The constraints of the full chips that it violates: chip and number.
    violated: BTreeSet<(String, usize)>,
    /// The steps of the transaction table of which it has rows.
    steps: BTreeSet<usize>,
}

impl Refused {
    fn new(cheat: Cheat) -> Self {
        let steps = cheat.chips.iter().flat_map(steps_of).collect();
        Self {
            violated: cheat.violated(),
            steps,
            cheat,
        }
    }
}

/// The steps of which a chip has rows, if it is the transaction table.
fn steps_of(chip: &ChipTrace) -> BTreeSet<usize> {
    match chip.chip.name() {
        "transaction" => transaction::tests::steps_in(chip),
        _ => BTreeSet::new(),
    }
}

/// Everything against which removals are held.
struct Tests {
    /// What must be refused.
    cheats: Vec<Refused>,
    /// What must be accepted: all chips of a shard, and tables with rows of each step.
    honest: Vec<Honest>,
    /// What each branch of each slot of the transaction table says.
    branches: BTreeMap<(usize, usize), MessageOf>,
    /// The bus of each message of each chip.
    buses: BTreeMap<&'static str, Vec<&'static str>>,
    /// The constraint of the transaction table that is the first of the rules'.
    rules: usize,
}

/// An honest chip, with what it leaves over and the steps of which it has rows.
struct Honest {
    chip: ChipTrace,
    report: Report,
    steps: BTreeSet<usize>,
}

/// Who notices that something is missing.
#[derive(Clone, Copy)]
enum Noticed<'a> {
    /// A cheat, which passes now.
    By(&'a Cheat),
    /// The honest shard, which does not balance any more.
    ByHonest,
}

impl Tests {
    fn gather() -> Self {
        // Those with few cells first: the first that passes is enough.
        let mut cheats = all_cheats();
        cheats.sort_by_key(Cheat::cells);
        let buses = all_chips().into_iter().map(|chip| {
            let messages = Inventory::of(&chip).messages.into_iter();
            (chip.name(), messages.map(|message| message.bus).collect())
        });
        Self {
            cheats: cheats.into_par_iter().map(Refused::new).collect(),
            honest: together::whole()
                .into_iter()
                .chain(together::kitchen())
                .chain(transaction::tests::all_paths())
                .chain(data::tests::whole())
                .map(|chip| Honest {
                    report: report(slice::from_ref(&chip)),
                    steps: steps_of(&chip),
                    chip,
                })
                .collect(),
            branches: transaction::tests::branches(),
            buses: buses.collect(),
            rules: first_rule(),
        }
    }

    /// The step of the transaction table to which what is taken out belongs, if it does to one.
    fn step_of(&self, removal: Removal) -> Option<usize> {
        match removal {
            Removal::Rule { step, .. } => Some(step),
            Removal::Branch { number, branch, .. }
            | Removal::BranchField { number, branch, .. } => {
                Some(self.branches[&(number, branch)].step)
            }
            _ => None,
        }
    }

    /// Who notices that this was taken out.
    fn noticed(&self, removal: Removal) -> Option<Noticed<'_>> {
        match removal {
            Removal::Constraint { chip, number } => {
                let only = BTreeSet::from([(chip.to_owned(), number)]);
                self.passing(removal, |cheat| cheat.violated == only)
            }
            Removal::Rule { number, .. } => {
                let only = BTreeSet::from([("transaction".to_owned(), self.rules + number)]);
                self.passing(removal, |cheat| cheat.violated == only)
            }
            Removal::Message { chip, number } | Removal::Branch { chip, number, .. } => {
                self.passing_on(chip, number, removal)
            }
            Removal::OneSide { chip, number, .. } | Removal::BranchField { chip, number, .. } => {
                match self.is_seen_by_honest(chip, number, removal) {
                    true => Some(Noticed::ByHonest),
                    false => self.passing_on(chip, number, removal),
                }
            }
            Removal::BusField { bus, .. } => {
                self.passing(removal, |refused| refused.cheat.bus() == Some(bus))
            }
        }
    }

    /// Whether an honest chip says something else on the bus of its message `number` now.
    fn is_seen_by_honest(&self, chip: &'static str, number: usize, removal: Removal) -> bool {
        let (bus, step) = (self.buses[chip][number], self.step_of(removal));
        let mut honest = self.honest.iter().filter(|honest| {
            honest.chip.chip.name() == chip && step.is_none_or(|step| honest.steps.contains(&step))
        });
        honest.any(|honest| {
            let after = report_without(slice::from_ref(&honest.chip), Some(removal));
            nets(&honest.report, bus) != nets(&after, bus)
        })
    }

    /// A cheat with `chip` on the bus of its message `number` that passes now.
    fn passing_on(
        &self,
        chip: &'static str,
        number: usize,
        removal: Removal,
    ) -> Option<Noticed<'_>> {
        let bus = self.buses[chip][number];
        self.passing(removal, |refused| {
            let mut chips = refused.cheat.chips.iter();
            refused.cheat.bus() == Some(bus) && chips.any(|c| c.chip.name() == chip)
        })
    }

    /// The bus of a message, for printing.
    fn bus_of(&self, removal: Removal) -> &'static str {
        match removal {
            Removal::Message { chip, number }
            | Removal::Branch { chip, number, .. }
            | Removal::OneSide { chip, number, .. }
            | Removal::BranchField { chip, number, .. } => self.buses[chip][number],
            Removal::Constraint { .. } | Removal::Rule { .. } | Removal::BusField { .. } => "",
        }
    }

    /// One of the cheats that may pass and does. What belongs to a step is noticed where the step is.
    fn passing(
        &self,
        removal: Removal,
        may_pass: impl Fn(&Refused) -> bool,
    ) -> Option<Noticed<'_>> {
        let step = self.step_of(removal);
        let mut cheats = self.cheats.iter().filter(|refused| {
            step.is_none_or(|step| refused.steps.contains(&step)) && may_pass(refused)
        });
        cheats
            .find(|refused| refused.cheat.passes_without(Some(removal)))
            .map(|refused| Noticed::By(&refused.cheat))
    }
}

/// Takes everything out and returns what noticed it. `confirm` may ask for more.
fn take_out_everything(tests: &Tests, confirm: impl Fn(Removal, &Cheat) + Sync) -> table::Score {
    let removals = all_removals();
    let outcomes: Vec<_> = removals
        .into_par_iter()
        .map(|removal| {
            let noticed = tests.noticed(removal);
            if let Some(Noticed::By(cheat)) = noticed {
                confirm(removal, cheat);
            }
            (removal, noticed.is_some())
        })
        .collect();
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|(removal, noticed)| *noticed == reason(*removal).is_some())
        .map(|(removal, noticed)| match noticed {
            true => format!("{removal:?} is noticed, but listed as implied"),
            false => format!("{removal:?} ({}) is not noticed", tests.bus_of(*removal)),
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    outcomes.into_iter().collect()
}

#[test]
fn the_full_chips_refuse_every_cheat() {
    all_cheats().into_par_iter().for_each(|cheat| {
        assert!(!cheat.passes_without(None), "{}", cheat.test);
    });
}

#[test]
fn every_removal_is_noticed() {
    let score = take_out_everything(&Tests::gather(), |_, _| {});
    table::is_in_the_docs(&score);
}

/// As above, and the real prover and verifier take each cheat that passes.
#[test]
#[ignore = "minutes: see scripts/long-checks.sh"]
fn every_removal_is_noticed_by_the_prover_too() {
    let score = take_out_everything(&Tests::gather(), |removal, cheat| {
        let is_proven = cheat.is_proven_without(removal);
        assert!(is_proven, "{} without {removal:?}", cheat.test);
    });
    table::is_in_the_docs(&score);
    println!("{}", score.to_markdown());
}
