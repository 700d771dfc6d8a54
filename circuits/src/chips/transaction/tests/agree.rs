//! Random states and bodies: the executor's reading accepts exactly what table and buses do.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use rayon::prelude::*;
use shardfold_contracts::layout::public;
use shardfold_contracts::nothing;
use shardfold_contracts::readings::{Authority, Context, Effect, Prepared, Run};
use shardfold_contracts::{Reject, Rule};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::{HEAD_ELEMENTS, Head, Statement};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::witness::ShardWitness;

use super::*;
use crate::chips::Chip;
use crate::chips::transaction::TransactionChip;
use crate::chips::transaction::{Body, Table};
use crate::testing::{is_served, report};

mod exchange;
mod lending;
mod payout;

/// Records by index.
type Records = BTreeMap<Index, Record>;

/// One transaction on one state.
#[derive(Clone, Debug)]
struct Case {
    records: Records,
    contract: usize,
    words: Vec<F>,
    authority: Authority,
    queue_count: u64,
}

impl Case {
    /// This transaction on these records.
    fn new(records: Records, play: Play) -> Self {
        Self {
            records,
            contract: play.contract,
            authority: play.authority(),
            words: play.words,
            queue_count: DEPOSITS_BEFORE,
        }
    }
}

/// The fixtures' records.
fn fixture_records() -> Records {
    records().into_iter().collect()
}

/// A valid transaction, more or less.
fn valid(contract: usize, random: &mut Random) -> Case {
    let law = contracts().list().nth(contract);
    match law.expect("it is in the list").name() {
        "create_pool" => exchange::create_pool(random),
        "add_liquidity" => exchange::add_liquidity(random),
        "remove_liquidity" => exchange::remove_liquidity(random),
        "swap_in" => exchange::swap_in(random),
        "swap_out" => exchange::swap_out(random),
        "payout" => payout::payout(random),
        "pay" => payout::pay(random),
        "cancel_payout" => payout::cancel(random),
        "price" => lending::price(random),
        "create_market" => lending::create_market(random),
        "accrue" => lending::accrue(random),
        "collect" => lending::collect(random),
        "supply" => lending::supply(random),
        "redeem" => lending::redeem(random),
        "post" => lending::post(random),
        "take" => lending::take(random),
        "borrow" => lending::borrow(random),
        "repay" => lending::repay(random),
        "liquidate" => lending::liquidate(random),
        name => plain(name, random),
    }
}

/// A transaction of one of the other contracts.
fn plain(name: &str, random: &mut Random) -> Case {
    let mut records = fixture_records();
    let balance = random.pick(&[1_000, 1_000_000, (1 << 62) - 1]);
    if let Some(alices) = records.get_mut(&ALICE) {
        alices.0[2] = F::from_u64(balance);
    }
    let nonce = ALICE_NONCE;
    let fee = random.pick(&[0, 1, 900]);
    let amount = random.below(balance - 900);
    let to = random.pick(&[BOB, VACANT]);
    let play = match name {
        "transfer" => {
            let body = shardfold_contracts::transfer::Transfer {
                to,
                ..to_bob(amount, fee, nonce)
            };
            signed_transfer(body, 0)
        }
        "deposit" => deposited(deposit(to, random.below(1 << 61), fee, DEPOSITS_BEFORE)),
        "withdraw" => signed_withdraw(withdraw(amount, fee, nonce), 0),
        "exit" => {
            // A vault of its owner's, or anything that anybody asks for.
            let owned = [(ALICE, 0), (BOB, 1), (FOREIGN, 1)];
            let any = [ALICE, BOB, VACANT, FOREIGN, POT, SHARES];
            let choices = [random.pick(&owned), (random.pick(&any), random.below(2))];
            let (index, asking) = random.pick(&choices);
            exit(index, asking, DEPOSITS_BEFORE)
        }
        "relay" => {
            let part = match random.below(30) {
                0 => 1 << 61,
                _ => (amount / 3).min((1 << 60) - 1),
            };
            let payments = [(BOB, 1, part), (VACANT, 2, part), (OPERATOR, 2, part)];
            let count = 1 + random.below(3) as usize;
            relay(&payments[..count], fee, nonce)
        }
        "kitchen" if random.below(2) == 0 => order(to, random.below(1 << 30), DEPOSITS_BEFORE),
        "kitchen" => cook(Cook {
            numbers: [
                amount % (1 << 40),
                random.pick(&[amount % (1 << 40), 5, 1 << 39]),
            ],
            factor: random.below(40),
            is_owed: random.below(2) == 1,
            fee,
            nonce,
        }),
        name => panic!("no cases of {name}: a contract that is listed needs a generator here"),
    };
    Case::new(records, play)
}

