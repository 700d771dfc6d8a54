//! Each rule and each message of each step of every contract, broken alone: the cells are looked
//! for (`system.rs`), so that a contract is covered by being listed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use rayon::prelude::*;
use shardfold_contracts::layout::LIMB_BITS;
use shardfold_contracts::readings::{Bus, Division};
use shardfold_protocol::field::F;

use super::system::{About, System};
use super::*;
use crate::testing::{Cheat, Inventory, RefusedBy, Removal, report};

/// What these cheats are called.
const NAME: &str = "transaction::tests::each";
/// How often a system is tried with one row, and in how many rounds over all rows.
const ATTEMPTS: usize = 12;
const ROUNDS: usize = 20;

/// The tables of all paths, and where each step is a row: table and row.
struct Rows {
    tables: Vec<ChipTrace>,
    of: BTreeMap<usize, Vec<(usize, usize)>>,
}

impl Rows {
    fn new() -> Self {
        let tables = all_paths();
        let mut of: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (table, chip) in tables.iter().enumerate() {
            for number in 0..height(chip) {
                if let Some(step) = number_of(&row(chip, number)) {
                    of.entry(step).or_default().push((table, number));
                }
            }
        }
        Self { tables, of }
    }

    /// Tries all rows of a step, in some rounds.
    fn first_of(
        &self,
        step: usize,
        attempt: impl Fn(&ChipTrace, usize, &mut Random) -> Option<Cheat>,
    ) -> Option<Cheat> {
        let random = &mut Random(step as u64);
        let rows = self.of.get(&step)?;
        let mut rounds = (0..ROUNDS).flat_map(|_| rows);
        rounds.find_map(|&(table, number)| attempt(&self.tables[table], number, random))
    }
}

/// The number in the table of the first constraint of the rules.
fn first_rule(chip: &ChipTrace) -> usize {
    static FIRST: LazyLock<usize> = LazyLock::new(|| {
        let chip = table_of(vec![signed_transfer(to_bob(1, 0, ALICE_NONCE), 0)], 0).chip;
        let rules = contracts()
            .steps()
            .iter()
            .map(|step| step.zeros.len())
            .max();
        Inventory::of(&chip).constraints - rules.unwrap_or_default()
    });
    assert!(chip.chip.name() == "transaction", "it is the table");
    *FIRST
}

fn cheat(chip: ChipTrace, refused_by: RefusedBy) -> Cheat {
    Cheat {
        test: NAME,
        chips: vec![chip],
        refused_by,
    }
}

/// Random, but not zero.
fn something(random: &mut Random) -> F {
    F::from_u64((random.next() >> 1) | 1)
}

/// The one constraint that is violated, if it is one.
fn violated(chip: &ChipTrace) -> Option<usize> {
    let found = report(std::slice::from_ref(chip)).violations;
    let first = found.first()?.constraint;
    found.iter().all(|v| v.constraint == first).then_some(first)
}

/// A table in which this rule alone is broken on this row.
fn one_rule(chip: &ChipTrace, number: usize, rule: usize, random: &mut Random) -> Option<Cheat> {
    let about = About::Rule(number, rule);
    let position = |system: &System| {
        let mut equations = system.equations.iter();
        equations.position(|wanted| wanted.about == about)
    };
    let mut system = System::of(chip);
    let position = position(&system)?;
    system.equations[position].sum = Some(something(random));
    let found = system.solve(&[about], random, ATTEMPTS, |_| true);
    let broken = found.or_else(|| {
        // Whatever it becomes.
        system.equations[position].sum = None;
        let step = step_of(&row(chip, number))?;
        let is_broken = |broken: &ChipTrace| {
            let cells = row(broken, number);
            value(&step.zeros[rule], &cells, &broken.public_values) != F::ZERO
        };
        system.solve(&[about], random, 4 * ATTEMPTS, is_broken)
    })?;
    let expected = first_rule(chip) + rule;
    (violated(&broken) == Some(expected)).then(|| cheat(broken, RefusedBy::Constraints))
}

/// A table in which this element alone that this row is handed is another one.
fn one_handed(chip: &ChipTrace, number: usize, i: usize, random: &mut Random) -> Option<Cheat> {
    let mut system = System::of(chip);
    let about = About::Handed(number, i);
    let mut equations = system.equations.iter_mut();
    equations.find(|wanted| wanted.about == about)?.sum = Some(something(random));
    let broken = system.solve(&[about], random, ATTEMPTS, |_| true)?;
    violated(&broken)?;
    Some(cheat(broken, RefusedBy::Constraints))
}

/// The bus by name, and whether its entries are known whatever the prover does.
fn bus_of(bus: Bus) -> (&'static str, bool) {
    match bus {
        Bus::State => ("state", false),
        Bus::Hash => ("hash", true),
        Bus::Signature => ("signature", false),
        Bus::Fee => ("fee", false),
        Bus::Vault => ("vault", false),
        Bus::MulDiv => ("muldiv", true),
        Bus::Range => ("range", true),
    }
}

