//! Markets: what is lent, what is owed, and what happens when a price falls.

use super::*;

const MARKET: &str = r#"
[[asset]]
name = "ETH"
decimals = 9
[[asset]]
name = "USDC"
decimals = 6
[[person]]
name = "oracle"
[[person]]
name = "sue"
has = { USDC = "100000" }
[[person]]
name = "bob"
has = { ETH = "10" }
[[person]]
name = "liz"
has = { USDC = "50000" }
[[feed]]
name = "eth-usd"
of = "oracle"
asset = "ETH"
price = "3000 USDC"
[[market]]
name = "eth-market"
of = "sue"
loan = "USDC"
collateral = "ETH"
feed = "eth-usd"
lltv = "80%"
rate = "4%"
steep = "75%"
fee = "10%"
"#;

/// Plays statements, and what each of them moved, those before them left out.
fn told(statements: &str) -> (Built, Vec<Vec<String>>) {
    let text = format!("{MARKET}{statements}");
    let scenario = Scenario::read(&text).unwrap_or_else(|error| panic!("{error}"));
    let built = scenario.build(standard(), OPTIONS, SHAPES);
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    replay(&built);
    let told = (2..built.played.len()).map(|number| said(&built, number));
    let told = told.collect();
    (built, told)
}

fn error(text: &str) -> String {
    let scenario = Scenario::read(text).expect("it is well formed");
    let built = scenario.build(standard(), OPTIONS, SHAPES);
    built.expect_err("it makes no sense").to_string()
}

#[test]
fn a_loan_is_taken_and_paid_back() {
    let (built, told) = told(
        r#"
[[do]]
at = "2026-01-01T00:00:00Z"
who = "sue"
supply = "50000 USDC"
market = "eth-market"
[[do]]
who = "bob"
post = "10 ETH"
market = "eth-market"
[[do]]
who = "bob"
borrow = "24000"
market = "eth-market"
[[do]]
who = "bob"
borrow = "1 USDC"
market = "eth-market"
expect = "refused: unhealthy"
[[do]]
at = "+30d"
who = "bob"
repay = "1000"
market = "eth-market"
[[do]]
who = "bob"
take = "0.1"
market = "eth-market"
expect = "refused: price-stale"
[[do]]
price = "3100"
feed = "eth-usd"
at = "+1s"
[[do]]
who = "bob"
take = "0.1"
market = "eth-market"
[[do]]
who = "liz"
pay = "5000 USDC"
to = "bob"
[[do]]
who = "bob"
repay = "all"
market = "eth-market"
[[do]]
who = "bob"
take = "9.9"
market = "eth-market"
[[do]]
collect = "eth-market"
[[do]]
who = "sue"
redeem = "all"
market = "eth-market"
min = "50000"
"#,
    );
    assert_eq!(told[2], ["borrowed 24000 USDC"]);
    assert_eq!(built.batches.len(), 3);
    let repaid = told[4][0].strip_prefix("repaid ").expect("a repayment");
    assert!(
        repaid == "1000 USDC" || repaid.starts_with("999.99"),
        "{repaid}"
    );
    assert!(told[9][0].starts_with("repaid 230"), "{:?}", told[9]);
    assert!(told[11][0].starts_with("collected "), "{:?}", told[11]);
    assert!(
        told[12][0].starts_with("received 50042.08"),
        "{:?}",
        told[12]
    );
}

#[test]
fn a_falling_price_makes_a_liquidation() {
    let (_, told) = told(
        r#"
[[do]]
at = 1000
who = "sue"
supply = "50000"
market = "eth-market"
[[do]]
who = "bob"
post = "10"
market = "eth-market"
[[do]]
who = "bob"
borrow = "20000"
market = "eth-market"
[[do]]
who = "liz"
liquidate = "bob"
market = "eth-market"
seize = "1"
expect = "refused: healthy"
[[do]]
at = "+1m"
price = "1400"
feed = "eth-usd"
expect = "refused: price-step"
[[do]]
price = "1600"
feed = "eth-usd"
[[do]]
who = "bob"
price = "3000"
feed = "eth-usd"
expect = "refused: owner"
[[do]]
who = "liz"
liquidate = "bob"
market = "eth-market"
seize = "2 ETH"
max = "3100"
[[do]]
who = "liz"
liquidate = "bob"
market = "eth-market"
seize = "all"
[[do]]
who = "bob"
repay = "all"
market = "eth-market"
expect = "refused: zero"
"#,
    );
    // A ratio of 80 % gives a bonus of 6.38 %: 2 ETH are worth 3,200.
    assert!(told[7][0].starts_with("repaid 3008.00"), "{:?}", told[7]);
    assert_eq!(told[7][1], "seized 2 ETH");
    assert_eq!(told[8][1], "seized 8 ETH");
}

#[test]
fn what_makes_no_sense_is_told() {
    let first = "[[do]]\nat = 1\nwho = \"sue\"\nsupply = \"1 USDC\"\nmarket = \"eth-market\"\n";
    for (from, to, expected) in [
        (
            "feed = \"eth-usd\"",
            "feed = \"usd\"",
            "found no feed named `usd`, expected one of eth-usd",
        ),
        (
            "lltv = \"80%\"",
            "lltv = \"99%\"",
            "line 24: found that the statement is refused: lltv",
        ),
        (
            "rate = \"4%\"",
            "rate = \"4\"",
            "found `4`, expected a percentage",
        ),
        (
            "loan = \"USDC\"",
            "loan = \"ETH\"",
            "expected an amount of ETH in ETH",
        ),
        (
            "name = \"eth-market\"",
            "name = \"eth-usd\"",
            "found `eth-usd` twice",
        ),
        (
            "asset = \"ETH\"",
            "asset = \"EUR\"",
            "found no asset named `EUR`",
        ),
        (
            "price = \"3000 USDC\"",
            "price = \"3000\"",
            "expected an amount of an asset",
        ),
    ] {
        let text = format!("{}{first}", MARKET.replacen(from, to, 1));
        let error = error(&text);
        assert!(error.contains(expected), "{error}\n{expected}");
    }
    let text = format!("{MARKET}{}", first.replace("eth-market", "market"));
    let expected =
        "line 38, statement 1: found no market named `market`, expected one of eth-market";
    assert_eq!(error(&text), expected);
}
