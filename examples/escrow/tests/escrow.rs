//! The escrow's rules on a small ledger: who gets the money, when, and why not.

use escrow::demo::{
    ASSET, BUYER, CHAIN_ID, DEADLINE, ESCROWS, OPENED, OPERATOR, People, SELLER, genesis, open,
    refund, release,
};
use escrow::{ESCROW, Open, Refund, Release};
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::{Body, Contracts, FeePayment};
use shardfold_executor::outcome::{Outcome, Receipt};
use shardfold_executor::reexecute::reexecute;
use shardfold_executor::{parallel, receipts, sequential, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{ShardStark, shard_traces};
use shardfold_recursion::profile::Profile;

fn contracts() -> &'static Contracts {
    Box::leak(Box::new(escrow::contracts().unwrap()))
}

fn start() -> (People, State) {
    let people = People::new();
    let state = State::try_from(&genesis(&people)).unwrap();
    (people, state)
}

/// What is put aside leaves the buyer's vault and is in the escrow, and receipts say so.
fn check_receipts(contracts: &Contracts, state: &State, batch: &Batch, outcome: &Outcome) {
    let given = receipts::given(contracts, state, batch, outcome).unwrap();
    for (transaction, given) in batch.transactions.iter().zip(&given) {
        let Some(given) = given.as_ref().filter(|_| transaction.kind == Open::KIND) else {
            continue;
        };
        let fee = given.fee.map_or(0, |fee| fee.amount);
        let [put_aside] = given.totals[..] else {
            panic!("{given:?}");
        };
        assert_eq!((put_aside.name, put_aside.asset), ("put_aside", ASSET));
        let paid = put_aside.amount + fee;
        let mut gains = given.gains().into_iter();
        assert!(gains.any(|gain| gain.index == BUYER && gain.change == -(paid as i64)));
    }
}

/// Executes a batch in both ways, moves the state, and returns the reasons (none where accepted) and
/// the shards, which reexecute.
fn execute(
    contracts: &Contracts,
    state: &mut State,
    time: u64,
    transactions: Vec<Transaction>,
) -> (Vec<Option<&'static str>>, Vec<ShardWitness>) {
    let batch = Batch {
        chain_id: CHAIN_ID,
        before: *state.head(),
        time,
        transactions,
    };
    let outcome = parallel::execute(contracts, state, &batch).unwrap();
    check_receipts(contracts, state, &batch, &outcome);
    let definition = sequential::execute(contracts, state, &batch).unwrap();
    assert_eq!(outcome, definition);
    let shards = shards::cut(contracts, state, &batch, &outcome, &[Shape::TINY]).unwrap();
    for shard in &shards {
        reexecute(contracts, shard).unwrap();
    }
    let reason = |receipt: &Receipt| match receipt {
        Receipt::Accepted { .. } => None,
        Receipt::Rejected(reject) => Some(reject.reason.name()),
    };
    (outcome.receipts.iter().map(reason).collect(), shards)
}

fn balance(state: &State, index: Index) -> u64 {
    state.tree().get(index).vault().unwrap().balance
}

/// What vaults and escrows hold together.
fn total(state: &State) -> F {
    let records = state.tree().records().into_iter();
    // Vaults and escrows have asset and amount at the same places.
    records.map(|(_, record)| record.0[2]).sum()
}

#[test]
fn the_arbiter_releases_and_the_deadline_returns() {
    let contracts = contracts();
    let (people, mut state) = start();
    let all = total(&state);
    let opening = vec![
        open(contracts, &people, ESCROWS[0], 0),
        open(contracts, &people, ESCROWS[1], 1),
    ];
    let (reasons, _) = execute(contracts, &mut state, OPENED, opening);
    assert_eq!(reasons, [None, None]);
    assert_eq!(balance(&state, BUYER), 1_000 - 2 * 101);
    assert_eq!(balance(&state, OPERATOR), 2);
    let [kind, asset, amount, ..] = state.tree().get(ESCROWS[0]).0;
    assert_eq!(kind, F::from_u32(ESCROW));
    assert_eq!((asset, amount), (F::from_u64(ASSET), F::from_u32(100)));
    assert_eq!(total(&state), all);

    let closing = vec![
        release(contracts, &people, ESCROWS[0]),
        refund(&people, ESCROWS[1]),
    ];
    let (reasons, _) = execute(contracts, &mut state, DEADLINE, closing);
    assert_eq!(reasons, [None, None]);
    assert_eq!(balance(&state, SELLER), 1_000 + 100);
    assert_eq!(balance(&state, BUYER), 1_000 - 2 * 101 + 100);
    assert_eq!(total(&state), all);
    for at in ESCROWS {
        assert_eq!(state.tree().get(at).0[2], F::ZERO);
    }
}

