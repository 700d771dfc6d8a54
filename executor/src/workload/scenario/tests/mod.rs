//! Scenarios that run, and scenarios that are told what is wrong with them.

mod lending;
mod quotes;
mod wrong;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::exchange::Pool;
use shardfold_contracts::set::standard;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{KIND_PAYOUT, SHARES};

use super::*;
use crate::outcome::Receipt;
use crate::parallel;

/// What batches are cut into.
const SHAPES: &[Shape] = &[Shape::SMALL];

const OPTIONS: Options = Options {
    seed: 7,
    chain_id: 9,
};

/// Two assets, three people and a pool.
const WORLD: &str = r#"
[[asset]]
name = "ETH"
decimals = 9
[[asset]]
name = "USDC"
decimals = 6
[[asset]]
name = "DAI"
decimals = 6
[[person]]
name = "alice"
has = { ETH = "10", USDC = "20000" }
[[person]]
name = "bob"
[[person]]
name = "carol"
has = { DAI = "5" }
[[pool]]
name = "eth-usdc"
has = { ETH = "100", USDC = "200_000" }
of = "bob"
[[pool]]
name = "usdc-dai"
has = { USDC = "1000", DAI = "1000" }
fee = "0.05%"
of = "bob"
"#;

fn build(statements: &str) -> Result<Built, ScenarioError> {
    let text = format!("{WORLD}{statements}");
    Scenario::read(&text)?.build(standard(), OPTIONS, SHAPES)
}

#[track_caller]
fn built(statements: &str) -> Built {
    let built = build(statements).unwrap_or_else(|error| panic!("{error}"));
    replay(&built);
    built
}

/// What the parallel executor makes of the batches, signatures and all, is what the scenario said.
#[track_caller]
fn replay(built: &Built) {
    let mut state = State::try_from(&built.genesis).expect("a genesis");
    for (number, batch) in built.batches.iter().enumerate() {
        let outcome = parallel::execute(standard(), &state, batch).expect("it follows");
        let played = built.played.iter().filter(|played| played.batch == number);
        for played in played {
            let receipts = &outcome.receipts[played.transactions.clone()];
            let refused = receipts.iter().find_map(|receipt| match receipt {
                Receipt::Rejected(reject) => Some(*reject),
                Receipt::Accepted { .. } => None,
            });
            assert_eq!(refused, played.result.clone().err(), "{played:?}");
        }
        shards::apply(standard(), &mut state, batch, &outcome, SHAPES).expect("they fit");
    }
    assert_eq!(state.head(), built.after.head());
}

/// What a statement moved, in words.
fn said(built: &Built, statement: usize) -> Vec<String> {
    let totals = built.played[statement].totals();
    let words =
        |moved: &Moved| format!("{} {}", moved.name, built.money(moved.asset, moved.amount));
    totals.iter().map(words).collect()
}

#[test]
fn swaps_go_the_shortest_way() {
    let built = built(
        r#"
[[do]]
at = 100
who = "alice"
swap = "5 ETH"
to = "USDC"
min = "9000"
[[do]]
who = "alice"
buy = "1 ETH"
with = "USDC"
max = "2300 USDC"
fee = "0.01"
[[do]]
at = "+1m"
who = "alice"
swap = "0.5 ETH"
to = "DAI"
[[do]]
who = "alice"
swap = "0.1 ETH"
to = "DAI"
through = ["eth-usdc", "usdc-dai"]
[[do]]
who = "carol"
swap = "2 DAI"
to = "ETH"
"#,
    );
    let sizes: Vec<_> = built
        .batches
        .iter()
        .map(|batch| batch.transactions.len())
        .collect();
    assert_eq!(sizes, [2, 3]);
    assert_eq!(built.batches[1].time, 160);
    assert_eq!(said(&built, 0), ["paid 5 ETH", "received 9496.594751 USDC"]);
    // The fee of the operator is no part of what is paid.
    let paid = said(&built, 1);
    assert!(paid[0].starts_with("paid 18"), "{paid:?}");
    assert_eq!(paid[1], "received 1 ETH");
    assert_eq!(
        built.after.tree().get(1).vault().expect("fees").balance,
        10_000
    );
    let words = &built.batches[1].transactions[0].words;
    assert_eq!(words.len(), 12, "two pools");
}

