use std::sync::LazyLock;

use num_bigint::BigUint;
use p3_air::symbolic::{BaseLeaf, SymbolicExpr};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use proptest::prelude::*;
use shardfold_contracts::Contracts;
use shardfold_contracts::readings::{Bus, Division};
use shardfold_contracts::testing::pool::ToySwap;
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_executor::{sequential, shards};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::shape::Shape;

use super::columns::{LIMBS, WIDTH};
use super::{MulDivChip, MulDivColumns, generate};
use crate::chips::Chip;
use crate::chips::fixture::no_cell_is_free;
use crate::chips::transaction::{self, TransactionChip};
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, cost, one_constraint_refuses, report,
    table_refuses,
};
use shardfold_protocol::field::F;

const P: i128 = MODULUS as i128;
/// Numbers with nothing special about them.
const A: i128 = 0x2fed_cba9_8765_4321;
const B: i128 = 0x1357_9bdf_0246_8ace;
const D: i128 = 0x2bcd_ef01_2345_6789;

const fn division(a: u64, b: u64, d: u64, is_up: bool) -> Division {
    Division { a, b, d, is_up }
}

fn trace_of(divisions: &[Division]) -> (ChipTrace, LookupEvents) {
    let mut events = LookupEvents::default();
    let trace = generate(divisions, 2, &mut events).unwrap();
    (ChipTrace::new(Chip::MulDiv(MulDivChip), trace), events)
}

fn honest() -> ChipTrace {
    let [a, b, d] = [A, B, D].map(|number| number as u64);
    let most = AMOUNT_LIMIT - 1;
    let divisions = [
        division(a, b, d, true),
        division(7, 9, 2, false),
        division(a, b, d, true),
        division(most, most, AMOUNT_LIMIT, true),
    ];
    trace_of(&divisions).0
}

/// The limbs of an integer; all that does not fit is in the top limb, negative numbers too.
fn limbs(number: i128) -> [i128; LIMBS] {
    let low = number.rem_euclid(1 << 48);
    let limb = |i: u32| (low >> (16 * i)) & 0xffff;
    [limb(0), limb(1), limb(2), number.div_euclid(1 << 48)]
}

fn element(number: i128) -> F {
    F::from_u64(number.rem_euclid(P) as u64)
}

/// A row as a cheat makes it. What its limbs stand for is exact: the carries follow.
#[derive(Clone, Debug)]
struct Row {
    /// a, b, d, quotient, remainder and lack.
    numbers: [[i128; LIMBS]; 6],
    up: i128,
}

impl Row {
    fn of([a, b, d]: [i128; 3], up: i128, [quotient, remainder]: [i128; 2]) -> Self {
        let lack = d - 1 - remainder;
        let numbers = [a, b, d, quotient, remainder, lack].map(limbs);
        Self { numbers, up }
    }

    /// The honest row.
    fn honest(operands: [i128; 3], up: i128) -> Self {
        let [a, b, d] = operands;
        let dividend = a * b + up * (d - 1);
        Self::of(operands, up, [dividend / d, dividend % d])
    }

    /// Without carries: what is left of each half of the low 64 bits.
    fn halves(&self) -> [i128; 2] {
        let [a, b, d, quotient, remainder, _] = &self.numbers;
        let part = |k: usize| {
            let products = (0..=k).map(|i| a[i] * b[k - i] - quotient[i] * d[k - i]);
            products.sum::<i128>() - remainder[k] + self.up * (d[k] - i128::from(k == 0))
        };
        [part(0) + (part(1) << 16), part(2) + (part(3) << 16)]
    }

    /// The carries of integers; whatever is not carried is lost.
    fn carries(&self) -> [F; 2] {
        let [low, above] = self.halves();
        let carry = low >> 32;
        [carry, (above + carry) >> 32].map(element)
    }

    /// The carries that the equations of the field demand.
    fn field_carries(&self) -> [F; 2] {
        let [low, above] = self.halves().map(element);
        let shift = F::from_u64(1 << 32).inverse();
        let carry = low * shift;
        [carry, (above + carry) * shift]
    }

    fn trace(&self) -> ChipTrace {
        self.with_carries(self.carries().map(split))
    }

    fn with_carries(&self, carries: [[F; 2]; 2]) -> ChipTrace {
        let c = MulDivColumns::of(0..WIDTH);
        let mut trace = trace_of(&[]).0;
        let places = [c.a, c.b, c.d, c.quotient, c.remainder, c.lack];
        for (columns, number) in places.iter().zip(&self.numbers) {
            for (&column, &limb) in columns.iter().zip(number) {
                *trace.cell_mut(0, column) = element(limb);
            }
        }
        for (columns, limbs) in c.carries.iter().zip(carries) {
            for (&column, limb) in columns.iter().zip(limbs) {
                *trace.cell_mut(0, column) = limb;
            }
        }
        *trace.cell_mut(0, c.up) = element(self.up);
        *trace.cell_mut(0, c.multiplicity) = F::ONE;
        trace
    }
}

