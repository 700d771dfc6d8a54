//! Cheats as data: what a negative test refuses, to be judged again without one constraint,
//! one message or one field.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::BTreeSet;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::readings::Division;
use shardfold_protocol::curve::{WINDOW_SIZE, elements, fixed_base_table};
use shardfold_protocol::hash::compress_block;

use super::ChipTrace;
use super::airs::{Counterparty, prove_and_verify, report_without};
use super::removal::Removal;
use crate::check::Report;
use shardfold_protocol::field::F;

/// Traces that must be refused, and by what.
#[derive(Clone, Debug)]
pub struct Cheat {
    /// The test that refuses them.
    pub test: &'static str,
    /// The tampered traces with their public values.
    pub chips: Vec<ChipTrace>,
    /// What refuses them.
    pub refused_by: RefusedBy,
}

/// What refuses a cheat while everything else plays along.
#[derive(Clone, Debug)]
pub enum RefusedBy {
    /// A constraint of the chips.
    Constraints,
    /// A bus whose entries are known beforehand, whatever the prover does: `range`, `hash`,
    /// `muldiv` or `fixed_table` (whose points with larger digits no test asks for).
    Table(&'static str),
    /// Any other bus: the chips at its other end say what they say to honest chips.
    OtherEnd {
        /// The bus.
        bus: &'static str,
        /// The honest chips.
        honest: Vec<ChipTrace>,
    },
}

impl Cheat {
    /// The bus that refuses, if it is one.
    pub const fn bus(&self) -> Option<&'static str> {
        match &self.refused_by {
            RefusedBy::Constraints => None,
            RefusedBy::Table(bus) | RefusedBy::OtherEnd { bus, .. } => Some(bus),
        }
    }

    /// How many cells there are to look at.
    pub fn cells(&self) -> usize {
        let honest = match &self.refused_by {
            RefusedBy::OtherEnd { honest, .. } => honest.as_slice(),
            RefusedBy::Constraints | RefusedBy::Table(_) => &[],
        };
        let chips = self.chips.iter().chain(honest);
        chips.map(|chip| chip.trace.values.len()).sum()
    }

    /// The constraints that are violated: chip and number.
    pub fn violated(&self) -> BTreeSet<(String, usize)> {
        let violations = report_without(&self.chips, None).violations.into_iter();
        violations.map(|v| (v.table, v.constraint)).collect()
    }

    /// Whether nothing refuses the cheat any more, as seen by the checker.
    pub fn passes_without(&self, removal: Option<Removal>) -> bool {
        let found = report_without(&self.chips, removal);
        if !found.violations.is_empty() {
            return false;
        }
        match &self.refused_by {
            RefusedBy::Constraints => true,
            RefusedBy::Table(bus) => not_served(bus, &found, removal) == 0,
            RefusedBy::OtherEnd { bus, honest } => {
                nets(&report_without(honest, removal), bus) == nets(&found, bus)
            }
        }
    }

    /// Whether prover and verifier take the cheat, with counterparties on all buses. Caller:
    /// it passes as seen by the checker, so that the counterparties are those that the cheat
    /// would meet.
    pub fn is_proven_without(&self, removal: Removal) -> bool {
        if !self.chips.iter().all(ChipTrace::is_exclusive) {
            // Our prover makes no such proof; another one might.
            return true;
        }
        let found = report_without(&self.chips, Some(removal));
        let counterparties = Counterparty::for_leftovers(&found.leftovers);
        prove_and_verify(&self.chips, &counterparties, Some(removal)).is_ok()
    }
}

/// Each message on a bus that does not balance, with its net multiplicity.
pub fn nets(report: &Report, bus: &str) -> Vec<(Vec<F>, F)> {
    let leftovers = report.leftovers.iter().filter(|left| left.bus == bus);
    leftovers.map(|l| (l.fields.clone(), l.net)).collect()
}

/// How many of the messages left over on a bus no table can serve.
fn not_served(bus: &str, report: &Report, removal: Option<Removal>) -> usize {
    let taken_out = match removal {
        Some(Removal::BusField { bus: of, field }) if of == bus => Some(field),
        _ => None,
    };
    let leftovers = report.leftovers.iter().filter(|left| left.bus == bus);
    let refused = leftovers.filter(|left| !is_served(bus, &left.fields, taken_out));
    refused.count()
}

/// Whether a table has an entry that agrees with `fields` but for the field `taken_out`.
pub fn is_served(bus: &str, fields: &[F], taken_out: Option<usize>) -> bool {
    let agrees = |entry: &[F]| {
        let mut pairs = entry.iter().zip(fields).enumerate();
        entry.len() == fields.len() && pairs.all(|(i, (e, f))| e == f || Some(i) == taken_out)
    };
    match bus {
        "range" => taken_out.is_some() || fields[0].as_canonical_u64() < 1 << 16,
        "hash" => {
            let input: [F; 8] = core::array::from_fn(|i| fields[i]);
            agrees(&[&input[..], &compress_block(&input)].concat())
        }
        "muldiv" => {
            let number = |i: usize| fields[i].as_canonical_u64();
            let division = Division {
                a: number(0),
                b: number(1),
                d: number(2),
                is_up: fields[4] == F::ONE,
            };
            division.result().is_some_and(|(quotient, _)| {
                let quotient = [F::from_u64(quotient)];
                agrees(&[&fields[..3], &quotient, &fields[4..]].concat())
            })
        }
        "fixed_table" => {
            let mut points = fixed_base_table().iter().enumerate();
            points.any(|(i, point)| {
                let window = [F::from_usize(i / WINDOW_SIZE)];
                agrees(&[&window[..], &elements(&point.x), &elements(&point.y)].concat())
            })
        }
        other => unreachable!("the entries of {other} depend on the trace"),
    }
}

thread_local! {
    /// The test whose cheats are gathered on this thread, and those found so far.
    static GATHERED: RefCell<Option<(&'static str, Vec<Cheat>)>> = const { RefCell::new(None) };
}

/// The cheats of a negative test: it is run, but what it calls to see a cheat refused only
/// takes the cheat down.
pub fn cheats_of<T: Fn()>(test: T) -> Vec<Cheat> {
    let path = type_name::<T>();
    let name = path.rsplit_once("chips::").map_or(path, |(_, name)| name);
    GATHERED.set(Some((name, vec![])));
    test();
    let (_, cheats) = GATHERED.take().expect("set above");
    assert!(!cheats.is_empty(), "{name} refuses nothing");
    cheats
}

/// Takes a cheat down if this thread is gathering; says whether it is.
pub fn is_gathered(chips: &[ChipTrace], refused_by: impl FnOnce() -> RefusedBy) -> bool {
    GATHERED.with_borrow_mut(|gathered| match gathered {
        Some((test, cheats)) => {
            cheats.push(Cheat {
                test,
                chips: chips.to_vec(),
                refused_by: refused_by(),
            });
            true
        }
        None => false,
    })
}
