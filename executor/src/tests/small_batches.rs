//! Random small batches over few vaults, so that everything meets everything: conflicts, hot
//! vaults, fee vaults that spend, deposits out of order, opened vaults, balances near 2^62.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use shardfold_contracts::FeePayment;
use shardfold_contracts::set::standard;
use shardfold_protocol::address::Address;
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{State, StateFile, VaultEntry};

use super::many_batches;
use super::oracle::{self, PAIR};
use crate::outcome::Receipt;
use crate::sequential;
use crate::workload::{ASSET, Body, Builder, CHAIN_ID, Keys};

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(1, 3));

/// A vault that neither sends nor receives, so that it only earns fees; it is nearly full.
const EARNER: Index = 12;
/// A vault that never sends, so that it only gains; it is nearly full.
const NEARLY_FULL: Index = 13;
/// A vault that never sends, so that it only gains, of the other asset.
const ROOMY: Index = 14;

/// Vaults of two assets, poor ones and full ones; indices 8 to 11, 15 and the last are empty.
static STATE: LazyLock<State> = LazyLock::new(|| {
    const OTHER: Asset = ASSET + 1;
    let entry = |index, asset, balance| {
        let owner = KEYS.owner(index as usize);
        VaultEntry {
            index,
            owner,
            asset,
            balance,
            nonce: u64::from(index),
        }
    };
    let vaults = vec![
        entry(0, ASSET, 1_000),
        entry(1, ASSET, AMOUNT_LIMIT - 20),
        entry(2, ASSET, 0),
        entry(3, ASSET, 50),
        entry(4, OTHER, AMOUNT_LIMIT - 1),
        entry(5, OTHER, 100),
        entry(6, ASSET, AMOUNT_LIMIT - 1),
        entry(7, ASSET, 10),
        entry(EARNER, ASSET, AMOUNT_LIMIT - 25),
        entry(NEARLY_FULL, ASSET, AMOUNT_LIMIT - 60),
        entry(ROOMY, OTHER, 3),
        entry(1 << 20, ASSET, 500),
    ];
    State::try_from(&StateFile {
        chain_id: CHAIN_ID,
        head: None,
        records: vec![],
        vaults,
    })
    .unwrap()
});

/// How much is asked for.
#[derive(Clone, Copy, Debug)]
enum Amount {
    Exactly(u64),
    /// What the sender has, less the fee.
    All,
    /// One more than that.
    TooMuch,
}

/// What is wrong with a transaction, apart from its amounts and records.
#[derive(Clone, Copy, Debug)]
enum Twist {
    Nothing,
    Nonce,
    Forged,
    Signer,
    Asset,
    Owner,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    from: Index,
    to: Index,
    amount: Amount,
    fee: FeePayment,
    twist: Twist,
}

/// More often a vault with which something can be done.
fn index() -> impl Strategy<Value = Index> {
    prop_oneof![
        20 => prop::sample::select(&[0, 1, 2, 3, 7][..]),
        10 => 0..12u32,
        1 => Just(1 << 20),
        1 => Just(Index::MAX),
    ]
}

/// Also those that never send: two vaults, and an index that is empty until one is opened.
fn receiver() -> impl Strategy<Value = Index> {
    let never_sends = prop::sample::select(&[NEARLY_FULL, NEARLY_FULL, ROOMY, 15][..]);
    prop_oneof![3 => index(), 1 => never_sends]
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        6 => (0..30u64).prop_map(Amount::Exactly),
        2 => Just(Amount::All),
        1 => Just(Amount::TooMuch),
        1 => (0..3u64).prop_map(|i| Amount::Exactly(AMOUNT_LIMIT - 2 + i)),
    ]
}

