//! What is wrong is said with its line, what was found and what was expected.

use super::{WORLD, build};
use crate::workload::scenario::Scenario;

/// A statement of alice with these lines, the first of which is line 3 of the statement.
fn refused(lines: &str) -> String {
    build(&format!("[[do]]\nat = 1\n{lines}\n"))
        .expect_err(lines)
        .to_string()
}

#[test]
fn statements() {
    let first = WORLD.lines().count() + 1;
    let cases = [
        (
            "who = \"alice\"\nswap = \"5 ETHH\"\nto = \"USDC\"",
            3,
            "found no asset named `ETHH`, expected one of ETH, USDC, DAI",
        ),
        (
            "who = \"alicia\"\npay = \"5 ETH\"\nto = \"bob\"",
            2,
            "found no person named `alicia`, expected one of alice, bob, carol",
        ),
        (
            "who = \"alice\"\npay = \"5 ETH\"\nto = \"rob\"",
            4,
            "found no person named `rob`",
        ),
        (
            "who = \"alice\"\npay = \"0.0000000001 ETH\"\nto = \"bob\"",
            3,
            "which has 10 decimals, expected at most 9 for ETH",
        ),
        (
            "who = \"alice\"\npay = \"5000000000 ETH\"\nto = \"bob\"",
            3,
            "expected less than 2^62 of its smallest units",
        ),
        (
            "who = \"alice\"\npay = \"five ETH\"\nto = \"bob\"",
            3,
            "found `five`, expected a decimal number",
        ),
        (
            "who = \"alice\"\npay = 5\nto = \"bob\"",
            3,
            "found `5`, expected an amount of an asset",
        ),
        (
            "who = \"alice\"\npay = 5.1\nto = \"bob\"",
            3,
            "found the number 5.1, expected text",
        ),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\nto = \"USDC\"\nmin = \"1 DAI\"",
            5,
            "found `1 DAI`, expected an amount of USDC",
        ),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\nto = \"USDC\"\nmim = \"1\"",
            5,
            "unknown field `mim`",
        ),
        ("who = \"alice\"\nswap = \"5 ETH\"", 0, "missing field `to`"),
        (
            "who = \"alice\"",
            0,
            "found a statement that does nothing, expected one of pay, deposit",
        ),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\npay = \"5 ETH\"\nto = \"bob\"",
            0,
            "found a statement that does 2 things: pay, swap",
        ),
        ("pay = \"5 ETH\"\nto = \"bob\"", 0, "found no `who`"),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\nto = \"ETH\"",
            0,
            "found no path of 1 to 3 pools from ETH to ETH",
        ),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\nto = \"USDC\"\nthrough = [\"nowhere\"]",
            5,
            "found no pool named `nowhere`, expected one of eth-usdc, usdc-dai",
        ),
        (
            "who = \"alice\"\nswap = \"5 ETH\"\nto = \"USDC\"\nthrough = []",
            0,
            "expected the names of 1 to 3 pools",
        ),
        (
            "who = \"alice\"\nadd = { ETH = \"1\" }\npool = \"eth-usdc\"",
            4,
            "found amounts of ETH, expected amounts of both ETH and USDC",
        ),
        (
            "who = \"alice\"\nremove = \"101%\"\npool = \"eth-usdc\"",
            3,
            "found `101%`, expected a percentage",
        ),
        (
            "who = \"alice\"\nairdrop = \"1 USDC\"\nto = []",
            0,
            "found no `to`",
        ),
        (
            "who = \"alice\"\nwithdraw = \"1 ETH\"\nto = \"0x12\"",
            4,
            "found `0x12`, expected an address",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\nexpect = \"refuse\"",
            5,
            "found the expectation `refuse`",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\nexpect = \"refused: balance\"",
            5,
            "found that the statement is accepted, expected that it is refused: balance",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\nexpect = \"refused: ballance\"",
            5,
            "found the reason `ballance`, which no contract has",
        ),
        (
            "who = \"alice\"\npay = \"11 ETH\"\nto = \"bob\"",
            0,
            "found that the statement is refused: balance (found that -1000000000 would be left",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\nvalid = \"soon\"",
            5,
            "found `soon`, expected a duration",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\nfee = \"1 USDC\"",
            5,
            "found `1 USDC`, expected an amount of ETH",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\n[[do]]\nat = 0\nwho = \"bob\"\npay = \"1 ETH\"\nto = \"alice\"",
            6,
            "found time 0, expected 1 or later",
        ),
        (
            "who = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\n[[do]]\nat = \"noon\"\nwho = \"bob\"\npay = \"1 ETH\"\nto = \"alice\"",
            6,
            "found `noon`, expected a time",
        ),
    ];
    for (lines, line, expected) in cases {
        let error = refused(lines);
        // The statement starts one line after the world, `at` is its second line.
        let place = if line == 0 { first } else { first + line };
        let start = format!("line {place}, statement ");
        assert!(error.starts_with(&start), "{lines}\n{error}\n{start}");
        assert!(error.contains(expected), "{lines}\n{error}\n{expected}");
    }
}

