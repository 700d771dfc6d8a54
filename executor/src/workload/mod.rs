//! Reproducible batches for tests and benchmarks: the same seed gives the same bytes.

mod builder;
mod random;

pub use builder::{Body, Builder, Keys};
pub use random::Random;

use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::{State, StateFile, VaultEntry};
use shardfold_protocol::transaction::{ADDRESS_BYTES, FeePayment};

/// The asset of the vaults of a workload.
pub const ASSET: Asset = 7;
/// The chain of a workload.
pub const CHAIN_ID: u64 = 1_001;
/// What each vault holds at first.
pub const BALANCE: u64 = 1 << 40;
/// The length of a chain of [`Pattern::Chains`].
const CHAIN_LENGTH: u32 = 16;

/// Who pays whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Transfers between pairs of vaults; no vault appears twice while there are enough.
    Independent,
    /// Transfers from all vaults to one.
    HotReceiver,
    /// Transfers from one vault to all.
    HotSender,
    /// Transfers that pass money on, from vault to vault, 16 vaults long.
    Chains,
    /// Random transfers, one in five to a new vault, with a tenth of deposits and a tenth of
    /// withdrawals; all valid.
    Mixed,
    /// As `Mixed`, but a third of the transactions breaks a rule.
    Faulty,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Independent,
        Self::HotReceiver,
        Self::HotSender,
        Self::Chains,
        Self::Mixed,
        Self::Faulty,
    ];
}

/// A state and a batch for it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// A genesis.
    pub state: State,
    /// Starts at the genesis.
    pub batch: Batch,
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
        assert!(
            self.vaults >= 4 && self.keys > 0,
            "{self:?} has too few vaults or keys"
        );
        let keys = Keys::new(self.seed, self.keys);
        let state = genesis(&keys, self.vaults);
        let mut builder = Builder::new(&keys, &state);
        let mut random = Random::new(self.seed);
        for step in 0..self.transactions {
            self.push(&mut builder, &mut random, step as u32);
        }
        let batch = builder.sign();
        Workload { state, batch }
    }

    fn push(&self, builder: &mut Builder, random: &mut Random, step: u32) {
        let fee_vault = self.vaults - 1;
        let fee = FeePayment {
            amount: 1 + random.below(9),
            vault: fee_vault,
        };
        let amount = 1 + random.below(1_000);
        let (first, second) = match self.pattern {
            Pattern::Independent => (2 * step, 2 * step + 1),
            Pattern::HotReceiver => (1 + step % (fee_vault - 1), 0),
            Pattern::HotSender => (0, 1 + step % (fee_vault - 1)),
            Pattern::Chains => {
                let (chain, link) = (step / CHAIN_LENGTH, step % CHAIN_LENGTH);
                let first = chain * (CHAIN_LENGTH + 1) + link;
                (first, first + 1)
            }
            Pattern::Mixed => return self.push_any(builder, random, fee),
            Pattern::Faulty if random.below(3) > 0 => return self.push_any(builder, random, fee),
            Pattern::Faulty => return self.push_faulty(builder, random, fee),
        };
        let (from, to) = (first % fee_vault, second % fee_vault);
        let to = if from == to { (to + 1) % fee_vault } else { to };
        builder.push(builder.transfer(from, to, amount, fee));
    }

    /// A valid transaction of any kind.
    fn push_any(&self, builder: &mut Builder, random: &mut Random, fee: FeePayment) {
        let amount = 1 + random.below(1_000);
        let (from, to) = self.two_vaults(random);
        let body = match random.below(10) {
            0 => builder.deposit(to, amount, fee),
            1 => builder.withdraw(from, amount, fee, random.bytes::<ADDRESS_BYTES>()),
            2 | 3 => builder.transfer(
                from,
                self.vaults + random.below(1 << 20) as Index,
                amount,
                fee,
            ),
            _ => builder.transfer(from, to, amount, fee),
        };
        builder.push(body);
    }

    /// A transaction that breaks a rule.
    fn push_faulty(&self, builder: &mut Builder, random: &mut Random, fee: FeePayment) {
        let (from, to) = self.two_vaults(random);
        let mut transfer = match builder.transfer(from, to, 1, fee) {
            Body::Transfer(transfer) => transfer,
            other => return builder.push(other),
        };
        match random.below(8) {
            0 => transfer.nonce += 1,
            1 => transfer.amount = BALANCE * u64::from(self.vaults) * 2,
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
    fn two_vaults(&self, random: &mut Random) -> (Index, Index) {
        let choices = u64::from(self.vaults - 1);
        let from = random.below(choices);
        let to = (from + 1 + random.below(choices - 1)) % choices;
        (from as Index, to as Index)
    }
}

/// A genesis of vaults at indices 0, 1, ... with [`BALANCE`] of [`ASSET`] each; vault i
/// belongs to key i modulo the number of keys.
///
/// # Panics
/// Never: these vaults are well formed.
#[must_use]
pub fn genesis(keys: &Keys, vaults: u32) -> State {
    let entry = |index: Index| VaultEntry {
        index,
        owner: keys.get(index as usize).owner(),
        asset: ASSET,
        balance: BALANCE,
        nonce: 0,
    };
    let vaults = (0..vaults).map(entry).collect();
    State::try_from(&StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults,
    })
    .expect("ascending vaults with small balances")
}
