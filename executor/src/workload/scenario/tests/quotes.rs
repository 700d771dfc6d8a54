//! A quote is what the swap gives: the same pools, the same numbers, to the unit.

use shardfold_contracts::exchange::Pool;
use shardfold_contracts::exchange::route::{Given, Stop, route};

use super::*;
use crate::workload::Random;

/// Three pools in a row, of reserves in smallest units.
fn world(reserves: &[[u64; 2]; 3]) -> String {
    let assets = ["A", "B", "C", "D"];
    let mut text: String = assets
        .map(|name| format!("[[asset]]\nname = \"{name}\"\ndecimals = 0\n"))
        .concat();
    text += "[[person]]\nname = \"alice\"\n";
    text += "has = { A = \"1_000_000_000_000_000_000\" }\n";
    for (number, [a, b]) in reserves.iter().enumerate() {
        let (left, right) = (assets[number], assets[number + 1]);
        text += &format!(
            "[[pool]]\nname = \"p{number}\"\nof = \"alice\"\nfee = \"0.{number}%\"\n\
             has = {{ {left} = \"{a}\", {right} = \"{b}\" }}\n"
        );
    }
    text
}

/// The first pools of a state.
fn stops(state: &State, count: usize) -> Vec<Stop> {
    let records = state.tree().records().into_iter();
    let pools = records.filter_map(|(index, record)| Some((index, Pool::of(&record)?)));
    pools.take(count).collect()
}

fn play(text: &str) -> Result<Built, ScenarioError> {
    Scenario::read(text)?.build(standard(), OPTIONS, SHAPES)
}

/// A statement that leaves everything as it is.
const NOTHING: &str = "[[do]]\nat = 1\nwho = \"alice\"\npay = \"0 A\"\nto = \"alice\"\n\
                       expect = \"refused: twice\"\n";

/// Quotes a swap, makes it, and compares; returns whether it could be served.
fn compare(world: &str, count: usize, given: Given) -> bool {
    let asset = ["B", "C", "D"][count - 1];
    let verb = match given {
        Given::In(amount) => format!("swap = \"{amount} A\"\nto = \"{asset}\""),
        Given::Out(amount) => format!("buy = \"{amount} {asset}\"\nwith = \"A\""),
    };
    let text = format!("{world}[[do]]\nat = 1\nwho = \"alice\"\n{verb}\n");
    let before = play(&format!("{world}{NOTHING}")).expect("a genesis").after;
    match (route(&stops(&before, count), 0, given), play(&text)) {
        (Ok(hops), Ok(built)) => {
            let totals = built.played[0].totals();
            let found: Vec<u64> = totals.iter().map(|moved| moved.amount).collect();
            let expected = [hops[0].amount_in, hops[count - 1].amount_out];
            assert_eq!(found, expected, "{text}");
            for (hop, (index, pool)) in hops.iter().zip(stops(&built.after, count)) {
                let sides = pool.sides(hop.asset_in).expect("it has the asset");
                let (more, less) = (hop.amount_in, hop.amount_out);
                let after = (hop.reserve_in + more, hop.reserve_out - less);
                assert_eq!((hop.pool, sides), (index, after));
            }
            true
        }
        (Err(error), Err(refused)) => {
            let Fault::Expected { found, .. } = refused.fault else {
                panic!("{refused}");
            };
            let name = found.expect_err("refused").reason.name();
            let names = ["liquidity", "nothing", "reserve"];
            assert!(names.contains(&name), "{error}: {name}\n{text}");
            false
        }
        (quoted, played) => panic!("{quoted:?}, {played:?}\n{text}"),
    }
}

#[test]
fn swaps_give_what_was_quoted() {
    let mut random = Random::new(11);
    let mut number = || {
        let bits = 1 + random.below(40);
        2_000 + random.below(1 << bits)
    };
    let mut served = 0;
    for round in 0..90 {
        let text = world(&[(); 3].map(|()| [number(), number()]));
        let given = [Given::In, Given::Out][round % 2](number());
        served += usize::from(compare(&text, 1 + round % 3, given));
    }
    assert!((20..90).contains(&served), "{served}");
}
