//! Which calls are made, and in which order.

use alloy_primitives::U256;
use p3_field::PrimeCharacteristicRing as _;
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::{
    KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, KIND_TERMS, Record, SHARES, Vault,
};
use shardfold_protocol::state::StateFile;

use super::*;
use crate::encoding::word;
use crate::interface::IRollup::{claimCall, reclaimCall};
use crate::published::Data;
use crate::queue::{Item, Queued, chain};
use crate::withdrawals::Withdrawal;

const CHAIN: u64 = 7;
const BASE: u32 = 3;
const KEY: [u64; 5] = [1, 2, 3, 4, 5];
const TO: Address = Address::repeat_byte(1);

fn me() -> Digest {
    owner(CHAIN, KEY, TO).expect("it is a key")
}

fn record(elements: [u64; 4], owner: Digest) -> Record {
    let [a, b, c, d] = elements.map(F::from_u64);
    let [e, f, g, h] = owner;
    Record([a, b, c, d, e, f, g, h])
}

fn vault(asset: Asset, balance: u64) -> Record {
    Record::from(Vault {
        owner: me(),
        asset,
        balance,
        nonce: 0,
    })
}

fn state(records: Vec<(Index, Record)>) -> State {
    let mut file = StateFile {
        chain_id: CHAIN,
        head: None,
        vaults: vec![],
        records: vec![],
    };
    for (index, record) in records {
        file.push(index, record);
    }
    State::try_from(&file).expect("it is a state")
}

fn pool(a: Asset, b: Asset) -> Record {
    let rest = [100, 2_000, 0, 0].map(F::from_u64);
    record([KIND_POOL, a, b, 100], rest)
}

fn market(loan: Asset) -> Record {
    let rest = [0, 0, loan, 0].map(F::from_u64);
    record([KIND_MARKET, 100, 100, 50], rest)
}

fn terms(collateral: Asset) -> Record {
    let rest = [1_000_000, 1, 0, 0].map(F::from_u64);
    record([KIND_TERMS, collateral, 1, 1], rest)
}

fn leave(state: &State, batches: &[Published], events: &Events) -> Exit {
    try_leave(state, batches, events).expect("it is a key")
}

fn try_leave(state: &State, batches: &[Published], events: &Events) -> Result<Exit, LeavingError> {
    let items: Vec<_> = events.items.values().copied().collect();
    let place = Place {
        ledger: CHAIN,
        base_chain: BASE,
    };
    let known = Known {
        state,
        batches,
        events,
        queue_commitment: word(&chain(state.head().queue_commitment, &items, place)),
        base_chain: BASE,
    };
    exit(&known, KEY, TO)
}

fn names(exit: &Exit) -> Vec<(&'static str, u64)> {
    exit.calls.iter().map(|call| call.step.name()).collect()
}

#[test]
fn shares_are_given_back_before_those_that_they_are_exchanged_for() {
    let rest = [2, 0, 0, 1].map(F::from_u64);
    // Shares of the pool 30, which has shares of the market 20, which lends asset 6; and a payout of
    // asset 9 by a vault of asset 8.
    let rest = Record([
        F::from_u64(KIND_PAYOUT),
        F::from_u64(9),
        F::from_u64(70),
        rest[0],
        F::ZERO,
        F::ZERO,
        F::ZERO,
        rest[3],
    ]);
    let state = state(vec![
        (1, vault(SHARES + 30, 50)),
        (2, vault(8, 50)),
        (20, market(6)),
        (30, pool(5, SHARES + 20)),
        (40, rest),
    ]);
    let exit = leave(&state, &[], &Events::default());
    let expected = [
        ("escape", 1),
        ("escape", 2),
        ("open", 2),
        ("open", 20),
        ("open", 30),
        ("open", 40),
        ("refundPayout", 40),
        ("redeem", SHARES + 30),
        ("redeem", SHARES + 20),
        ("payDue", 5),
        ("payDue", 6),
        ("payDue", 9),
    ];
    assert_eq!(names(&exit), expected);
    assert_eq!(exit.stuck, []);
}

