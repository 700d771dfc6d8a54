//! Bodies that are right.

use super::*;

impl Ledger {
    pub fn create_market(&self) -> CreateMarket {
        CreateMarket {
            market: MARKET,
            loan: LOAN,
            collateral: COLLATERAL,
            price: PRICE,
            share_vault: Creator.shares(),
            lltv: 860_000,
            scale: SCALE,
            rates: RATES,
            signer: self.signer(Creator.loan()),
        }
    }

    pub fn price(&self, price: u64) -> Price {
        Price {
            index: PRICE,
            price,
            time: self.now,
            feeder: Feeder.owner(),
        }
    }

    pub fn accrue(&self) -> Accrue {
        Accrue {
            market: MARKET,
            until: self.now,
            rates: RATES,
        }
    }

    pub fn collect(&self) -> Collect {
        Collect {
            market: MARKET,
            share_vault: Creator.shares(),
        }
    }

    pub fn supply(&self, who: Who, amount: u64) -> Supply {
        Supply {
            market: MARKET,
            share_vault: who.shares(),
            amount,
            limit: 0,
            signer: self.signer(who.loan()),
        }
    }

    pub fn redeem(&self, who: Who, shares: u64) -> Redeem {
        Redeem {
            market: MARKET,
            share_vault: who.shares(),
            shares,
            limit: 0,
            signer: self.signer(who.loan()),
        }
    }

    pub fn post(&self, who: Who, amount: u64) -> Post {
        Post {
            market: MARKET,
            position: who.position(),
            amount,
            signer: self.signer(who.collateral()),
        }
    }

    pub fn take(&self, who: Who, amount: u64) -> Take {
        Take {
            market: MARKET,
            position: who.position(),
            price: PRICE,
            amount,
            signer: self.signer(who.collateral()),
        }
    }

    pub fn borrow(&self, who: Who, amount: u64) -> Borrow {
        Borrow {
            market: MARKET,
            position: who.position(),
            price: PRICE,
            amount,
            limit: LIMIT,
            signer: self.signer(who.loan()),
        }
    }

    pub fn repay(&self, who: Who, shares: u64) -> Repay {
        Repay {
            market: MARKET,
            position: who.position(),
            shares,
            limit: LIMIT,
            signer: self.signer(who.loan()),
        }
    }

    pub fn liquidate(&self, of: Who, seized: u64, shares: u64) -> Liquidate {
        Liquidate {
            market: MARKET,
            position: of.position(),
            price: PRICE,
            to: Liquidator.collateral(),
            seized,
            shares,
            limit: LIMIT,
            signer: self.signer(Liquidator.loan()),
        }
    }
}
