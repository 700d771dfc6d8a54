//! Who pays whom.

use shardfold_contracts::FeePayment;
use shardfold_protocol::address::Address;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::record::Index;

use super::{BALANCE, Body, Builder, Keys, Random, Workload, Zipf, genesis};

/// The length of a chain of [`Pattern::Chains`].
const CHAIN_LENGTH: usize = 256;

/// Who pays whom. The vaults of each pattern lie scattered over the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Transfers between pairs of vaults; no vault appears twice while there are enough.
    Independent,
    /// Transfers between vaults drawn by Zipf's law with exponent 1.
    Zipf,
    /// Transfers from all vaults to one.
    HotReceiver,
    /// Transfers from one vault to all.
    HotSender,
    /// Transfers from all vaults to one and back, in turn: each needs the one before it.
    Pool,
    /// Transfers that pass money on, from vault to vault, 256 vaults long.
    Chains,
    /// Random transfers, one in five to a new vault, with a tenth of deposits and a tenth of
    /// withdrawals; all valid.
    Mixed,
    /// As `Mixed`, but a third of the transactions breaks a rule.
    Faulty,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Independent,
        Self::Zipf,
        Self::HotReceiver,
        Self::HotSender,
        Self::Pool,
        Self::Chains,
        Self::Mixed,
        Self::Faulty,
    ];

    /// Returns the name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Zipf => "Zipf",
            Self::HotReceiver => "hot receiver",
            Self::HotSender => "hot sender",
            Self::Pool => "pool",
            Self::Chains => "chains",
            Self::Mixed => "mixed",
            Self::Faulty => "faulty",
        }
    }
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where all random choices come from.
    pub seed: u64,
    /// Who pays whom.
    pub pattern: Pattern,
    /// Vaults at genesis, at indices 0, 1, ...; at least 4. The last one earns the fees.
    pub vaults: u32,
    /// Transactions of the batch.
    pub transactions: usize,
    /// Different keys; vault i belongs to key i modulo this number. At least 1.
    pub keys: usize,
}

impl Plan {
    /// Carries it out, on all threads: signing takes about as long as checking.
    ///
    /// # Panics
    /// With fewer than 4 vaults or no key.
    #[must_use]
    pub fn build(&self) -> Workload {
        let keys = Keys::new(self.seed, self.keys);
        let state = genesis(&keys, self.vaults);
        let mut builder = Builder::new(&keys, &state);
        self.push_all(&mut builder);
        let batch = builder.sign();
        Workload { state, batch }
    }

    /// Appends the transactions to a batch on a [`genesis`] of so many vaults.
    ///
    /// # Panics
    /// With fewer than 4 vaults or no key.
    pub fn push_all(&self, builder: &mut Builder) {
        assert!(
            self.vaults >= 4 && self.keys > 0,
            "{self:?} has too few vaults or keys"
        );
        let mut steps = Steps::new(self);
        for step in 0..self.transactions {
            steps.push(builder, step);
        }
    }
}

/// A plan that is carried out.
struct Steps<'a> {
    plan: &'a Plan,
    random: Random,
    /// All vaults but that of the fees, shuffled.
    places: Vec<Index>,
    zipf: Zipf,
}

impl<'a> Steps<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let mut places: Vec<Index> = (0..plan.vaults - 1).collect();
        random.shuffle(&mut places);
        let zipf = Zipf::new(places.len());
        Self {
            plan,
            random,
            places,
            zipf,
        }
    }

    /// The vault of a number, from the first one again after the last.
    fn place(&self, number: usize) -> Index {
        self.places[number % self.places.len()]
    }

    fn push(&mut self, builder: &mut Builder, step: usize) {
        let fee = FeePayment {
            amount: 1 + self.random.below(9),
            vault: self.plan.vaults - 1,
        };
        let (hot, other) = (
            self.place(0),
            self.place(1 + step % (self.places.len() - 1)),
        );
        let (from, to) = match self.plan.pattern {
            Pattern::Independent => (self.place(2 * step), self.place(2 * step + 1)),
            Pattern::Zipf => self.two_popular_vaults(),
            Pattern::HotSender => (hot, other),
            Pattern::HotReceiver => (other, hot),
            Pattern::Pool if step.is_multiple_of(2) => (other, hot),
            Pattern::Pool => (hot, other),
            Pattern::Chains => {
                let (chain, link) = (step / CHAIN_LENGTH, step % CHAIN_LENGTH);
                let first = chain * (CHAIN_LENGTH + 1) + link;
                (self.place(first), self.place(first + 1))
            }
            Pattern::Mixed => return self.push_any(builder, fee),
            Pattern::Faulty if self.random.below(3) > 0 => return self.push_any(builder, fee),
            Pattern::Faulty => return self.push_faulty(builder, fee),
        };
        let amount = 1 + self.random.below(1_000);
        builder.push(builder.transfer(from, to, amount, fee));
    }

    /// A valid transaction of any kind.
    fn push_any(&mut self, builder: &mut Builder, fee: FeePayment) {
        let amount = 1 + self.random.below(1_000);
        let (from, to) = self.two_vaults();
        let body = match self.random.below(10) {
            0 => builder.deposit(to, amount, fee),
            1 => builder.withdraw(from, amount, fee, Address(self.random.bytes())),
            2 | 3 => {
                let to = self.plan.vaults + self.random.below(1 << 20) as Index;
                builder.transfer(from, to, amount, fee)
            }
            _ => builder.transfer(from, to, amount, fee),
        };
        builder.push(body);
    }

    /// A transaction that breaks a rule.
    fn push_faulty(&mut self, builder: &mut Builder, fee: FeePayment) {
        let (from, to) = self.two_vaults();
        let mut transfer = match builder.transfer(from, to, 1, fee) {
            Body::Transfer(transfer) => transfer,
            other => return builder.push(other),
        };
        match self.random.below(8) {
            0 => transfer.nonce += 1,
            1 => transfer.amount = BALANCE * u64::from(self.plan.vaults) * 2,
            2 => transfer.to = from,
            3 => transfer.asset += 1,
            4 => transfer.to_owner.reverse(),
            5 => transfer.fee.vault = Index::MAX,
            6 => transfer.amount = AMOUNT_LIMIT,
            _ => return builder.push_forged(Body::Transfer(transfer)),
        }
        builder.push(Body::Transfer(transfer));
    }

    /// Two different vaults, neither of which earns the fees.
    fn two_vaults(&mut self) -> (Index, Index) {
        let choices = u64::from(self.plan.vaults - 1);
        let from = self.random.below(choices);
        let to = (from + 1 + self.random.below(choices - 1)) % choices;
        (from as Index, to as Index)
    }

    /// Two different vaults, of which the first places are drawn most often.
    fn two_popular_vaults(&mut self) -> (Index, Index) {
        let from = self.zipf.draw(&mut self.random);
        loop {
            let to = self.zipf.draw(&mut self.random);
            if to != from {
                return (self.place(from), self.place(to));
            }
        }
    }
}