/// A pool of shares of a pool of shares, and so on: as deep as somebody likes.
#[test]
fn shares_of_shares_may_go_as_deep_as_they_like() {
    const DEPTH: Index = 20_000;
    let mut records: Vec<_> = (1..DEPTH)
        .map(|i| (i, pool(5, SHARES + u64::from(i) + 1)))
        .collect();
    records.push((DEPTH, pool(5, 6)));
    // Shares of a pool and of one inside it, which are given back after those.
    records.push((DEPTH + 1, vault(SHARES + 1, 50)));
    records.push((DEPTH + 2, vault(SHARES + 9, 50)));
    let exit = leave(&state(records), &[], &Events::default());
    let redeemed = names(&exit)
        .into_iter()
        .filter(|(name, _)| *name == "redeem");
    let redeemed: Vec<_> = redeemed.map(|(_, asset)| asset - SHARES).collect();
    assert_eq!(redeemed, (1..=u64::from(DEPTH)).collect::<Vec<_>>());
}

#[test]
fn what_holds_nothing_has_no_call() {
    let empty_payout = record([KIND_PAYOUT, 9, 0, 1], [F::ZERO; 4]);
    let state = state(vec![
        (1, vault(8, 0)),
        (20, market(6)),
        (21, terms(5)),
        // Nothing is owed and nothing is there; then only a debt.
        (30, record([KIND_POSITION, 20, 0, 0], me())),
        (31, record([KIND_POSITION, 20, 0, 4], me())),
        (40, empty_payout),
    ]);
    assert_eq!(leave(&state, &[], &Events::default()), Exit::default());
}

#[test]
fn what_the_contract_keeps_is_named() {
    let strange = record([1_000, 1, 1, 1], [F::ZERO; 4]);
    let state = state(vec![
        (1, vault(SHARES + 50, 7)),
        (2, vault(SHARES + 60, 7)),
        (20, market(SHARES + 60)),
        (21, terms(5)),
        (30, record([KIND_POSITION, 20, 9, 4], me())),
        // Nothing is owed: it leaves.
        (31, record([KIND_POSITION, 20, 9, 0], me())),
        (50, strange),
        // Half of it is of that kind.
        (60, pool(5, SHARES + 50)),
    ]);
    let exit = leave(&state, &[], &Events::default());
    let expected = [
        ("escape", 2),
        ("open", 20),
        ("open", 21),
        ("open", 31),
        ("open", 60),
        ("repay", 31),
        ("redeem", SHARES + 60),
        ("payDue", 5),
    ];
    assert_eq!(names(&exit), expected);
    let shares = Stuck::Shares { asset: SHARES + 50 };
    assert_eq!(exit.stuck, [Stuck::Collateral { index: 30 }, shares]);
}

#[test]
fn what_has_left_does_not_leave_again() {
    let state = state(vec![
        (1, vault(8, 50)),
        (2, vault(SHARES + 60, 7)),
        (20, market(6)),
        (21, terms(5)),
        (30, record([KIND_POSITION, 20, 9, 4], me())),
        (60, pool(5, 6)),
    ]);
    let mut events = Events::default();
    events.left.extend([1, 2, 30]);
    // What they were for may still be due.
    let expected = [
        ("open", 60),
        ("redeem", SHARES + 60),
        ("payDue", 5),
        ("payDue", 6),
    ];
    let exit = leave(&state, &[], &events);
    assert_eq!(names(&exit), expected);
    let gone = [1, 2, 30].map(|index| Gone::Record { index });
    assert_eq!(exit.gone, gone);
}

fn withdrawal(base_chain: u32, to: Address, amount: u64) -> Withdrawal {
    Withdrawal {
        base_chain: F::from_u32(base_chain),
        address: ExitAddress(to.into_array()).elements(),
        asset: F::from_u64(8),
        amount: F::from_u64(amount),
    }
}