/// What a carry is with its offset.
fn offset(carry: F) -> F {
    carry + F::from_u64(1 << 31)
}

/// The limbs of a carry: all that does not fit is in the lower one.
fn split(carry: F) -> [F; 2] {
    let value = offset(carry).as_canonical_u64();
    if value >> 32 == 0 {
        [value & 0xffff, value >> 16].map(F::from_u64)
    } else {
        [F::from_u64(value), F::ZERO]
    }
}

/// The limbs of a carry, with all of it in the upper one.
fn upper(carry: F) -> [F; 2] {
    [F::ZERO, offset(carry) * F::from_u32(1 << 16).inverse()]
}

/// All constraints hold, and one range check alone, on one row, refuses.
fn one_range_check_refuses(cheat: ChipTrace) {
    let cheats = [cheat];
    let found = report(&cheats);
    let asked = found.leftovers.iter().filter(|left| {
        let value = left.fields[0].as_canonical_u64();
        left.bus == "range" && value >> 16 != 0
    });
    let asked: usize = asked.map(|left| left.touches.len()).sum();
    assert_eq!(asked, 1, "{found}");
    table_refuses("range", &cheats);
}

// Honest.

#[test]
fn equal_divisions_share_a_row() {
    let c = MulDivColumns::of(0..WIDTH);
    let trace = honest();
    let multiplicities: Vec<F> = trace
        .trace
        .values
        .chunks(WIDTH)
        .map(|row| row[c.multiplicity])
        .collect();
    assert_eq!(multiplicities, [1, 2, 1, 0].map(F::from_u8));
    accepts(&[trace]);
}

#[test]
fn more_divisions_than_rows_are_refused() {
    let divisions: Vec<_> = (1..6).map(|d| division(1, 1, d, false)).collect();
    let mut events = LookupEvents::default();
    assert!(generate(&divisions, 2, &mut events).is_err());
}

#[test]
fn no_cell_of_a_division_is_free() {
    for row in 0..3 {
        no_cell_is_free(&honest(), row);
    }
}

#[test]
fn costs_what_the_design_says() {
    let cost = cost(&Chip::MulDiv(MulDivChip), 13);
    assert_eq!((cost.main, cost.permutation, cost.degree), (30, 18, 3));
}

/// Integers of all sizes, the extreme ones often.
fn integer() -> impl Strategy<Value = u64> {
    let near = |limit: u64| (0..3u64).prop_map(move |below| limit.saturating_sub(below));
    prop_oneof![
        0..4u64,
        near(AMOUNT_LIMIT - 1),
        (1..62u32).prop_flat_map(move |bits| near(1 << bits)),
        (1..62u32).prop_flat_map(|bits| 0..1u64 << bits),
        0..AMOUNT_LIMIT,
    ]
}

/// With a quotient below 2^62, as large integers say.
fn with_quotient() -> impl Strategy<Value = (Division, u64)> {
    let divisor = prop_oneof![integer(), Just(AMOUNT_LIMIT)];
    let operands = (integer(), integer(), divisor, any::<bool>());
    operands.prop_filter_map("a quotient below 2^62", |(a, b, d, is_up)| {
        let [x, y, z] = [a, b, d].map(BigUint::from);
        let rest = BigUint::from(if is_up { d.checked_sub(1)? } else { 0 });
        let quotient = u64::try_from((x * y + rest) / z.clone().max(BigUint::from(1u8))).ok()?;
        let is_possible = d > 0 && quotient < AMOUNT_LIMIT;
        is_possible.then_some((division(a, b, d, is_up), quotient))
    })
}

proptest! {
    #[test]
    fn any_division_holds(cases in prop::collection::vec(with_quotient(), 1..=4)) {
        let divisions: Vec<_> = cases.iter().map(|(division, _)| *division).collect();
        let (trace, mut events) = trace_of(&divisions);
        let found = report(&[trace]);
        prop_assert!(found.violations.is_empty(), "{found}");
        let said = |bus: &'static str| found.leftovers.iter().filter(move |left| left.bus == bus);
        let mut provided: Vec<_> = said("muldiv").map(|left| left.fields.clone()).collect();
        // Whoever looks up asks for each of them.
        let mut asked: Vec<_> = cases
            .iter()
            .map(|(Division { a, b, d, is_up }, quotient)| {
                let numbers = [*a, *b, *d, *quotient, u64::from(*is_up)];
                numbers.map(F::from_u64).to_vec()
            })
            .collect();
        for list in [&mut provided, &mut asked] {
            list.sort_unstable();
            list.dedup();
        }
        prop_assert_eq!(provided, asked);
        // The range checks are those that were noted.
        let mut checked: Vec<u64> = said("range")
            .flat_map(|left| left.touches.iter().map(|_| left.fields[0].as_canonical_u64()))
            .collect();
        checked.sort_unstable();
        events.range.sort_unstable();
        let noted: Vec<u64> = events.range.into_iter().map(u64::from).collect();
        prop_assert_eq!(checked, noted);
    }
}