#[test]
fn the_world() {
    let asset =
        "[[asset]]\nname = \"ETH\"\ndecimals = 9\n[[asset]]\nname = \"USDC\"\ndecimals = 6\n";
    let cases = [
        ("[[asset]", 1, ""),
        (
            "[[asset]]\nname = \"E TH\"\ndecimals = 9\n",
            2,
            "found the name `E TH`",
        ),
        ("[[asset]]\nname = \"ETH\"\n", 1, "missing field `decimals`"),
        (
            "[[asset]]\nname = \"ETH\"\ndecimals = -1\n",
            3,
            "invalid value",
        ),
        (&format!("{asset}{asset}"), 8, "found `ETH` twice"),
        (
            &format!("{asset}[[person]]\nname = \"a\"\nhas = {{ DAI = \"1\" }}\n"),
            9,
            "found no asset named `DAI`, expected one of ETH, USDC",
        ),
        (
            &format!("{asset}[[person]]\nname = \"a\"\nhas = {{ ETH = \"1 USDC\" }}\n"),
            9,
            "found `1 USDC`, expected an amount of ETH",
        ),
        (
            &format!("{asset}[[pool]]\nname = \"p\"\nof = \"a\"\nhas = {{ ETH = \"1\" }}\n"),
            9,
            "found no person named `a`, expected none: there are none",
        ),
        (
            &format!(
                "{asset}[[person]]\nname = \"a\"\n[[pool]]\nname = \"p\"\nof = \"a\"\nhas = {{ ETH = \"1\" }}\n"
            ),
            9,
            "found amounts of ETH, expected amounts of both",
        ),
        (
            &format!(
                "{asset}[[person]]\nname = \"a\"\n[[pool]]\nname = \"p\"\nof = \"a\"\nfee = \"11%\"\nhas = {{ ETH = \"1\", USDC = \"1\" }}\n"
            ),
            12,
            "found `11%`, expected a percentage such as \"0.3%\" of at most 10%",
        ),
        (
            &format!(
                "{asset}[[person]]\nname = \"a\"\n[[pool]]\nname = \"p\"\nof = \"a\"\nhas = {{ ETH = \"0.000001\", USDC = \"0.001\" }}\n"
            ),
            9,
            "found reserves that are worth 1000 shares",
        ),
        (
            "people = 3\n",
            1,
            "unknown field `people`, expected one of `asset`, `person`, `pool`, `feed`, `market`, `do`",
        ),
        ("do = 3\n", 1, "found a `do` that is no list"),
        ("", 1, "found no [[do]]"),
    ];
    for (text, line, expected) in cases {
        let with_statement = match text.starts_with("do") || text.is_empty() {
            true => text.to_owned(),
            false => format!("{text}\n[[do]]\nat = 1\nwho = \"a\"\npay = \"0 ETH\"\nto = \"a\"\n"),
        };
        let built = Scenario::read(&with_statement)
            .and_then(|scenario| scenario.build(super::standard(), super::OPTIONS, super::SHAPES));
        let error = built.expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("line {line}: ")),
            "{text}\n{error}"
        );
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn the_first_statement_says_its_time() {
    let error =
        build("[[do]]\nwho = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\n").expect_err("no time");
    assert!(
        error
            .to_string()
            .contains("found no `at` in the first statement"),
        "{error}"
    );
    let error = build("[[do]]\nat = \"+1h\"\nwho = \"alice\"\npay = \"1 ETH\"\nto = \"bob\"\n");
    assert!(
        error
            .expect_err("after nothing")
            .to_string()
            .contains("found `+1h`")
    );
}

/// Whatever is in a file, there is an answer.
#[test]
fn no_text_makes_it_panic() {
    let whole =
        format!("{WORLD}[[do]]\nat = 1\nwho = \"alice\"\nswap = \"5 ETH\"\nto = \"USDC\"\n");
    for end in (0..whole.len()).step_by(3) {
        let _ = Scenario::read(&whole[..end])
            .map(|scenario| scenario.build(super::standard(), super::OPTIONS, super::SHAPES));
        for other in ["\"", "9", "=", "[", "\u{1f980}", "-"] {
            let text = format!("{}{other}{}", &whole[..end], &whole[end..]);
            let _ = Scenario::read(&text)
                .map(|scenario| scenario.build(super::standard(), super::OPTIONS, super::SHAPES));
        }
    }
}