/// Another value, near it or at a bound.
fn other(found: F, words: &[F], random: &mut Random) -> F {
    let bounds = [
        0,
        1,
        2,
        1 << 14,
        1 << 20,
        1 << 30,
        1 << 32,
        (1 << 32) - 1,
        1 << 40,
        (1 << 46) - 1,
        1 << 46,
        (1 << 62) - 1,
        1 << 62,
        ALICE.into(),
        BOB.into(),
        FOREIGN.into(),
        POT.into(),
        OPERATOR.into(),
        NOW,
    ];
    match random.below(5) {
        0 => found + F::ONE,
        1 => found - F::ONE,
        2 => F::from_u64(random.next()),
        3 => random.pick(words),
        _ => F::from_u64(random.pick(&bounds)),
    }
}

/// The records that a body names, and those after them.
fn named(case: &Case) -> Vec<Index> {
    let indices = case.words.iter().map(|word| word.as_canonical_u64());
    let indices = indices.filter_map(|index| Index::try_from(index).ok());
    let indices = indices.flat_map(|index| [index, index.wrapping_add(1)]);
    indices
        .filter(|index| case.records.contains_key(index))
        .collect()
}

/// Changes a record that the body names, or names another one.
fn disturb_named(case: &mut Case, random: &mut Random) {
    let named = named(case);
    if named.is_empty() {
        return;
    }
    let index = random.pick(&named);
    if random.below(2) == 0 {
        let all: Vec<_> = case.records.keys().copied().collect();
        let (old, new) = (F::from_u32(index), F::from_u32(random.pick(&all)));
        let mut words = case.words.iter_mut();
        if let Some(word) = words.find(|word| **word == old) {
            *word = new;
        }
        return;
    }
    let element = random.pick(&[0, 0, 1, 1, 2, 3, 4, 5, 6, 7]);
    let words = case.words.clone();
    if let Some(record) = case.records.get_mut(&index) {
        record.0[element] = other(record.0[element], &words, random);
    }
}

/// Changes one thing of a case.
fn disturb(case: &mut Case, random: &mut Random) {
    let words = case.words.clone();
    match random.below(12) {
        8.. => disturb_named(case, random),
        0..4 => {
            let at = random.below(words.len() as u64) as usize;
            case.words[at] = other(words[at], &words, random);
        }
        4..6 => {
            let indices: Vec<_> = case.records.keys().copied().collect();
            let index = random.pick(&indices);
            let element = random.below(8) as usize;
            if let Some(record) = case.records.get_mut(&index) {
                record.0[element] = other(record.0[element], &words, random);
            }
        }
        6 => {
            case.authority = match random.below(2) {
                0 => Authority {
                    owner: owner(1),
                    has_signed: true,
                },
                _ => Authority {
                    has_signed: false,
                    ..case.authority
                },
            };
        }
        _ if random.below(2) == 0 => {
            let full = (1 << 62) - 1 - random.below(2) * random.below(1 << 20);
            for record in case.records.values_mut() {
                if record.0[0] == F::ONE {
                    record.0[2] = F::from_u64(full);
                }
            }
        }
        _ => case.queue_count += random.below(2),
    }
}

