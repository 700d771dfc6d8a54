use p3_field::PrimeField64;
use shardfold_contracts::set::standard;
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::head::{Head, LEAP_LIMIT, TIME_LIMIT, TimeError};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{State, StateFile};

use super::oracle;
use crate::outcome::{ExecuteError, Receipt};
use crate::workload::trace::{Import, Movement, Options, Trace};
use crate::workload::{CHAIN_ID, Pattern, Plan, Workload};
use crate::{parallel, sequential};

fn plan(pattern: Pattern) -> Plan {
    Plan {
        seed: 3,
        pattern,
        vaults: 700,
        transactions: 600,
        keys: 5,
    }
}

#[test]
fn workloads_execute_alike_and_replay() {
    for pattern in Pattern::ALL {
        let workload = plan(pattern).build();
        let outcome = oracle::execute(&workload.state, &workload.batch);
        let shapes = [Shape::TINY, Shape::SMALL];
        let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, &shapes);
        let accepted = outcome.accepted.len();
        if pattern == Pattern::Faulty {
            assert!((300..500).contains(&accepted), "{accepted} accepted");
        } else {
            assert_eq!(accepted, 600, "{pattern:?}: {:?}", outcome.receipts);
        }
        // A shard of the small shape is full at 128 transactions or at its nodes.
        assert!(
            witnesses.len() <= accepted / 40,
            "{pattern:?}: {} shards",
            witnesses.len()
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let plan = Plan {
            seed,
            transactions: 20,
            ..plan(Pattern::Faulty)
        };
        files::to_binary(&plan.build().batch).unwrap()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn a_batch_cannot_be_replayed() {
    let workload = Plan {
        transactions: 10,
        ..plan(Pattern::Mixed)
    }
    .build();
    let mut state = workload.state.clone();
    let outcome = oracle::execute(&state, &workload.batch);
    oracle::apply(&mut state, &workload.batch, &outcome, &[Shape::TINY]);
    let error = ExecuteError::Head {
        found: Box::new(workload.batch.before),
        expected: Box::new(*state.head()),
    };
    assert_eq!(
        parallel::execute(standard(), &state, &workload.batch),
        Err(error.clone())
    );
    assert_eq!(
        sequential::execute(standard(), &state, &workload.batch),
        Err(error)
    );

    // Nor can its transactions, in a batch that starts where the state is.
    let mut again = workload.batch;
    again.before = *state.head();
    let outcome = oracle::execute(&state, &again);
    assert!(
        outcome
            .receipts
            .iter()
            .all(|receipt| matches!(receipt, Receipt::Rejected(_)))
    );
    assert_eq!(outcome.changes, []);
}

#[test]
fn a_batch_for_another_chain_is_refused() {
    let mut workload = Plan {
        transactions: 1,
        ..plan(Pattern::Mixed)
    }
    .build();
    workload.batch.chain_id += 1;
    let expected = workload.state.chain_id();
    let error = ExecuteError::ChainId {
        found: expected + 1,
        expected,
    };
    assert_eq!(
        parallel::execute(standard(), &workload.state, &workload.batch),
        Err(error.clone())
    );
    assert_eq!(
        sequential::execute(standard(), &workload.state, &workload.batch),
        Err(error)
    );
}

#[test]
fn a_batch_whose_time_cannot_follow_the_heads_is_refused() {
    let plan = Plan {
        transactions: 3,
        ..plan(Pattern::Mixed)
    };
    let Workload { mut state, batch } = plan.build();
    let outcome = oracle::execute(&state, &batch);
    oracle::apply(&mut state, &batch, &outcome, &[Shape::TINY]);
    let head = *state.head();
    assert_eq!(head.time, batch.time);
    let refused = |head: Head, time: u64| {
        let state = State::from_parts(state.chain_id(), head, state.tree().clone()).unwrap();
        let batch = Batch {
            chain_id: state.chain_id(),
            before: head,
            time,
            transactions: Vec::new(),
        };
        let found = parallel::execute(standard(), &state, &batch);
        assert_eq!(found, sequential::execute(standard(), &state, &batch));
        found.err()
    };
    for time in [head.time, head.time + LEAP_LIMIT - 1] {
        assert_eq!(refused(head, time), None);
    }
    let (found, expected) = (head.time - 1, head.time);
    let back = TimeError::RunsBack { found, expected };
    assert_eq!(refused(head, found), Some(back.into()));
    let found = head.time + LEAP_LIMIT;
    let leap = TimeError::Leaps {
        found,
        limit: found,
    };
    assert_eq!(refused(head, found), Some(leap.into()));
    let late = Head {
        time: TIME_LIMIT - 1,
        ..head
    };
    assert_eq!(refused(late, TIME_LIMIT - 1), None);
    let found = TIME_LIMIT;
    let error = TimeError::TooLate { found };
    assert_eq!(refused(late, found), Some(error.into()));
}

#[test]
fn a_trace_gives_the_time_unless_the_options_do() {
    let mut trace = trace();
    let import = |trace: &Trace, time| {
        let options = Options {
            seed: 1,
            chain_id: 5,
            fee: 2,
            time,
        };
        let import = Import::new(&trace.movements, options).unwrap();
        import.workload().unwrap().batch.time
    };
    assert_eq!(import(&trace, None), 1);
    trace.movements[3].time = Some(1_600_000_000);
    assert_eq!(import(&trace, None), 1_600_000_000);
    assert_eq!(import(&trace, Some(77)), 77);
}

#[test]
fn an_empty_batch_changes_nothing_and_needs_no_shard() {
    let workload = Plan {
        transactions: 0,
        ..plan(Pattern::Mixed)
    }
    .build();
    let outcome = oracle::execute(&workload.state, &workload.batch);
    let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, &[Shape::TINY]);
    assert_eq!(witnesses, []);
}

/// A trace whose transfers wait for one another, one of them to its own sender.
fn trace() -> Trace {
    let movement = |from: u8, to: u8, amount: u64| Movement {
        from: Address([from; 20]),
        to: Address([to; 20]),
        asset: if amount < 100 { "eth" } else { "token" }.into(),
        amount: amount.into(),
        time: None,
        swap: None,
    };
    let transfers = vec![
        movement(1, 2, 50),
        movement(2, 3, 60),
        movement(3, 3, 10),
        movement(2, 1, 1_000),
    ];
    Trace {
        movements: transfers,
        swaps_skipped: 0,
    }
}

#[test]
fn a_repeated_trace_is_accepted_whole() {
    let mut trace = trace();
    trace.resize(39);
    let options = Options {
        seed: 1,
        chain_id: 5,
        fee: 2,
        time: None,
    };
    let import = Import::new(&trace.movements, options).unwrap();
    let workload = import.workload().unwrap();
    assert_eq!(workload.batch.transactions.len(), 39);
    let outcome = oracle::execute(&workload.state, &workload.batch);
    assert_eq!(outcome.accepted.len(), 39, "{:?}", outcome.receipts);
}

/// A vault that pays nothing at all, and a dust amount, are once more no reason to be left out.
#[test]
fn transfers_of_nothing_are_accepted() {
    let lines = [
        ("0", 1, 2),
        ("0", 2, 3),
        ("0", 3, 3),
        ("1", 4, 1),
        ("9", 9, 8),
    ]
    .map(|(amount, from, to): (&str, u8, u8)| {
        let address = |who: u8| format!("0x{}", hex::encode([who; 20]));
        format!("transfer,{},{},eth,{amount}\n", address(from), address(to))
    });
    let large = "7".repeat(30);
    let text = format!("kind,from,to,asset_in,amount_in\n{}", lines.concat());
    let text = text.replace("eth,9", &format!("eth,{large}"));
    let trace = Trace::from_bytes(text.as_bytes()).unwrap();
    let options = Options {
        seed: 1,
        chain_id: CHAIN_ID,
        fee: 0,
        time: None,
    };
    let import = Import::new(&trace.movements, options).unwrap();
    assert_eq!(import.plan().assets[0].below_unit, 1);
    let workload = import.workload().unwrap();
    let outcome = oracle::execute(&workload.state, &workload.batch);
    assert_eq!(outcome.accepted.len(), 5, "{:?}", outcome.receipts);
    // Where a transfer has its amount.
    let amounts = workload
        .batch
        .transactions
        .iter()
        .map(|t| t.words[3].as_canonical_u64());
    let expected = [0, 0, 0, 0, 777_777_777_777_777_777];
    assert_eq!(amounts.collect::<Vec<_>>(), expected);
}

#[test]
fn deposits_open_what_a_trace_needs() {
    let options = Options {
        seed: 1,
        chain_id: CHAIN_ID,
        fee: 0,
        time: None,
    };
    let import = Import::new(&trace().movements, options).unwrap();
    let state = State::try_from(&StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults: Vec::new(),
        records: vec![],
    })
    .unwrap();
    let time = import.time_after(state.head());
    let mut transactions = import.openings(time);
    transactions.extend(import.movements(time));
    let batch = Batch {
        chain_id: CHAIN_ID,
        before: *state.head(),
        time,
        transactions,
    };
    let outcome = oracle::execute(&state, &batch);
    assert_eq!(outcome.accepted.len(), batch.transactions.len());
}