#[test]
fn whatever_was_not_agreed_is_rejected_with_its_reason() {
    let contracts = contracts();
    let (people, mut state) = start();
    let chain_id = F::from_u64(CHAIN_ID);
    let [first, second] = ESCROWS;
    let opening = vec![open(contracts, &people, first, 0)];
    let (reasons, _) = execute(contracts, &mut state, OPENED, opening);
    assert_eq!(reasons, [None]);

    let terms = people.terms();
    let signed_by_seller = contracts.sign(&people.seller, chain_id, &Release { at: first, terms });
    let mut to_another = terms;
    to_another.payee_owner = terms.arbiter;
    let other_terms = Release {
        at: first,
        terms: to_another,
    };
    let mut never = terms;
    never.deadline = 1 << 40;
    let open_with = |terms, nonce| Open {
        at: second,
        asset: ASSET,
        amount: 100,
        fee: FeePayment {
            amount: 0,
            vault: 0,
        },
        nonce,
        terms,
    };
    let mut of_another = terms;
    of_another.payer_owner = terms.arbiter;
    let too_much = Open {
        amount: 900,
        ..open_with(terms, 1)
    };
    let attempts = [
        // In use already, also after it is closed.
        (open(contracts, &people, first, 1), "escrow-taken"),
        (signed_by_seller, "owner"),
        (
            contracts.sign(&people.arbiter, chain_id, &other_terms),
            "escrow-terms",
        ),
        (release(contracts, &people, second), "escrow-missing"),
        (release(contracts, &people, BUYER), "escrow-missing"),
        (refund(&people, first), "escrow-early"),
        (
            Refund {
                at: first,
                terms: never,
            }
            .unsigned(),
            "escrow-deadline",
        ),
        (
            contracts.sign(&people.buyer, chain_id, &open_with(of_another, 1)),
            "escrow-terms",
        ),
        (
            contracts.sign(&people.buyer, chain_id, &open_with(terms, 0)),
            "nonce",
        ),
        (
            contracts.sign(&people.buyer, chain_id, &too_much),
            "balance",
        ),
        (
            contracts.sign(&people.seller, chain_id, &open_with(terms, 1)),
            "owner",
        ),
    ];
    let (transactions, expected): (Vec<_>, Vec<_>) = attempts.into_iter().unzip();
    let before = state.clone();
    let (reasons, _) = execute(contracts, &mut state, DEADLINE - 1, transactions);
    let found: Vec<_> = reasons.into_iter().map(Option::unwrap).collect();
    assert_eq!(found, expected);
    assert_eq!(state, before);
}

#[test]
fn money_goes_out_once() {
    let contracts = contracts();
    let (people, mut state) = start();
    let [at, _] = ESCROWS;
    let opening = vec![open(contracts, &people, at, 0)];
    execute(contracts, &mut state, OPENED, opening);
    let closing = vec![
        release(contracts, &people, at),
        release(contracts, &people, at),
        refund(&people, at),
    ];
    let before = balance(&state, BUYER);
    let (reasons, _) = execute(contracts, &mut state, DEADLINE, closing);
    let closed = Some("escrow-closed");
    assert_eq!(reasons, [None, closed, closed]);
    assert_eq!(balance(&state, SELLER), 1_100);
    assert_eq!(balance(&state, BUYER), before);
}

#[test]
fn escrows_are_proven() {
    let contracts = contracts();
    let (people, mut state) = start();
    let opening = vec![open(contracts, &people, ESCROWS[0], 0)];
    let (_, first) = execute(contracts, &mut state, OPENED, opening);
    let closing = vec![release(contracts, &people, ESCROWS[0])];
    let (_, second) = execute(contracts, &mut state, DEADLINE, closing);
    let parameters = Profile::UnsoundTest.stark(&Shape::TINY);
    let stark = ShardStark::new(contracts, Shape::TINY, parameters).unwrap();
    for witness in first.iter().chain(&second) {
        let traces = shard_traces(contracts, witness).unwrap();
        let proof = stark.prove(traces).unwrap();
        stark.verify(&proof, &witness.statement).unwrap();
    }
    // Of the standard list's circuits no such proof is one.
    let standard = shardfold_contracts::set::standard();
    let other = ShardStark::new(standard, Shape::TINY, parameters).unwrap();
    let traces = shard_traces(contracts, &first[0]).unwrap();
    let proof = stark.prove(traces).unwrap();
    assert!(other.verify(&proof, &first[0].statement).is_err());
}
