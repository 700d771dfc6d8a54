//! Each primitive's recorded constraints, over a small field with small limbs: every witness that
//! satisfies them has the outputs that the primitive promises.
//!
//! It is the recorded expressions that are evaluated. Their constants are small integers, or the
//! negatives of such, and powers of two that follow from the widths of the limbs, which the cursor
//! knows; so they mean the same modulo the small prime. The prime leaves as much room above the
//! integers as Goldilocks does: a number of all limbs is below a third of it.

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr, SymbolicVariable};
use p3_field::PrimeField64;
use shardfold_protocol::field::{F, MODULUS};

use super::{Bus, Constrain, Expr};
use crate::layout::{Cursor, Layout, prefix};
use crate::machine::{Machine, Owner, Part, Reason, Use, VaultAccess, VaultUse};

static REASON: Reason = Reason::new("reason", "never said");

const LIMB_BITS: u32 = 3;
const SHORT_BITS: u32 = 2;
/// The most bits of an integer: two limbs, of which one is short.
const BITS: u32 = LIMB_BITS + SHORT_BITS;
const PRIME: u64 = 97;

const LAYOUT: Layout = Layout {
    selectors: 0,
    carried: 0,
    limbs: 8,
    shorts: 4,
    free: 40,
};

/// The column of input `i`.
const fn input_column(i: usize) -> usize {
    prefix::TRANSACTIONS.before()[0] + i
}

fn input(i: usize) -> Expr {
    SymbolicVariable::new(BaseEntry::Main { offset: 0 }, input_column(i)).into()
}

/// A constant modulo the small prime; negatives stay so.
fn constant(value: F, prime: u64) -> u64 {
    let value = value.as_canonical_u64();
    if value > MODULUS / 2 {
        prime - (MODULUS - value) % prime
    } else {
        value % prime
    }
}

/// An expression's value modulo the prime.
fn value(expression: &Expr, cells: &[u64], prime: u64) -> u64 {
    let of = |expression| value(expression, cells, prime);
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => {
            let is_main = matches!(variable.entry, BaseEntry::Main { .. });
            assert!(is_main, "a primitive without public values");
            cells[variable.index]
        }
        SymbolicExpr::Leaf(BaseLeaf::Constant(value)) => constant(*value, prime),
        SymbolicExpr::Leaf(_) => unreachable!("rules know no rows"),
        SymbolicExpr::Neg { x, .. } => (prime - of(x)) % prime,
        SymbolicExpr::Add { x, y, .. } => (of(x) + of(y)) % prime,
        SymbolicExpr::Sub { x, y, .. } => (of(x) + prime - of(y)) % prime,
        SymbolicExpr::Mul { x, y, .. } => of(x) * of(y) % prime,
    }
}

/// A primitive over its inputs.
type Primitive = fn(&mut Constrain, &[Expr]) -> Vec<Expr>;

/// A recorded primitive.
struct Recorded {
    m: Constrain,
    outputs: Vec<Expr>,
    /// The columns that it lays, each with the values that the table's own checks allow.
    cells: Vec<(usize, Vec<u64>)>,
    prime: u64,
}

/// How many witnesses were tried, and how many hold.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    tried: u64,
    held: u64,
}

impl Recorded {
    fn new(primitive: Primitive, inputs: usize, prime: u64) -> Self {
        let cursor = Cursor::with_limbs(LAYOUT, LIMB_BITS, SHORT_BITS);
        let mut m = Constrain::new(cursor);
        let inputs: Vec<_> = (0..inputs).map(input).collect();
        let outputs = primitive(&mut m, &inputs);
        let (limbs, shorts, free) = m.used();
        let is_limb = |value: u64| value % prime < 1 << LIMB_BITS;
        let scale = 1 << (LIMB_BITS - SHORT_BITS);
        let all: Vec<u64> = (0..prime).collect();
        let of_limb: Vec<u64> = all.iter().copied().filter(|&v| is_limb(v)).collect();
        // As `limbs` in the table's `air.rs`: the limb itself and it times what it lacks.
        let of_short: Vec<u64> = of_limb
            .iter()
            .copied()
            .filter(|v| is_limb(v * scale))
            .collect();
        let regions = [
            (LAYOUT.limbs_at(), limbs, of_limb),
            (LAYOUT.shorts_at(), shorts, of_short),
            (LAYOUT.free_at(), free, all),
        ];
        let cells = regions.into_iter().flat_map(|(start, count, values)| {
            (start..start + count).map(move |column| (column, values.clone()))
        });
        Self {
            cells: cells.collect(),
            m,
            outputs,
            prime,
        }
    }