fn fee() -> impl Strategy<Value = FeePayment> {
    let amount = prop_oneof![
        8 => Just(0),
        10 => 1..12u64,
        1 => Just(FEE_LIMIT - 1),
        1 => Just(FEE_LIMIT),
    ];
    let vault = prop_oneof![2 => receiver(), 1 => Just(EARNER)];
    (amount, vault).prop_map(|(amount, vault)| FeePayment { amount, vault })
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        30 => Just(Twist::Nothing),
        1 => Just(Twist::Nonce),
        1 => Just(Twist::Forged),
        1 => Just(Twist::Signer),
        1 => Just(Twist::Asset),
        1 => Just(Twist::Owner),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (0..7u8, index(), receiver(), amount(), fee(), twist()).prop_map(
        |(kind, from, to, amount, fee, twist)| Step {
            kind,
            from,
            to,
            amount,
            fee,
            twist,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..20)
}

impl Step {
    fn push(&self, builder: &mut Builder) {
        let balance = builder.vault(self.from).map_or(0, |vault| vault.balance);
        let all = balance.saturating_sub(self.fee.amount);
        let amount = match self.amount {
            Amount::Exactly(amount) => amount,
            Amount::All => all,
            Amount::TooMuch => all + 1,
        };
        let mut body = match self.kind {
            0 => builder.deposit(self.to, amount, self.fee),
            2 => {
                // Half of them by who may ask.
                let asking = builder.owner_number(self.to) + usize::from(amount % 2 == 1);
                builder.exit(self.to, asking)
            }
            1 => builder.withdraw(self.from, amount, self.fee, Address([self.to as u8; 20])),
            _ => builder.transfer(self.from, self.to, amount, self.fee),
        };
        let mut none = 0;
        let (asset, nonce, owner) = match &mut body {
            Body::Transfer(t) => (&mut t.asset, &mut t.nonce, Some(&mut t.to_owner)),
            Body::Deposit(d) => (&mut d.asset, &mut d.position, Some(&mut d.owner)),
            Body::Withdraw(w) => (&mut w.asset, &mut w.nonce, None),
            Body::Exit(e) => (&mut none, &mut e.position, Some(&mut e.owner)),
        };
        match self.twist {
            Twist::Nothing => {}
            Twist::Nonce => *nonce ^= 1,
            Twist::Asset => *asset ^= 1,
            Twist::Owner => owner.into_iter().for_each(|owner| owner.reverse()),
            Twist::Forged => return builder.push_forged(body),
            Twist::Signer => return builder.push_signed_by(body, self.from as usize + 1),
        }
        builder.push(body);
    }
}

fn builder(steps: &[Step]) -> Builder<'static> {
    let mut builder = Builder::new(&KEYS, &STATE);
    for step in steps {
        step.push(&mut builder);
    }
    builder
}

fn batch(steps: &[Step]) -> Batch {
    builder(steps).sign()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn parallel_is_sequential_and_so_are_the_shards(steps in steps()) {
        let batch = batch(&steps);
        let outcome = oracle::execute(&STATE, &batch);
        oracle::cut(&STATE, &batch, &outcome, &[PAIR]);
        oracle::cut(&STATE, &batch, &outcome, &[Shape::SMALL, PAIR, Shape::TINY]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// So long that several threads take part; what they prepare need not be signed.
    #[test]
    fn long_batches_execute_alike(steps in prop::collection::vec(step(), 500..2_000)) {
        many_batches::execute(&STATE, builder(&steps), &many_batches::pool(4));
    }
}

/// The first contracts of the standard list: transfer, deposit, withdraw, exit.
const PAYMENTS: usize = 4;

/// The properties above would say little if their batches were all alike.
#[test]
fn small_batches_meet_every_rule_and_accept_a_quarter() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let (mut accepted, mut total) = (0, 0);
    for _ in 0..150 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let outcome = sequential::execute(standard(), &STATE, &batch(&steps)).unwrap();
        total += outcome.receipts.len();
        accepted += outcome.accepted.len();
        for receipt in &outcome.receipts {
            if let Receipt::Rejected(reject) = receipt {
                seen.insert(reject.reason.name());
            }
        }
    }
    // Those of payments; not what takes a record of another kind, or an asset of more than 32 bits.
    let payments = standard()
        .steps()
        .iter()
        .filter(|step| step.contract < PAYMENTS);
    let reasons = payments.flat_map(|step| &step.reasons);
    let mut expected: BTreeSet<&str> = reasons.map(|reason| reason.name()).collect();
    expected.remove("receiver-kind");
    expected.remove("base-asset");
    expected.extend([
        "twice",
        "fee-vault-missing",
        "fee-vault-asset",
        "fee-vault-balance",
    ]);
    assert_eq!(seen, expected);
    assert!(4 * accepted > total, "{accepted} of {total} accepted");
}
