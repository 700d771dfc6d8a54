//! The swaps of mainnet, held against what Uniswap v2 gives of the same integers.

use shardfold_contracts::exchange::Pool;
use shardfold_protocol::shape::Shape;

use super::oracle;
use crate::outcome::Receipt;
use crate::workload::trace::{Import, Options, PoolImport, PoolTrace, Trace};

const SWAPS: &[u8] = include_bytes!("../../../examples/uniswap-v2-swaps/trace.csv");

const OPTIONS: Options = Options {
    seed: 1,
    chain_id: 1,
    fee: 3,
    time: None,
};

/// `getAmountOut` of `UniswapV2Library`.
fn amount_out(paid: u64, [reserve_in, reserve_out]: [u64; 2]) -> Option<u64> {
    let with_fee = u128::from(paid) * 997;
    let total = u128::from(reserve_in) * 1_000 + with_fee;
    // The product has 140 bits: divided first, with what is left.
    let (whole, rest) = (with_fee / total, with_fee % total);
    let wide = num_bigint::BigUint::from(rest) * reserve_out / total;
    let rest = u64::try_from(wide).ok()?;
    u64::try_from(whole * u128::from(reserve_out) + u128::from(rest)).ok()
}

#[test]
fn mainnets_swaps_give_what_uniswap_gives_or_at_most_one_price_less() {
    let trace = PoolTrace::from_bytes(SWAPS).expect("it is a trace");
    assert_eq!((trace.swaps.len(), trace.both_ways), (506, 8));
    let import = PoolImport::new(&trace, OPTIONS);
    let comparable = import.swaps.iter().filter(|swap| swap.paid > 0);
    let (mut equal, mut less, mut count) = (0, 0, 0);
    for swap in comparable {
        let theirs = amount_out(swap.paid, swap.reserves).expect("it has 62 bits");
        let ours = swap.given.unwrap_or(0);
        let bound = swap.reserves[1].div_ceil(swap.reserves[0]);
        assert!(
            ours <= theirs && theirs - ours <= bound,
            "{swap:?} {theirs}"
        );
        count += 1;
        equal += usize::from(ours == theirs);
        less += usize::from(ours < theirs);
    }
    let count_of = |order| {
        let swaps = import.swaps.iter().filter(|swap| swap.paid > 0);
        let given = swaps.filter(|swap| swap.given.unwrap_or(0).cmp(&swap.received) == order);
        given.count()
    };
    use core::cmp::Ordering::{Equal, Greater, Less};
    println!(
        "{count} comparable: {equal} equal to getAmountOut, {less} less; of the real amounts {} \
         equal, {} less, {} more; {} pools",
        count_of(Equal),
        count_of(Less),
        count_of(Greater),
        import.pool_count()
    );
    assert_eq!(count, 503);
    assert!(equal >= 357, "{equal}");
}

#[test]
fn mainnets_swaps_execute_in_one_batch() {
    let trace = PoolTrace::from_bytes(SWAPS).expect("it is a trace");
    let import = PoolImport::new(&trace, OPTIONS);
    let workload = import.workload().expect("the chain id is small");
    let outcome = oracle::execute(&workload.state, &workload.batch);
    for (receipt, swap) in outcome.receipts.iter().zip(&import.swaps) {
        let is_accepted = matches!(receipt, Receipt::Accepted { .. });
        assert_eq!(is_accepted, swap.given.is_some(), "{swap:?}: {receipt:?}");
    }
    // What arrives is what was planned.
    let mut after = workload.state.clone();
    oracle::apply(&mut after, &workload.batch, &outcome, &[Shape::SMALL]);
    let get = |index| after.tree().get(index);
    for (transaction, swap) in workload.batch.transactions.iter().zip(&import.swaps) {
        let to = u32::try_from(p3_field::PrimeField64::as_canonical_u64(
            &transaction.words[5],
        ));
        let balance = get(to.expect("an index"))
            .vault()
            .map(|vault| vault.balance);
        assert_eq!(balance, swap.given);
    }
    let pools = after
        .tree()
        .records()
        .into_iter()
        .filter(|(_, record)| Pool::of(record).is_some());
    assert_eq!(pools.count(), import.pool_count());
    oracle::cut(&workload.state, &workload.batch, &outcome, &[Shape::SMALL]);
}

#[test]
fn a_traces_swaps_find_pools() {
    let a = "0x1111111111111111111111111111111111111111";
    let b = "0x2222222222222222222222222222222222222222";
    let lines = [
        "kind,from,to,asset_in,amount_in,asset_out,min_out".to_owned(),
        format!("transfer,{a},{b},eth,50000,,"),
        format!("swap,{b},{b},eth,30000,usd,60000000"),
        format!("swap,{a},{a},usd,1000000,eth,480"),
        format!("swap,{a},{a},usd,1000000,eth,999999999"),
        format!("swap,{b},{b},usd,40000000,dai,39000000"),
        format!("transfer,{b},{a},dai,38000000,,"),
        format!("swap,{b},{b},usd,5,usd,1"),
    ];
    let trace = Trace::from_bytes(lines.join("\n").as_bytes()).expect("it is a trace");
    let import = Import::new(&trace.movements, OPTIONS).expect("it is planned");
    let plan = import.plan();
    assert_eq!(plan.pools.len(), 2);
    assert_eq!((plan.swaps(), plan.swaps_for_itself), ((4, 3), 1));
    let workload = import.workload().expect("the chain id is small");
    let outcome = oracle::execute(&workload.state, &workload.batch);
    // All but the swap that asks for too much.
    assert_eq!(outcome.receipts.len(), 6);
    assert_eq!(outcome.accepted.len(), 5, "{:?}", outcome.receipts);
}