// The seven cheats of the model, each stopped by one check.

/// The factor of the equations is not that of the message.
#[test]
fn a_factor_written_as_itself_plus_p() {
    let d = 1 << 40;
    one_range_check_refuses(Row::honest([5 + P, 7, d], 0).trace());
    one_range_check_refuses(Row::honest([7, 5 + P, d], 0).trace());
}

#[test]
fn a_quotient_of_63_bits() {
    one_range_check_refuses(Row::honest([(1 << 62) - 1, 3, 2], 0).trace());
}

/// The lack is negative: written as itself plus p.
#[test]
fn a_remainder_above_the_divisor() {
    let (a, b, d) = (1_000_000_000_000_000, 1_000_000_000, (1 << 31) + 11);
    let mut cheat = Row::of([a, b, d], 0, [a * b / d - 1, a * b % d + d]);
    cheat.numbers[5] = limbs(P - 1 - a * b % d);
    one_range_check_refuses(cheat.trace());
}

#[test]
fn a_remainder_of_which_nothing_is_said() {
    let (a, b, d) = (1_000_000_000_000_000, 1_000_000_000, (1 << 31) + 11);
    let mut cheat = Row::of([a, b, d], 0, [a * b / d - 1, a * b % d + d]);
    cheat.numbers[5] = limbs(0);
    one_constraint_refuses(&[cheat.trace()]);
}

/// A row of [`A`], [`B`] and [`D`] in which the two sides differ by so much.
fn apart(difference: i128) -> Row {
    let dividend = A * B - difference;
    Row::of([A, B, D], 0, [dividend / D, dividend % D])
}

#[test]
fn a_division_that_holds_modulo_2_to_the_64_only() {
    one_constraint_refuses(&[apart(1 << 64).trace()]);
}

/// Each half of the low 64 bits is needed.
#[test]
fn a_division_that_holds_in_the_field_only() {
    let lowest = apart(P);
    // The carry that the upper half wants.
    let [_, above] = lowest.halves();
    let carry = i128::from((-above) as i32);
    let carries = [carry, (above + carry) >> 32].map(element);
    one_constraint_refuses(&[lowest.with_carries(carries.map(split))]);
    one_constraint_refuses(&[apart(P << 32).trace()]);
}

/// Each carry could be any element of the field.
#[test]
fn a_division_that_holds_in_the_field_with_free_carries() {
    // So small that only the lower carry is wrong.
    let (a, b, d) = ((1 << 35) + 12_345, (1 << 35) + 6_789, (1 << 30) + 7);
    let dividend = a * b - P;
    let lower = Row::of([a, b, d], 0, [dividend / d, dividend % d]);
    for cheat in [lower, apart(P << 32)] {
        one_range_check_refuses(cheat.with_carries(cheat.field_carries().map(split)));
        let wide = |carry: F| match offset(carry).as_canonical_u64() >> 32 {
            0 => split(carry),
            _ => upper(carry),
        };
        one_range_check_refuses(cheat.with_carries(cheat.field_carries().map(wide)));
    }
}

// Other cheats.

#[test]
fn a_division_by_zero() {
    let mut cheat = Row::of([9, 4, 0], 0, [0, 36]);
    cheat.numbers[5] = limbs(P - 37);
    one_range_check_refuses(cheat.trace());
}

#[test]
fn rounded_up_twice() {
    one_constraint_refuses(&[Row::honest([A, B, D], 2).trace()]);
}

/// The same value, but other products of limbs.
#[test]
fn a_limb_that_borrows_from_the_next() {
    let honest = Row::honest([A, B, D], 1);
    for number in 0..6 {
        for limb in 0..LIMBS - 1 {
            let mut cheat = honest.clone();
            cheat.numbers[number][limb] += 1 << 16;
            cheat.numbers[number][limb + 1] -= 1;
            one_range_check_refuses(cheat.trace());
        }
    }
}

