//! Small markets, all of them or many: no sequence of operations takes value from the suppliers by
//! rounding. What `model/search.py` of the design did in integers, on the rules themselves.

use std::collections::BTreeSet;

use super::*;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A small market with a position, covered or not.
pub fn random_ledger(random: &mut Random) -> Ledger {
    let sa = 10 + random.below(1_000_000);
    let ba = 1 + random.below(sa - 1);
    let bs = ba + random.below(ba * 1_023 + 1);
    let totals = Totals {
        sa,
        ss: 1_000_000,
        ba,
        bs,
        fee_shares: 0,
    };
    let position = (1 + random.below(2_000), 1 + random.below(bs));
    let mut ledger = Ledger::with_totals(totals, position);
    ledger.vault(Supplier.shares(), SHARE, 1_000_000, Supplier.owner());
    let scale = [1, 7, 1_000][random.below(3) as usize];
    ledger.set(MARKET + 1, 5, scale);
    ledger.set_price(1 + random.below(2_000), NOW);
    ledger
}

fn floor(a: u64, b: u64, d: u64) -> u128 {
    u128::from(a) * u128::from(b) / u128::from(d)
}

fn ceil(a: u64, b: u64, d: u64) -> u128 {
    (u128::from(a) * u128::from(b)).div_ceil(u128::from(d))
}

/// The health of the borrower's position, from its definition.
pub fn is_healthy(ledger: &Ledger) -> bool {
    let (collateral, debt) = ledger.position(Borrower);
    let Totals { ba, bs, .. } = ledger.totals();
    let term = |element| ledger.get(MARKET + 1, element);
    let worth = floor(collateral, ledger.get(PRICE, 1), term(5));
    let may = worth * u128::from(term(3)) / u128::from(PPM);
    may >= ceil(debt, ba + 1, bs + VIRTUAL_SHARES)
}

/// How many shares a liquidation needs, from its definition.
pub fn needed(ledger: &Ledger, seized: u64) -> Option<u64> {
    let Totals { ba, bs, .. } = ledger.totals();
    let term = |element| ledger.get(MARKET + 1, element);
    let worth = ceil(seized, ledger.get(PRICE, 1), term(5));
    let due = ceil(u64::try_from(worth).ok()?, PPM, term(4));
    let shares = ceil(u64::try_from(due).ok()?, bs + VIRTUAL_SHARES, ba + 1);
    u64::try_from(shares).ok()
}

/// Of each side: assets and shares with the virtual ones.
fn sides(ledger: &Ledger) -> [(u128, u128); 2] {
    let Totals { sa, ss, ba, bs, .. } = ledger.totals();
    let whole = |assets, shares| (u128::from(assets) + 1, u128::from(shares) + 1_024);
    [whole(sa, ss), whole(ba, bs)]
}

/// What a share is worth never falls for suppliers, and never falls for what is owed.
#[test]
fn no_operation_lowers_the_worth_of_a_share() {
    let mut random = Random(1);
    let mut count = 0;
    for _ in 0..1_500 {
        let sa = random.below(60);
        let ba = random.below(sa + 1);
        let bs = random.below(4_000);
        let totals = Totals {
            sa,
            ss: random.below(3_000),
            ba,
            bs,
            fee_shares: 0,
        };
        let mut start = Ledger::with_totals(totals, (1_000_000, random.below(bs + 1)));
        start.vault(Supplier.shares(), SHARE, totals.ss, Supplier.owner());
        let [(assets, shares), (owed, debt_shares)] = sides(&start);
        for x in [1, 2, 5, 17] {
            let mut ledger = start.clone();
            if ledger
                .apply_fast(&ledger.supply(Supplier, x), Supplier)
                .is_ok()
            {
                count += 1;
                let [(after, after_shares), _] = sides(&ledger);
                assert!(after * shares >= assets * after_shares);
                // What was bought is worth no more than what it cost.
                let got = ledger.balance(Supplier.shares()) - totals.ss;
                let before = ledger.balance(Supplier.loan());
                let back = ledger.apply_fast(&ledger.redeem(Supplier, got), Supplier);
                assert!(back.is_err() || ledger.balance(Supplier.loan()) <= before + x);
            }
            let mut ledger = start.clone();
            if ledger
                .apply_fast(&ledger.borrow(Borrower, x), Borrower)
                .is_ok()
            {
                count += 1;
                let [_, (after, after_shares)] = sides(&ledger);
                // More shares a unit are owed by nobody.
                assert!(after * debt_shares <= owed * after_shares);
            }
        }
        for s in [1, 3, 77, 500, 1_500, start.position(Borrower).1] {
            let mut ledger = start.clone();
            if ledger
                .apply_fast(&ledger.redeem(Supplier, s), Supplier)
                .is_ok()
            {
                count += 1;
                let [(after, after_shares), _] = sides(&ledger);
                assert!(after * shares >= assets * after_shares);
            }
            let mut ledger = start.clone();
            let before = ledger.balance(Borrower.loan());
            if ledger
                .apply_fast(&ledger.repay(Borrower, s), Borrower)
                .is_ok()
            {
                count += 1;
                let paid = before - ledger.balance(Borrower.loan());
                let after = ledger.totals();
                assert_eq!(after.sa - after.ba, totals.sa - totals.ba + paid);
            }
        }
    }
    assert!(count > 5_000, "{count}");
}