/// The assets of vaults are integers below 2^62 in every state that is reached: so are a genesis's,
/// a deposit's has 32 bits, and nobody pays what no vault holds. An exit compares them, and relies
/// on it.
fn bound_assets(case: &mut Case) {
    for record in case.records.values_mut() {
        if record.0[0] == F::ONE {
            record.0[1] = F::from_u64(record.0[1].as_canonical_u64() % (1 << 62));
        }
    }
}

fn case(contract: usize, seed: u64) -> Case {
    let random = &mut Random(seed);
    let mut case = valid(contract, random);
    for _ in 0..random.pick(&[0, 0, 1, 1, 2]) {
        disturb(&mut case, random);
    }
    if contract == number("exit") {
        bound_assets(&mut case);
    }
    lending::bound_markets(&mut case);
    case
}

fn context(case: &Case) -> Context {
    Context {
        chain_id: F::from_u64(CHAIN_ID),
        time: NOW,
        queue_count: case.queue_count,
    }
}

/// What the executor's reading makes of it.
fn run(case: &Case) -> Result<Effect, Reject> {
    let plan = contracts().plan(case.contract, &case.words)?;
    let prepared = Prepared {
        digests: [ZERO_DIGEST; 2],
        authority: case.authority,
    };
    let mut effect = Effect::default();
    let read = |index: Index| case.records.get(&index).copied().unwrap_or(Record::EMPTY);
    let context = context(case);
    let mut m = Run::new(&case.words, &context, (&prepared, 0), &read, &mut effect);
    let steps = plan.path.steps();
    let done: Rule<_> = steps.into_iter().try_fold(nothing(), |carried, step| {
        plan.law.run(step, &mut m, carried)
    });
    done.map(|_| effect)
}

fn head_before(case: &Case) -> Head {
    Head {
        queue_count: case.queue_count,
        ..witness().statement.before
    }
}

/// The table of the case, filled whatever the checks say.
fn filled(case: &Case) -> ChipTrace {
    let mut witness = ShardWitness {
        records: case.records.iter().map(|(&i, &r)| (i, r)).collect(),
        ..witness()
    };
    witness.statement.before = head_before(case);
    witness.statement.after.queue_count = case.queue_count;
    let plan = contracts().plan(case.contract, &case.words);
    let rows = plan.expect("changes keep the length").path.len();
    let log_height = rows.next_power_of_two().ilog2() as usize;
    let table = Table::new(contracts(), &witness, log_height);
    let mut table = table.expect("the records are in order");
    table.make_lenient();
    let body = Body {
        contract: case.contract,
        words: &case.words,
        authority: case.authority,
    };
    table.play_body(&body).expect("nothing is checked");
    let trace = table.into_trace();
    let Statement { before, after, .. } = witness.statement;
    witness.statement.after = head_after(&before, after.state_root, &trace);
    let chip = Chip::Transaction(TransactionChip {
        contracts: contracts(),
    });
    let values = witness.statement.elements().to_vec();
    ChipTrace::with_public_values(chip, trace, values)
}

/// What table and buses accept: the records that are written back.
fn proven(case: &Case, chip: &ChipTrace) -> Option<BTreeMap<Index, Record>> {
    let found = report(std::slice::from_ref(chip));
    if !found.violations.is_empty() {
        return None;
    }
    let (mut taken, mut written) = (BTreeSet::new(), BTreeMap::new());
    for left in &found.leftovers {
        let holds = match left.bus.as_str() {
            "range" | "hash" | "muldiv" => is_served(&left.bus, &left.fields, None),
            // Others give the records as they are, and take one of each back.
            "state" => {
                let index = Index::try_from(left.fields[0].as_canonical_u64()).ok()?;
                let record = Record(left.fields[2..].try_into().expect("eight elements"));
                if left.net == F::ONE {
                    written.insert(index, record).is_none() && left.fields[1] == F::ONE
                } else {
                    let before = case.records.get(&index).copied();
                    let is_it = before.unwrap_or(Record::EMPTY) == record;
                    let is_first = left.fields[1] == F::ZERO;
                    taken.insert(index) && left.net == F::NEG_ONE && is_first && is_it
                }
            }
            // That the vault exists is the fee chip's to say, as `check_fee` does.
            "fee" => Index::try_from(left.fields[0].as_canonical_u64()).is_ok(),
            "signature" => case.authority.has_signed && left.fields[..4] == case.authority.owner,
            "node" => true,
            other => panic!("a message on {other}"),
        };
        if !holds {
            return None;
        }
    }
    Some(written)
}