    fn holds(&self, cells: &[u64]) -> bool {
        let of = |expression| value(expression, cells, self.prime);
        let mut ranges = self.m.messages.iter().filter(|said| said.bus == Bus::Range);
        self.m.zeros.iter().all(|zero| of(zero) == 0)
            && ranges.all(|said| of(&said.fields[0]) < 1 << LIMB_BITS)
    }

    /// The outputs of each witness that holds.
    fn solutions(
        &self,
        row: &mut Vec<u64>,
        from: usize,
        count: &mut Count,
        found: &mut Vec<Vec<u64>>,
    ) {
        if let Some((column, values)) = self.cells.get(from) {
            for &value in values {
                row[*column] = value;
                self.solutions(row, from + 1, count, found);
            }
            return;
        }
        count.tried += 1;
        if self.holds(row) {
            count.held += 1;
            let outputs = self.outputs.iter();
            found.push(
                outputs
                    .map(|output| value(output, row, self.prime))
                    .collect(),
            );
        }
    }
}

/// For each of these inputs there is one witness, with these outputs, or none at all.
fn check(
    name: &str,
    primitive: Primitive,
    inputs: &[Vec<u64>],
    expected: impl Fn(&[u64]) -> Option<Vec<u64>>,
) {
    let recorded = Recorded::new(primitive, inputs.len(), PRIME);
    let mut count = Count::default();
    let combinations: usize = inputs.iter().map(Vec::len).product();
    for combination in 0..combinations {
        let mut rest = combination;
        let values: Vec<u64> = inputs
            .iter()
            .map(|values| {
                let value = values[rest % values.len()];
                rest /= values.len();
                value
            })
            .collect();
        let mut row = vec![0; LAYOUT.width()];
        for (i, &value) in values.iter().enumerate() {
            row[input_column(i)] = value;
        }
        let mut found = vec![];
        recorded.solutions(&mut row, 0, &mut count, &mut found);
        let expected: Vec<_> = expected(&values).into_iter().collect();
        assert_eq!(found, expected, "{name} of {values:?}");
    }
    println!(
        "{name}: {combinations} inputs, {} witnesses, {} hold",
        count.tried, count.held
    );
    assert!(count.held > 0);
}

fn any() -> Vec<u64> {
    (0..PRIME).collect()
}

fn below(bits: u32) -> Vec<u64> {
    (0..1 << bits).collect()
}

/// A primitive that may reject is only recorded here.
fn recorded<T>(outcome: crate::Rule<T>) -> T {
    outcome.unwrap_or_else(|_| unreachable!("nothing is rejected while it is recorded"))
}

#[test]
fn a_range_holds_for_what_is_in_range_with_one_witness() {
    // Limbs alone, a short one, one of another width, and all after one another.
    let ranges: [(u32, Primitive); 5] = [
        (1, |m, x| range(m, x, 1)),
        (2, |m, x| range(m, x, 2)),
        (3, |m, x| range(m, x, 3)),
        (4, |m, x| range(m, x, 4)),
        (5, |m, x| range(m, x, 5)),
    ];
    for (bits, primitive) in ranges {
        let name = format!("range of {bits} bits");
        check(&name, primitive, &[any()], |x| {
            (x[0] < 1 << bits).then(Vec::new)
        });
    }
}

fn range(m: &mut Constrain, x: &[Expr], bits: u32) -> Vec<Expr> {
    recorded(m.range(&x[0], bits, &REASON));
    vec![]
}