#[test]
fn withdrawals_to_the_address_are_claimed_once() {
    let state = state(vec![]);
    let batch = |batch, withdrawals: Vec<Withdrawal>, count| Published {
        batch,
        head: Head {
            withdrawal_count: count,
            ..*state.head()
        },
        withdrawals,
        data: Data::Calldata(Bytes::new()),
    };
    let batches = [
        batch(0, vec![withdrawal(BASE, TO, 5)], 1),
        batch(1, vec![], 1),
        batch(
            2,
            vec![
                withdrawal(BASE, Address::ZERO, 6),
                withdrawal(BASE + 1, TO, 7),
                withdrawal(BASE, TO, 8),
            ],
            4,
        ),
    ];
    let exit = leave(&state, &batches, &Events::default());
    assert_eq!(names(&exit), [("claim", 0), ("claim", 3)]);
    let call = claimCall::abi_decode(&exit.calls[1].data).expect("it is a claim");
    assert_eq!((call.batch, call.number), (U256::from(2), 3));
    assert_eq!(call.entry.as_ref(), withdrawal(BASE, TO, 8).entry());
    // It has no neighbour in its own level.
    assert_eq!(call.path.len(), 1);
    let mut events = Events::default();
    events.claimed.insert(0);
    let exit = leave(&state, &batches, &events);
    assert_eq!(names(&exit), [("claim", 3)]);
    assert_eq!(exit.gone, [Gone::Withdrawal { number: 0 }]);
}

fn deposit(position: u64, owner: Digest) -> Queued {
    let item = Item::Deposit {
        asset: 8,
        amount: 100 + position,
        fee: 2,
        owner,
    };
    Queued { position, item }
}

#[test]
fn deposits_that_wait_are_reclaimed_up_to_the_next_end_that_is_known() {
    let state = state(vec![]);
    let items = [me(), [F::ONE; 4], me(), me(), [F::ONE; 4]];
    let items: Vec<_> = (0..)
        .zip(items)
        .map(|(i, owner)| deposit(i, owner))
        .collect();
    let mut events = Events {
        items: items.iter().map(|item| (item.position, *item)).collect(),
        // The last one is of more items than there are.
        checkpoints: [(4, 3), (5, 2), (6, 1_000_000)].into(),
        reclaimed: [3].into(),
        ..Events::default()
    };
    let exit = leave(&state, &[], &events);
    assert_eq!(names(&exit), [("reclaim", 0), ("reclaim", 2)]);
    assert_eq!(exit.gone, [Gone::Deposit { position: 3 }]);
    let calls = exit
        .calls
        .iter()
        .map(|call| reclaimCall::abi_decode(&call.data));
    let calls: Vec<_> = calls.map(|call| call.expect("it is a reclaim")).collect();
    let place = Place {
        ledger: CHAIN,
        base_chain: BASE,
    };
    let before = chain(state.head().queue_commitment, &items[..2], place);
    assert_eq!(calls[1].waiting.commitment, word(&before));
    assert_eq!(calls[1].waiting.amount, 102);
    // The checkpoint after two items, then that after three.
    let ends: Vec<_> = calls
        .iter()
        .map(|call| (call.items.len() / 32, call.place))
        .collect();
    assert_eq!(ends, [(1, U256::from(5)), (0, U256::from(4))]);
    let step = Step::Reclaim {
        position: 2,
        asset: 8,
        amount: 104,
    };
    assert_eq!(exit.calls[1].step, step);

    // Without checkpoints up to the newest item.
    events.checkpoints.clear();
    let exit = leave(&state, &[], &events);
    let call = reclaimCall::abi_decode(&exit.calls[1].data).expect("it is a reclaim");
    assert_eq!(call.items.len(), 2 * 32);

    // A gap, and items that are not the contract's.
    let known = Known {
        state: &state,
        batches: &[],
        events: &events,
        queue_commitment: word(&before),
        base_chain: BASE,
    };
    let error = super::exit(&known, KEY, TO).expect_err("some are missing");
    let expected = matches!(error, LeavingError::QueueChain { count: 5, .. });
    assert!(expected, "{error}");
    events.items.remove(&1);
    let error = try_leave(&state, &[], &events).expect_err("the queue has a gap");
    assert_eq!(error, LeavingError::Queue { missing: 1 });
}
