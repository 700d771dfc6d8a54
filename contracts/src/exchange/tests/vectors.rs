//! Test vectors: the model's own to the unit, and Uniswap v2's within the bound of its roundings.

use num_bigint::BigUint;
use serde_json::Value;

use super::*;
use crate::exchange::{WHOLE, quote_in, quote_out};

fn vectors(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).expect("it is JSON");
    file["vectors"].as_array().expect("a list").clone()
}

fn number(value: &Value) -> u64 {
    value.as_str().expect("a text").parse().expect("a number")
}

fn big(value: &Value) -> BigUint {
    value.as_str().expect("a text").parse().expect("a number")
}

fn with_pool(vector: &Value) -> Numbers {
    let pool = &vector["pool"];
    let mut ledger = Numbers::at(NOW);
    let pool = Pool {
        asset_a: A,
        asset_b: B,
        reserve_a: number(&pool["a"]),
        reserve_b: number(&pool["b"]),
        shares: number(&pool["shares"]),
        fee: pool.get("fee").map_or(0, number),
    };
    ledger.records.insert(POOL, pool.into());
    ledger.put(TRADERS_A, TRADER, A, 1 << 61);
    ledger.put(TRADERS_B, TRADER, B, 1 << 61);
    ledger.put(TRADERS_SHARES, TRADER, SHARES + u64::from(POOL), 1 << 61);
    ledger
}

/// What a vault gained.
fn gained(before: &Numbers, after: &Numbers, index: Index) -> i128 {
    i128::from(after.balance(index)) - i128::from(before.balance(index))
}

#[test]
fn the_vectors_of_the_model() {
    let mut counts = [0; 5];
    for vector in vectors(include_str!(
        "../../../tests/vectors/shardfold_proposal.json"
    )) {
        let is_left_out = |name: &str| vector[name] == "left out";
        match vector["op"].as_str().expect("a text") {
            op @ ("swap_exact_in" | "swap_exact_out") => {
                let before = with_pool(&vector);
                let mut ledger = before.clone();
                let is_forward = vector["a_to_b"] == true;
                let (assets, places) = match is_forward {
                    true => ((A, B), (TRADERS_A, TRADERS_B)),
                    false => ((B, A), (TRADERS_B, TRADERS_A)),
                };
                let ((asset_in, asset_out), (from, to)) = (assets, places);
                let is_in = op == "swap_exact_in";
                let done = if is_in {
                    let amount_in = number(&vector["amount_in"]);
                    let body = SwapIn {
                        asset_in,
                        asset_out,
                        from,
                        to,
                        amount_in,
                        ..sell(&before)
                    };
                    ledger.run(Some(TRADER), &body)
                } else {
                    let amount_out = number(&vector["amount_out"]);
                    let body = SwapOut {
                        asset_in,
                        asset_out,
                        from,
                        to,
                        amount_out,
                        ..buy(&before)
                    };
                    ledger.run(Some(TRADER), &body)
                };
                let name = if is_in { "amount_out" } else { "amount_in" };
                assert_eq!(done.is_err(), is_left_out(name), "{vector}");
                if done.is_ok() {
                    let (side, sign) = if is_in { (to, 1) } else { (from, -1) };
                    let moved = gained(&before, &ledger, side) * sign;
                    assert_eq!(moved, i128::from(number(&vector[name])), "{vector}");
                }
                counts[usize::from(!is_in)] += 1;
            }
            "create" => {
                let mut ledger = Numbers::at(NOW);
                let (amount_a, amount_b) = (number(&vector["a"]), number(&vector["b"]));
                ledger.put(TRADERS_A, TRADER, A, MOST);
                ledger.put(TRADERS_B, TRADER, B, MOST);
                let body = CreatePool {
                    amount_a,
                    amount_b,
                    ..create(&ledger)
                };
                ledger.run(Some(TRADER), &body).expect("it is valid");
                assert_eq!(pool_at(&ledger, VACANT).shares, number(&vector["supply"]));
                assert_eq!(ledger.balance(10), number(&vector["to_creator"]));
                counts[2] += 1;
            }
            "add" => {
                let before = with_pool(&vector);
                let mut ledger = before.clone();
                let body = AddLiquidity {
                    shares: number(&vector["shares"]),
                    ..add(&before)
                };
                let done = ledger.run(Some(TRADER), &body);
                assert_eq!(done.is_err(), is_left_out("pays_a"), "{vector}");
                let paid = [TRADERS_A, TRADERS_B].map(|index| -gained(&before, &ledger, index));
                let expected = ["pays_a", "pays_b"].map(|name| i128::from(number(&vector[name])));
                assert_eq!(paid, expected, "{vector}");
                counts[3] += 1;
            }
            "remove" => {
                let before = with_pool(&vector);
                let mut ledger = before.clone();
                let body = RemoveLiquidity {
                    shares: number(&vector["shares"]),
                    ..remove(&before)
                };
                let done = ledger.run(Some(TRADER), &body);
                assert_eq!(done.is_err(), is_left_out("gets_a"), "{vector}");
                let got = [TRADERS_A, TRADERS_B].map(|index| gained(&before, &ledger, index));
                let expected = ["gets_a", "gets_b"].map(|name| i128::from(number(&vector[name])));
                assert_eq!(got, expected, "{vector}");
                counts[4] += 1;
            }
            _ => {}
        }
    }
    assert_eq!(counts, [14, 14, 6, 6, 6]);
}