/// A table in which of all that is said on its bus this message alone of this row is another one.
fn one_message(
    honest: &ChipTrace,
    number: usize,
    message: usize,
    removal: Removal,
    random: &mut Random,
) -> Option<Cheat> {
    let step = step_of(&row(honest, number))?;
    let (bus, is_table) = bus_of(step.messages[message].bus);
    let refused_by = match is_table {
        true => RefusedBy::Table(bus),
        false => RefusedBy::OtherEnd {
            bus,
            honest: vec![honest.clone()],
        },
    };
    let changed = match step.messages[message].bus {
        Bus::Range => top_limb(honest, number, message, random),
        _ => another_field(honest, number, message, random),
    };
    let mut output = || match step.messages[message].bus {
        Bus::Hash => Some(another_digest(honest, number, message)),
        Bus::MulDiv => another_quotient(honest, number, message, random),
        _ => None,
    };
    let judged = |chip: ChipTrace| {
        let cheat = cheat(chip, refused_by.clone());
        let is_one = !cheat.passes_without(None) && cheat.passes_without(Some(removal));
        is_one.then_some(cheat)
    };
    changed
        .and_then(judged)
        .or_else(|| output().and_then(judged))
}

/// What holds when everything else on the bus of a message is as it was.
fn but_for(honest: &ChipTrace, number: usize, message: usize) -> System {
    let step = step_of(&row(honest, number)).expect("it is a step");
    let bus = step.messages[message].bus;
    let mut system = System::of(honest);
    for other in 0..height(honest) {
        let cells = row(honest, other);
        let messages = step_of(&cells).into_iter().flat_map(|step| &step.messages);
        for (i, said) in messages.enumerate() {
            if said.bus == bus && (other, i) != (number, message) {
                let parts = said.fields.iter().chain([&said.count]);
                parts.for_each(|part| system.keep(other, part));
            }
        }
    }
    system
}

/// Whether no small change of an honest row changes this message alone of all on its bus: at each
/// row that is this step.
pub fn is_determined(step: usize, message: usize) -> bool {
    static ROWS: LazyLock<Rows> = LazyLock::new(Rows::new);
    let said = &contracts().steps()[step].messages[message];
    ROWS.of[&step].iter().all(|&(table, number)| {
        but_for(&ROWS.tables[table], number, message).determines(number, &said.fields)
    })
}

/// Another field, and everything else on the bus as it was.
fn another_field(
    honest: &ChipTrace,
    number: usize,
    message: usize,
    random: &mut Random,
) -> Option<ChipTrace> {
    let this = &step_of(&row(honest, number))?.messages[message];
    let said = |chip: &ChipTrace| {
        let cells = row(chip, number);
        let fields = this.fields.iter();
        let fields = fields.map(|field| value(field, &cells, &chip.public_values));
        fields.collect::<Vec<_>>()
    };
    let before = said(honest);
    let is_other = |chip: &ChipTrace| said(chip) != before;
    let mut system = but_for(honest, number, message);
    system.keep(number, &this.count);
    // Whichever field it is, after some jump of what is frozen.
    if let Some(found) = system.solve(&[About::Other], random, ATTEMPTS, is_other) {
        return Some(found);
    }
    // A small change, so that what must be an integer may stay one.
    let any = something(random);
    let change = random.pick(&[F::ONE, F::NEG_ONE, any]);
    this.fields.iter().find_map(|field| {
        let sum = system.value(number, field) + change;
        system.want(number, field, sum);
        let found = system.solve(&[About::Other], random, ATTEMPTS, |_| true);
        system.equations.pop();
        found
    })
}

/// Another digest, and everything that is hashed of it hashed anew.
fn another_digest(honest: &ChipTrace, number: usize, message: usize) -> ChipTrace {
    let step = step_of(&row(honest, number)).expect("it is one");
    let output = column(&step.messages[message].fields[8]).expect("a digest is cells");
    let mut chip = add(honest, number, output, F::ONE);
    settle(&mut chip, number, &[(number, output)]);
    chip
}