#[test]
fn liquidity_comes_and_goes() {
    let built = built(
        r#"
[[do]]
at = 2026-01-01T00:00:00Z
who = "alice"
add = { ETH = "1", USDC = "3000" }
pool = "eth-usdc"
[[do]]
at = "2026-01-01T00:01:00Z"
who = "alice"
remove = "50%"
pool = "eth-usdc"
[[do]]
who = "alice"
pay = "1000 eth-usdc"
to = "carol"
[[do]]
who = "carol"
remove = "1000"
pool = "eth-usdc"
min = { ETH = "0", USDC = "1" }
expect = "refused: limit"
[[do]]
who = "carol"
remove = "all"
pool = "eth-usdc"
[[do]]
who = "alice"
open = { ETH = "0.5", USDC = "1000" }
pool = "another"
swap_fee = "1%"
[[do]]
who = "alice"
swap = "0.01 ETH"
to = "USDC"
through = ["another"]
[[do]]
who = "alice"
remove = "all"
pool = "another"
"#,
    );
    assert_eq!(said(&built, 0)[..2], ["paid_a 1 ETH", "paid_b 2000 USDC"]);
    assert_eq!(
        said(&built, 1)[..2],
        ["received_a 0.499999999 ETH", "received_b 999.999999 USDC"]
    );
    assert_eq!(built.batches[0].time, 1_767_225_600);
    let pools = built.after.tree().records().into_iter();
    let pools: Vec<_> = pools
        .filter_map(|(at, record)| Some((at, Pool::of(&record)?)))
        .collect();
    assert_eq!(pools.len(), 3);
    let (index, pool) = &pools[2];
    assert_eq!((pool.fee, pool.shares), (10_000, 1_000));
    assert!(*index > 10);
    let share = SHARES + u64::from(*index);
    assert_eq!(built.money(share, 5), "5 another");
}

#[test]
fn an_airdrop_pays_everybody_and_opens_their_vaults() {
    let people: String = (0..40)
        .map(|i| format!("[[person]]\nname = \"p{i}\"\n"))
        .collect();
    let names: Vec<_> = (0..40).map(|i| format!("\"p{i}\"")).collect();
    let names = names.join(", ");
    let built = built(&format!(
        "{people}\n[[do]]\nat = 5\nwho = \"alice\"\nairdrop = \"12.5 USDC\"\n\
         to = [\"alice\", {names}, \"p3\", \"p3\"]\nfee = \"0.5\"\n"
    ));
    let [put_aside, paid] = &said(&built, 0)[..] else {
        panic!("{:?}", said(&built, 0));
    };
    assert_eq!(put_aside, "put_aside 537.5 USDC");
    assert_eq!(paid, "paid_out 537.5 USDC");
    let records = built.after.tree().records();
    let payout = records
        .into_iter()
        .find(|(_, record)| record.0[0] == F::from_u64(KIND_PAYOUT));
    let (_, payout) = payout.expect("it stays");
    assert!(payout.0[4..].iter().all(|&word| word == F::ZERO));
}

#[test]
fn money_comes_in_and_goes_out() {
    let built = built(
        r#"
[[do]]
at = 3
who = "bob"
deposit = "2.5 ETH"
[[do]]
who = "bob"
withdraw = "1 ETH"
to = "0x00000000000000000000000000000000000000ff"
fee = "0.001 ETH"
[[do]]
who = "bob"
withdraw = "2 ETH"
expect = "refused: balance"
[[do]]
who = "bob"
pay = "1 ETH"
to = "bob"
expect = "refused: twice"
[[do]]
who = "bob"
pay = "1.499 ETH"
to = "alice"
expect = "accepted"
[[do]]
at = 4000
who = "bob"
swap = "1 ETH"
to = "USDC"
valid = 3999
expect = "refused: expired"
"#,
    );
    let head = built.after.head();
    assert_eq!((head.queue_count, head.withdrawal_count), (1, 1));
}

#[test]
fn keys_depend_on_the_seed_and_nothing_else_does() {
    let text = format!("{WORLD}[[do]]\nat = 1\nwho = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\n");
    let scenario = Scenario::read(&text).expect("it is well formed");
    assert_eq!(scenario.batches(), 1);
    let build = |seed| {
        let options = Options { seed, ..OPTIONS };
        scenario
            .build(standard(), options, SHAPES)
            .expect("it runs")
    };
    assert_eq!(build(1).batches, build(1).batches);
    assert_ne!(build(1).genesis, build(2).genesis);
    let mut table = vec![];
    build(1).write_names(&mut table).expect("memory");
    let table = String::from_utf8(table).expect("text");
    assert!(
        table.starts_with("what,name,asset,decimals,index\nfees,ETH,0,9,0\n"),
        "{table}"
    );
    assert!(
        table.contains("\npool,eth-usdc,4294967302,0,6\n"),
        "{table}"
    );
    assert!(table.contains("\nvault,alice,0,9,3\n"), "{table}");
}