/// Whether the model's numbers have room for a vector's.
fn fits(values: &[&BigUint]) -> Option<Vec<u64>> {
    let small = values.iter().map(|value| u64::try_from(*value).ok());
    let small: Option<Vec<u64>> = small.collect();
    small.filter(|values| values.iter().all(|value| *value <= MOST))
}

/// Uniswap's integers divided by a power of ten for each side, so that they have 62 bits.
fn scaled(values: &[(&BigUint, u32)]) -> Vec<u64> {
    let scale = |(value, digits): &(&BigUint, u32)| *value / BigUint::from(10_u32).pow(*digits);
    let values: Vec<BigUint> = values.iter().map(scale).collect();
    fits(&values.iter().collect::<Vec<_>>()).expect("it was scaled")
}

/// By how many digits a reserve is too long.
fn digits(reserve: &BigUint) -> u32 {
    let mut digits = 0;
    while reserve / BigUint::from(10_u32).pow(digits) >= BigUint::from(1_u64 << 60) {
        digits += 1;
    }
    digits
}

/// `getAmountOut` of `UniswapV2Library`, on any integers.
fn amount_out(amount: &BigUint, [reserve_in, reserve_out]: [&BigUint; 2]) -> BigUint {
    let with_fee = amount * 997_u32;
    let total: BigUint = reserve_in * 1_000_u32 + &with_fee;
    with_fee * reserve_out / total
}

#[test]
fn swaps_give_what_uniswap_gives_or_at_most_one_price_less() {
    let (mut count, mut equal) = (0, 0);
    for vector in vectors(include_str!("../../../tests/vectors/uniswap_v2.json")) {
        let sides = || (big(&vector["reserve_in"]), big(&vector["reserve_out"]));
        match vector["op"].as_str().expect("a text") {
            "getAmountOut" => {
                let (amount, (reserve_in, reserve_out)) = (big(&vector["amount_in"]), sides());
                // The formula here is the vector's.
                let theirs = amount_out(&amount, [&reserve_in, &reserve_out]);
                assert_eq!(theirs, big(&vector["amount_out"]), "{vector}");
                let (of_in, of_out) = (digits(&reserve_in), digits(&reserve_out));
                let parts = [
                    (&amount, of_in),
                    (&reserve_in, of_in),
                    (&reserve_out, of_out),
                ];
                let numbers = scaled(&parts);
                let [amount, reserve_in, reserve_out] = numbers[..] else {
                    unreachable!()
                };
                if amount == 0 || reserve_in == 0 {
                    continue;
                }
                let big = [amount, reserve_in, reserve_out].map(BigUint::from);
                let theirs = u64::try_from(amount_out(&big[0], [&big[1], &big[2]])).unwrap();
                let ours = quote_in((reserve_in, reserve_out), 3_000, amount).unwrap_or(0);
                let bound = reserve_out.div_ceil(reserve_in);
                assert!(
                    ours <= theirs && theirs - ours <= bound,
                    "{vector}: {ours} {theirs}"
                );
                equal += u32::from(ours == theirs);
                count += 1;
            }
            "getAmountIn" => {
                let (amount, (reserve_in, reserve_out)) = (big(&vector["amount_out"]), sides());
                let Some(numbers) = fits(&[&amount, &reserve_in, &reserve_out]) else {
                    continue;
                };
                let [amount, reserve_in, reserve_out] = numbers[..] else {
                    unreachable!()
                };
                let Some(ours) = quote_out((reserve_in, reserve_out), 3_000, amount) else {
                    continue;
                };
                // They take floor + 1 where we take the ceiling twice: never more than one unit
                // less, and one more for each rounding.
                let theirs = number(&vector["amount_in"]);
                assert!(
                    ours + 1 >= theirs && ours <= theirs + 1,
                    "{vector}: {ours} {theirs}"
                );
                count += 1;
            }
            _ => {}
        }
    }
    println!("{count} vectors, of which {equal} amounts out are equal");
    assert!(count >= 20, "{count}");
}