#[test]
fn a_top_limb_that_is_none() {
    let d = 5;
    // Nothing times a negative number is nothing.
    one_range_check_refuses(Row::honest([-(1 << 48), 0, d], 0).trace());
    one_range_check_refuses(Row::honest([0, -(1 << 48), d], 0).trace());
    // A negative divisor, which is a large one in the field; the other top limbs hide it.
    let top = 3 << 14;
    let mut cheat = Row::honest([(top - 3) << 48, 0, 1], 0);
    cheat.numbers[2] = [0, 0, 0, -top];
    cheat.numbers[5] = limbs(P - (top << 48) - 1);
    one_range_check_refuses(cheat.trace());
    // A quotient whose top limb is a quarter.
    let quarter = F::from_u8(4).inverse().as_canonical_u64();
    let c = MulDivColumns::of(0..WIDTH);
    let cheat = Row::honest([1 << 46, 1, 1], 0);
    let row = cheat.with_carries([split(F::ZERO); 2]);
    let row = row.with_cell(0, c.quotient[2], F::ZERO);
    one_range_check_refuses(row.with_cell(0, c.quotient[3], F::from_u64(quarter)));
    // A negative remainder, a negative lack.
    let (a, b, d) = (1_000_000_000_000, 1_000_000_000, (1 << 50) + 12_345);
    for change in [-1, 1] {
        let results = [a * b / d - change, a * b % d + change * d];
        one_range_check_refuses(Row::of([a, b, d], 0, results).trace());
    }
}

// Cheats that the other end of the bus refuses.

/// Each pair has the same quotient and differs in one number.
#[test]
fn a_division_that_was_not_asked_for() {
    let pairs = [
        [division(7, 1, 3, false), division(8, 1, 3, false)],
        [division(1, 7, 3, false), division(1, 8, 3, false)],
        [division(8, 1, 3, false), division(8, 1, 4, false)],
        [division(6, 1, 3, false), division(6, 1, 3, true)],
    ];
    for pair in pairs {
        let [honest, cheat] = pair.map(|division| trace_of(&[division]).0);
        bus_refuses("muldiv", &[honest], &[cheat]);
    }
}

#[test]
fn a_division_that_is_given_out_too_often() {
    let c = MulDivColumns::of(0..WIDTH);
    let cheat = honest().with_cell(0, c.multiplicity, F::from_u8(5));
    bus_refuses("muldiv", &[honest()], &[cheat]);
}

static SWAPS: LazyLock<Contracts> =
    LazyLock::new(|| Contracts::none().with(ToySwap("transfer")).unwrap());

/// The transactions of a shard that divides, and the column of its first quotient.
fn swaps() -> (ChipTrace, usize) {
    let plan = Plan {
        seed: 1,
        pattern: Pattern::Independent,
        vaults: 8,
        transactions: 3,
        keys: 2,
    };
    let Workload { mut state, batch } = plan.build();
    let outcome = sequential::execute(&SWAPS, &state, &batch).unwrap();
    let shapes = [Shape::TINY];
    let witness = shards::cut(&SWAPS, &mut state, &batch, &outcome, &shapes).unwrap();
    let rows = transaction::generate(&SWAPS, &witness[0], 2).unwrap();
    assert!(!rows.divisions.is_empty());
    let statement = witness[0].statement.elements();
    let chip = TransactionChip { contracts: &SWAPS };
    let trace =
        ChipTrace::with_public_values(Chip::Transaction(chip), rows.trace, statement.to_vec());
    let mut said = SWAPS.steps()[0].messages.iter();
    let request = said.find(|message| message.bus == Bus::MulDiv).unwrap();
    let SymbolicExpr::Leaf(BaseLeaf::Variable(quotient)) = &request.fields[3] else {
        panic!("a quotient is a cell");
    };
    (trace, quotient.index)
}

/// The rest of its rule goes on with it.
#[test]
fn a_transaction_with_another_quotient() {
    let (mut cheat, quotient) = swaps();
    *cheat.cell_mut(0, quotient) += F::ONE;
    table_refuses("muldiv", &[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_factor_written_as_itself_plus_p),
        cheats_of(a_quotient_of_63_bits),
        cheats_of(a_remainder_above_the_divisor),
        cheats_of(a_remainder_of_which_nothing_is_said),
        cheats_of(a_division_that_holds_modulo_2_to_the_64_only),
        cheats_of(a_division_that_holds_in_the_field_only),
        cheats_of(a_division_that_holds_in_the_field_with_free_carries),
        cheats_of(a_division_by_zero),
        cheats_of(rounded_up_twice),
        cheats_of(a_limb_that_borrows_from_the_next),
        cheats_of(a_top_limb_that_is_none),
        cheats_of(a_division_that_was_not_asked_for),
        cheats_of(a_division_that_is_given_out_too_often),
        cheats_of(a_transaction_with_another_quotient),
    ]
    .concat()
}