/// Whether a case that was accepted withdraws, or why it was rejected.
fn agree(contract: usize, seed: u64) -> Result<bool, &'static str> {
    let case = case(contract, seed);
    let outcome = run(&case);
    // A body of another length has no rows: changes keep the length.
    let chip = filled(&case);
    let proven = proven(&case, &chip);
    match (&outcome, &proven) {
        (Ok(effect), Some(written)) => {
            // What is only read is written back as it was.
            let mut expected: BTreeMap<Index, Record> = effect
                .taken
                .iter()
                .map(|&index| {
                    (
                        index,
                        case.records.get(&index).copied().unwrap_or(Record::EMPTY),
                    )
                })
                .collect();
            expected.extend(effect.writes.iter().copied());
            assert_eq!(*written, expected, "{contract} {seed}");
            let mut head = head_before(&case);
            head.extend(NOW, &effect.entries);
            let after = chip.public_values[1 + HEAD_ELEMENTS..].to_vec();
            head.state_root = witness().statement.after.state_root;
            assert_eq!(head.elements().to_vec(), after, "{contract} {seed}");
            Ok(effect.entries.withdrawn.is_some())
        }
        (Err(reject), None) => Err(reject.reason.name()),
        _ => panic!("contract {contract} seed {seed}: {outcome:?}, but {proven:?} for {case:?}"),
    }
}

/// Reasons that no case has, by contract: the opening of a market divides constants by what its
/// bounds leave, and puts nothing into a vault whose balance was in bounds before.
const NEVER: [(&str, &str); 2] = [
    ("create_market", "quotient"),
    ("create_market", "receiver-balance"),
];

fn agree_on(cases: u64) {
    assert_eq!(
        F::from_u64(NOW),
        Statement::elements(&witness().statement)[public::NOW]
    );
    let mut wrong = vec![];
    // Those over other tables have tests of their own beside their chips.
    for (contract, law) in contracts().list().enumerate() {
        if ["table_transfer", "toy_swap"].contains(&law.name()) {
            continue;
        }
        let outcomes = (0..cases).into_par_iter().map(|seed| agree(contract, seed));
        let outcomes: Vec<_> = outcomes.collect();
        let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let withdraw = outcomes.iter().filter(|outcome| **outcome == Ok(true));
        let withdraw = withdraw.count();
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in outcomes.into_iter().filter_map(Result::err) {
            *reasons.entry(reason).or_default() += 1;
        }
        println!(
            "{}: {cases} cases, {accepted} accepted, {withdraw} withdraw, {reasons:?}",
            law.name()
        );
        if (accepted as u64 * 10) < cases * 3 {
            wrong.push(format!("{}: {accepted} of {cases}", law.name()));
        }
        if contract == number("exit") {
            // Some pay, some do not.
            let least = withdraw.min(accepted - withdraw);
            assert!(least * 4 >= accepted, "{withdraw} of {accepted} pay");
        }
        let steps = contracts()
            .steps()
            .iter()
            .filter(|step| step.contract == contract);
        let expected = steps
            .flat_map(|step| &step.reasons)
            .map(|reason| reason.name());
        let missing: BTreeSet<_> = expected
            .filter(|name| !reasons.contains_key(name) && !NEVER.contains(&(law.name(), name)))
            .collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: never {missing:?}", law.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn run_accepts_what_table_and_buses_do() {
    agree_on(3_000);
}

#[test]
#[ignore = "minutes: see scripts/long-checks.sh"]
fn run_accepts_what_table_and_buses_do_in_many_cases() {
    agree_on(100_000);
}