#[test]
fn an_integer_is_in_range_and_has_one_witness() {
    let integers: [(u32, Primitive); 5] = [
        (1, |m, _| vec![recorded(m.integer(1, &REASON))]),
        (2, |m, _| vec![recorded(m.integer(2, &REASON))]),
        (3, |m, _| vec![recorded(m.integer(3, &REASON))]),
        (4, |m, _| vec![recorded(m.integer(4, &REASON))]),
        (BITS, |m, _| vec![recorded(m.integer(BITS, &REASON))]),
    ];
    for (bits, primitive) in integers {
        let recorded = Recorded::new(primitive, 0, PRIME);
        let (mut count, mut found) = (Count::default(), vec![]);
        let mut row = vec![0; LAYOUT.width()];
        recorded.solutions(&mut row, 0, &mut count, &mut found);
        found.sort();
        let expected: Vec<_> = below(bits).into_iter().map(|value| vec![value]).collect();
        assert_eq!(found, expected);
        println!(
            "integer of {bits} bits: {} witnesses, {} hold",
            count.tried, count.held
        );
    }
}

#[test]
fn equal_nonzero_and_flag_hold_for_what_they_say() {
    let equal: Primitive = |m, x| {
        recorded(m.equal(x[0].clone(), x[1].clone(), &REASON));
        vec![]
    };
    check("equal", equal, &[any(), any()], |x| {
        (x[0] == x[1]).then(Vec::new)
    });
    let nonzero: Primitive = |m, x| {
        recorded(m.nonzero(x[0].clone(), &REASON));
        vec![]
    };
    check("nonzero", nonzero, &[any()], |x| (x[0] != 0).then(Vec::new));
    let flag: Primitive = |m, x| {
        recorded(m.flag(&x[0], &REASON));
        vec![]
    };
    check("flag", flag, &[any()], |x| (x[0] < 2).then(Vec::new));
}

#[test]
fn is_zero_has_one_answer() {
    let is_zero: Primitive = |m, x| vec![m.is_zero(x[0].clone())];
    check("is_zero", is_zero, &[any()], |x| {
        Some(vec![u64::from(x[0] == 0)])
    });
}

#[test]
fn at_least_has_one_answer() {
    let of_all: Primitive = |m, x| vec![m.at_least(&x[0], &x[1], BITS)];
    let of_odd: Primitive = |m, x| vec![m.at_least(&x[0], &x[1], 4)];
    let expected = |x: &[u64]| Some(vec![u64::from(x[0] >= x[1])]);
    check("at_least", of_all, &[below(BITS), below(BITS)], expected);
    check(
        "at_least of 4 bits",
        of_odd,
        &[below(4), below(4)],
        expected,
    );
}

#[test]
fn a_product_has_one_value() {
    let product: Primitive = |m, x| vec![m.product(&x[0], &x[1])];
    let expected = |x: &[u64]| Some(vec![x[0] * x[1] % PRIME]);
    check("product", product, &[any(), any()], expected);
}

/// Of the chain before, the chain after and the count before and after: kept and counted as
/// `is_owed` says. What the chain is if it moves is the hash bus's to say.
#[test]
fn a_withdrawal_is_counted_and_keeps_the_chain_if_there_is_none() {
    const SMALL: u64 = 5;
    let withdrawn: Primitive = |m, x| {
        let owed = core::array::from_fn(|_| Expr::from(F::default()));
        m.withdrawn(&owed, x[0].clone());
        vec![]
    };
    let recorded = Recorded::new(withdrawn, 1, SMALL);
    // The input lies in the chain of transactions, which is none of these columns.
    let (chain, counts) = (prefix::WITHDRAWALS, prefix::WITHDRAWAL_COUNT);
    let mut columns = chain.before().to_vec();
    columns.extend(chain.after());
    columns.extend([counts.before(), counts.after()]);
    let (mut held, mut tried) = (0_u64, 0_u64);
    for is_owed in 0..2 {
        // One element of the chain at a time: each has a constraint of its own.
        for element in 0..4 {
            for values in 0..SMALL.pow(4) {
                let mut row = vec![0; LAYOUT.width()];
                row[input_column(0)] = is_owed;
                let digit = |i: u32| values / SMALL.pow(i) % SMALL;
                let (before, after) = (chain.before()[element], chain.after()[element]);
                (row[before], row[after]) = (digit(0), digit(1));
                (row[counts.before()], row[counts.after()]) = (digit(2), digit(3));
                let is_kept = is_owed == 1 || digit(0) == digit(1);
                let is_counted = (digit(2) + is_owed) % SMALL == digit(3);
                assert_eq!(recorded.holds(&row), is_kept && is_counted);
                tried += 1;
                held += u64::from(is_kept && is_counted);
            }
        }
    }
    println!("withdrawn: {tried} rows, {held} hold");
}