/// Another quotient, and all later divisions of the row of what follows from it.
fn another_quotient(
    honest: &ChipTrace,
    number: usize,
    message: usize,
    random: &mut Random,
) -> Option<ChipTrace> {
    let step = step_of(&row(honest, number))?;
    let mut system = System::of(honest);
    let divisions = step.messages.iter().enumerate();
    let divisions = divisions.filter(|(_, said)| said.bus == Bus::MulDiv);
    for (i, said) in divisions {
        let operands = &said.fields[..3];
        let now: Vec<F> = said
            .fields
            .iter()
            .map(|field| system.value(number, field))
            .collect();
        operands
            .iter()
            .for_each(|operand| system.keep(number, operand));
        let [a, b, d] = [now[0], now[1], now[2]].map(|number| number.as_canonical_u64());
        let is_up = now[4] == F::ONE;
        let (quotient, _) = Division { a, b, d, is_up }.result()?;
        let mut quotient = F::from_u64(quotient);
        if i == message {
            quotient += random.pick(&[F::ONE, F::NEG_ONE, F::from_u64(1_000)]);
        }
        system.want(number, &said.fields[3], quotient);
        if quotient != now[3] {
            system.chip = system.solve(&[About::Other], random, ATTEMPTS, |_| true)?;
        }
    }
    Some(system.chip)
}

/// A top limb that is within a limb's bits, but not within its own.
fn top_limb(
    honest: &ChipTrace,
    number: usize,
    message: usize,
    random: &mut Random,
) -> Option<ChipTrace> {
    let [field] = &step_of(&row(honest, number))?.messages[message].fields[..] else {
        panic!("a range message has one field");
    };
    let scaled = |column: usize| {
        let mut unit = F::zero_vec(layout().width());
        unit[column] = F::ONE;
        value(field, &unit, &honest.public_values)
    };
    let mut columns = layout().limbs_at()..layout().shorts_at();
    let column = columns.find(|&column| scaled(column) != F::ZERO)?;
    let limit = F::from_u64(1 << LIMB_BITS) * scaled(column).inverse();
    let mut system = System::of(&honest.with_cell(number, column, limit));
    system.may_change[system::variable(number, column)] = false;
    system.solve(&[About::Other], random, ATTEMPTS, |_| true)
}

/// What is looked for.
#[derive(Clone, Copy)]
enum Goal {
    Rule(usize, usize),
    Message(MessageOf, Removal),
    Handed(usize, usize),
}

fn goals() -> Vec<Goal> {
    let mut goals = vec![];
    for (number, step) in contracts().steps().iter().enumerate() {
        goals.extend((0..step.zeros.len()).map(|rule| Goal::Rule(number, rule)));
        if !step.step.is_first {
            goals.extend((0..layout().carried).map(|i| Goal::Handed(number, i)));
        }
    }
    goals.extend(branches().into_iter().map(|((number, branch), message)| {
        let removal = Removal::Branch {
            chip: "transaction",
            number,
            branch,
        };
        Goal::Message(message, removal)
    }));
    goals
}

/// What was found for each goal.
fn found() -> &'static [(Goal, Option<Cheat>)] {
    static FOUND: LazyLock<Vec<(Goal, Option<Cheat>)>> = LazyLock::new(|| {
        let rows = Rows::new();
        let found = goals().into_par_iter().map(|goal| {
            let cheat = match goal {
                Goal::Rule(step, rule) => rows.first_of(step, |chip, number, random| {
                    one_rule(chip, number, rule, random)
                }),
                Goal::Handed(step, i) => rows.first_of(step, |chip, number, random| {
                    one_handed(chip, number, i, random)
                }),
                Goal::Message(MessageOf { step, message }, removal) => rows
                    .first_of(step, |chip, number, random| {
                        one_message(chip, number, message, removal, random)
                    }),
            };
            (goal, cheat)
        });
        found.collect()
    });
    &FOUND
}

/// Each rule, each message and each element that is handed on, broken alone, where that can be.
pub fn cheats() -> Vec<Cheat> {
    let found = found().iter();
    found.filter_map(|(_, cheat)| cheat.clone()).collect()
}

#[test]
fn every_step_is_a_row_of_some_path() {
    let rows = Rows::new();
    for (number, step) in contracts().steps().iter().enumerate() {
        let name = contracts().list().nth(step.contract).map(|law| law.name());
        let is_there = rows.of.contains_key(&number);
        assert!(
            is_there,
            "{name:?}, {}: no path of the fixtures",
            step.step.name
        );
    }
}

#[test]
fn most_is_found() {
    for (goal, _) in found().iter().filter(|(_, cheat)| cheat.is_none()) {
        let (step, what) = match *goal {
            Goal::Rule(step, rule) => (step, format!("rule {rule}")),
            Goal::Handed(step, i) => (step, format!("element {i}")),
            Goal::Message(MessageOf { step, message }, _) => {
                let bus = contracts().steps()[step].messages[message].bus;
                (step, format!("message {message} on {bus:?}"))
            }
        };
        let of = &contracts().steps()[step];
        let law = contracts().list().nth(of.contract).expect("it is listed");
        println!(
            "{}, {}: {what} is not broken alone",
            law.name(),
            of.step.name
        );
    }
    let (found, wanted) = (cheats().len(), goals().len());
    println!("{found} of {wanted} rules, messages and elements are broken alone");
    assert!(found * 10 > wanted * 9, "{found} of {wanted}");
}