/// The state of an attacker alone in an empty market: the market, what he holds, his shares.
type Alone = (Totals, u64, u64);

fn ledger_of((totals, held, shares): Alone) -> Ledger {
    let mut ledger = Ledger::funded(1_000);
    ledger.accepts_fast_market();
    ledger.set_totals(totals);
    ledger.vault(Liquidator.loan(), LOAN, held, Liquidator.owner());
    ledger.vault(Liquidator.shares(), SHARE, shares, Liquidator.owner());
    ledger
}

fn state_of(ledger: &Ledger) -> Alone {
    let held = ledger.balance(Liquidator.loan());
    (ledger.totals(), held, ledger.balance(Liquidator.shares()))
}

impl Ledger {
    fn accepts_fast_market(&mut self) {
        let body = self.create_market();
        assert!(self.apply_fast(&body, Creator).is_ok());
    }
}

/// What an attacker can do next.
fn moves(state: Alone) -> Vec<Alone> {
    let start = ledger_of(state);
    let (_, held, shares) = state;
    let mut next = vec![];
    for x in 1..=held {
        let mut ledger = start.clone();
        if ledger
            .apply_fast(&ledger.supply(Liquidator, x), Liquidator)
            .is_ok()
        {
            next.push(state_of(&ledger));
        }
    }
    let some = [
        1,
        2,
        3,
        512,
        1_023,
        1_024,
        shares / 2,
        shares.saturating_sub(1),
        shares,
    ];
    for s in some.into_iter().filter(|s| (1..=shares).contains(s)) {
        let mut ledger = start.clone();
        if ledger
            .apply_fast(&ledger.redeem(Liquidator, s), Liquidator)
            .is_ok()
        {
            next.push(state_of(&ledger));
        }
    }
    next
}

/// Hundred, Sonne and the inflation of an empty vault's shares: an attacker with 14 units in an empty
/// market, in every state of six moves, and a victim who supplies 100 units at any of them.
#[test]
fn nobody_gains_in_an_empty_market() {
    let mut seen: BTreeSet<Alone> = BTreeSet::new();
    let mut front = vec![(Totals::default(), 14, 0)];
    for _ in 0..6 {
        let mut next = vec![];
        for state in front.into_iter().flat_map(moves) {
            if seen.insert(state) {
                next.push(state);
            }
        }
        front = next;
    }
    let (mut gain, mut loss) = (i64::MIN, 0);
    for &state in &seen {
        let mut ledger = ledger_of(state);
        if ledger
            .apply_fast(&ledger.supply(Supplier, 100), Supplier)
            .is_err()
        {
            continue;
        }
        let (_, _, shares) = state;
        if shares > 0
            && ledger
                .apply_fast(&ledger.redeem(Liquidator, shares), Liquidator)
                .is_err()
        {
            continue;
        }
        gain = gain.max(ledger.balance(Liquidator.loan()) as i64 - 14);
        let shares = ledger.balance(Supplier.shares());
        let back = ledger.apply_fast(&ledger.redeem(Supplier, shares), Supplier);
        assert!(back.is_ok());
        loss = loss.max(1_000 - ledger.balance(Supplier.loan()));
    }
    println!("{} states, gain {gain}, loss {loss}", seen.len());
    assert!(seen.len() > 5_000);
    assert!(gain <= 0 && loss <= 1, "{gain} {loss}");
}