/// An item of the queue is counted once.
#[test]
fn an_item_of_the_queue_is_counted() {
    let queued: Primitive = |m, _| {
        let item = core::array::from_fn(|_| Expr::from(F::default()));
        m.queued(&item);
        vec![]
    };
    let recorded = Recorded::new(queued, 0, PRIME);
    let count = prefix::QUEUE_COUNT;
    for before in 0..PRIME {
        for after in 0..PRIME {
            let mut row = vec![0; LAYOUT.width()];
            (row[count.before()], row[count.after()]) = (before, after);
            assert_eq!(recorded.holds(&row), (before + 1) % PRIME == after);
        }
    }
    println!("queued: {} counts", PRIME * PRIME);
}

/// A fee is an integer of limbs of its own: what is said of it is what the rule gets.
#[test]
fn a_fee_is_what_the_bus_says() {
    let fee: Primitive = |m, x| {
        let (fee, vault) = recorded(m.fee(&x[0]));
        vec![fee, vault]
    };
    let recorded = Recorded::new(fee, 1, PRIME);
    assert!(recorded.m.zeros.is_empty());
    let said = recorded.m.messages.iter().find(|said| said.bus == Bus::Fee);
    let said = said.expect("it is said");
    for value_of_limb in 0..1 << LIMB_BITS {
        let mut row = vec![value_of_limb; LAYOUT.width()];
        row[input_column(0)] = 5;
        let of = |expression| value(expression, &row, PRIME);
        assert_eq!(of(&said.count), of(&recorded.outputs[0]));
        assert_eq!(of(&said.fields[0]), of(&recorded.outputs[1]));
        assert_eq!(of(&said.fields[1]), 5);
    }
}

/// A record's cells are fields of its messages, and its clock is later than that before.
#[test]
fn a_taken_record_is_what_the_bus_says_and_older() {
    let take: Primitive = |m, x| {
        let record = [const { Part::Any }; 8];
        let (taken, found) = recorded(m.take(&x[0], Use::Write, record));
        m.write(taken, found.clone());
        found.to_vec()
    };
    let recorded = Recorded::new(take, 1, PRIME);
    assert!(recorded.m.zeros.is_empty());
    let [received, sent] = &recorded.m.messages[..] else {
        panic!("two messages");
    };
    for (output, field) in recorded.outputs.iter().zip(&received.fields[2..]) {
        assert_eq!(
            crate::testing::column(output),
            crate::testing::column(field)
        );
        assert!(crate::testing::column(output).is_some());
    }
    let (gap, gaps) = &recorded.cells[0];
    let mut clocks = 0;
    for clock in 0..PRIME {
        for &value_of_gap in gaps {
            let mut row = vec![0; LAYOUT.width()];
            row[prefix::CLOCK] = clock;
            row[*gap] = value_of_gap;
            let old = value(&received.fields[1], &row, PRIME);
            assert_eq!(value(&sent.fields[1], &row, PRIME), clock);
            assert_eq!((old + 1 + value_of_gap) % PRIME, clock);
            clocks += 1;
        }
    }
    println!("take: {clocks} clocks and gaps");
}

/// Every cell that a hash lays is the output of a compression whose input is given before it.
#[test]
fn each_digest_is_asked_for() {
    let hash: Primitive = |m, x| {
        m.hash(shardfold_protocol::hash::Domain::Transfer, x)
            .to_vec()
    };
    for elements in 1..12 {
        let recorded = Recorded::new(hash, elements, PRIME);
        let messages = &recorded.m.messages;
        let outputs = messages.iter().flat_map(|message| &message.fields[8..]);
        let outputs: Vec<_> = outputs.map(crate::testing::column).collect();
        let laid: Vec<_> = recorded
            .cells
            .iter()
            .map(|(column, _)| Some(*column))
            .collect();
        assert_eq!(outputs, laid);
        // Nothing that is hashed is left out.
        for i in 0..elements {
            let fields = messages.iter().flat_map(|message| &message.fields[..8]);
            let mut columns = fields.map(crate::testing::column);
            assert!(
                columns.any(|column| column == Some(input_column(i))),
                "element {i}"
            );
        }
    }
}