#[test]
fn liquidity_is_worth_what_it_is_in_uniswap() {
    let mut counts = [0; 3];
    for vector in vectors(include_str!("../../../tests/vectors/uniswap_v2.json")) {
        match vector["op"].as_str().expect("a text") {
            "mint_first" => {
                let [a, b] = ["amount0", "amount1"].map(|name| big(&vector[name]));
                let Some(amounts) = fits(&[&a, &b]) else {
                    continue;
                };
                let mut ledger = Numbers::at(NOW);
                ledger.put(TRADERS_A, TRADER, A, MOST);
                ledger.put(TRADERS_B, TRADER, B, MOST);
                let (amount_a, amount_b) = (amounts[0], amounts[1]);
                let body = CreatePool {
                    amount_a,
                    amount_b,
                    ..create(&ledger)
                };
                match ledger.run(Some(TRADER), &body) {
                    Ok(()) => assert_eq!(ledger.balance(10), number(&vector["liquidity"])),
                    Err(_) => assert_eq!(vector["liquidity"].as_str().map(str::len), Some(1)),
                }
                counts[0] += 1;
            }
            // Their liquidity, asked for as exact shares, costs no more than their amounts.
            "mint" => {
                let names = [
                    "reserve0",
                    "reserve1",
                    "total_supply",
                    "amount0",
                    "amount1",
                    "liquidity",
                ];
                let values = names.map(|name| big(&vector[name]));
                let Some(numbers) = fits(&values.iter().collect::<Vec<_>>()) else {
                    continue;
                };
                let [reserve_a, reserve_b, all, max_a, max_b, shares] = numbers[..] else {
                    unreachable!()
                };
                if shares == 0 {
                    continue;
                }
                let mut ledger = Numbers::at(NOW);
                ledger.put(TRADERS_A, TRADER, A, 1 << 61);
                ledger.put(TRADERS_B, TRADER, B, 1 << 61);
                let fee = 3_000;
                let pool = Pool {
                    asset_a: A,
                    asset_b: B,
                    reserve_a,
                    reserve_b,
                    shares: all,
                    fee,
                };
                ledger.records.insert(POOL, pool.into());
                let body = AddLiquidity {
                    shares,
                    max_a,
                    max_b,
                    to: VACANT,
                    ..add(&ledger)
                };
                ledger
                    .run(Some(TRADER), &body)
                    .expect("their amounts are enough");
                counts[1] += 1;
            }
            "burn" => {
                let names = ["balance0", "balance1", "total_supply", "liquidity"];
                let values = names.map(|name| big(&vector[name]));
                let Some(numbers) = fits(&values.iter().collect::<Vec<_>>()) else {
                    continue;
                };
                let [reserve_a, reserve_b, all, shares] = numbers[..] else {
                    unreachable!()
                };
                let mut ledger = Numbers::at(NOW);
                ledger.put(TRADERS_A, TRADER, A, 0);
                ledger.put(TRADERS_SHARES, TRADER, SHARES + u64::from(POOL), shares);
                let fee = 3_000;
                let pool = Pool {
                    asset_a: A,
                    asset_b: B,
                    reserve_a,
                    reserve_b,
                    shares: all,
                    fee,
                };
                ledger.records.insert(POOL, pool.into());
                let body = RemoveLiquidity {
                    shares,
                    to_b: VACANT,
                    ..remove(&ledger)
                };
                match ledger.run(Some(TRADER), &body) {
                    Ok(()) => {
                        let got = [TRADERS_A, VACANT].map(|index| ledger.balance(index));
                        assert_eq!(
                            got,
                            [number(&vector["amount0"]), number(&vector["amount1"])]
                        );
                    }
                    Err(reject) => assert_eq!(reject.reason.name(), "last-shares", "{vector}"),
                }
                counts[2] += 1;
            }
            _ => {}
        }
    }
    println!("first mints, mints, burns: {counts:?}");
    assert!(counts.iter().all(|count| *count >= 3), "{counts:?}");
}

#[test]
fn a_fee_is_a_part_of_a_million() {
    assert_eq!(WHOLE, 1_000_000);
    // Uniswap's own expectations (v2-core, test/UniswapV2Pair.spec.ts) have 18 digits: here the
    // first ones.
    assert_eq!(
        quote_in((5_000_000, 10_000_000), 3_000, 1_000_000),
        Some(1_662_497)
    );
}