/// A quotient is a cell, and the table of divisions is asked for it, rounded as the rule says.
#[test]
fn a_quotient_is_what_the_bus_says() {
    let down: Primitive = |m, x| vec![recorded(m.mul_div(&x[0], &x[1], &x[2], false, &REASON))];
    let up: Primitive = |m, x| vec![recorded(m.mul_div(&x[0], &x[1], &x[2], true, &REASON))];
    for (round_up, mul_div) in [(0, down), (1, up)] {
        let recorded = Recorded::new(mul_div, 3, PRIME);
        assert!(recorded.m.zeros.is_empty());
        let [said] = &recorded.m.messages[..] else {
            panic!("one message");
        };
        assert_eq!(said.bus, Bus::MulDiv);
        let (quotient, quotients) = &recorded.cells[0];
        assert_eq!(recorded.cells.len(), 1);
        for &value_of_quotient in quotients {
            let mut row = vec![0; LAYOUT.width()];
            for (i, operand) in [7, 11, 13].into_iter().enumerate() {
                row[input_column(i)] = operand;
            }
            row[*quotient] = value_of_quotient;
            let of = |expression| value(expression, &row, PRIME);
            assert_eq!(of(&recorded.outputs[0]), value_of_quotient);
            let fields: Vec<_> = said.fields.iter().map(of).collect();
            assert_eq!(fields, [7, 11, 13, value_of_quotient, round_up]);
            assert_eq!(of(&said.count), 1);
        }
    }
}

/// A vault with a row of its own is asked for at the transaction's clock, once, and as the rule has
/// it; the owner that the rule gets is the one that is said.
#[test]
fn a_vault_is_what_the_bus_says() {
    fn access(m: &mut Constrain, x: &[Expr], owner: Owner<Expr>, how: VaultUse<Expr>) -> Vec<Expr> {
        let access = VaultAccess {
            index: x[0].clone(),
            asset: x[1].clone(),
            owner,
            delta: x[2].clone(),
            how,
        };
        recorded(m.vault(access, &crate::vaults::PAYER)).to_vec()
    }
    fn owner(x: &[Expr]) -> [Expr; 4] {
        core::array::from_fn(|i| x[4 + i].clone())
    }
    let signs: Primitive = |m, x| access(m, x, Owner::Any, VaultUse::Signs(x[3].clone()));
    let changes: Primitive = |m, x| access(m, x, Owner::Is(owner(x)), VaultUse::Changes);
    let gains: Primitive = |m, x| access(m, x, Owner::Opens(owner(x)), VaultUse::Gains);
    // Whether it signs, at which nonce, and whether it may be opened.
    let all = [
        (signs, [1, 40, 0]),
        (changes, [0, 0, 0]),
        (gains, [0, 0, 1]),
    ];
    for (vault, rest) in all {
        let recorded = Recorded::new(vault, 8, PRIME);
        assert!(recorded.m.zeros.is_empty());
        let [said] = &recorded.m.messages[..] else {
            panic!("one message");
        };
        assert_eq!(said.bus, Bus::Vault);
        let mut row = vec![0; LAYOUT.width()];
        row[prefix::CLOCK] = 5;
        for (i, input) in [10, 20, 30, 40, 51, 52, 53, 54].into_iter().enumerate() {
            row[input_column(i)] = input;
        }
        for (i, (column, _)) in recorded.cells.iter().enumerate() {
            row[*column] = 61 + i as u64;
        }
        let of = |expression| value(expression, &row, PRIME);
        let found: Vec<_> = recorded.outputs.iter().map(of).collect();
        let is_found = !recorded.cells.is_empty();
        let expected = if is_found { 61..65 } else { 51..55 };
        assert_eq!(found, expected.collect::<Vec<_>>());
        let fields: Vec<_> = said.fields.iter().map(of).collect();
        let [is_signed, nonce, may_open] = rest;
        assert_eq!(is_found, is_signed == 1);
        let place = [5, 10, 20];
        let expected = [&place[..], &found, &[30, is_signed, nonce, may_open]];
        assert_eq!(fields, expected.concat());
        assert_eq!(of(&said.count), 1);
    }
}
