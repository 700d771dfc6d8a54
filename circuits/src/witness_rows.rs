//! A shard generated over its records: what each rule reads and writes, as the chips' traces
//! need it. Signatures and ownership are not checked here: a shard that breaks those rules
//! gives traces that break constraints.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::shape::FEE_CLOCK;
use shardfold_protocol::transaction::{
    Deposit, Digests, FeePayment, Kind, Signed, Transaction, Transfer, Withdraw, digests_of,
};
use shardfold_protocol::witness::ShardWitness;

use crate::chips::record::TouchedRecord;
use crate::error::TraceError;

/// All that the shard's transactions do.
#[derive(Clone, Debug, Default)]
pub struct WitnessRows {
    /// Every transaction in order: the first has clock 1.
    pub ledger: Vec<LedgerRow>,
    /// The transfers in order.
    pub transfers: Vec<TransferRow>,
    /// The deposits in order.
    pub deposits: Vec<DepositRow>,
    /// The withdrawals in order.
    pub withdraws: Vec<WithdrawRow>,
    /// The credits of fees, by ascending vault.
    pub fees: Vec<FeeRow>,
    /// The signatures that are required, in order.
    pub signatures: Vec<SignatureRow>,
    /// Every record of the witness, by ascending index.
    pub records: Vec<TouchedRecord>,
}

/// One transaction as the ledger sees it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerRow {
    /// Which rule applies.
    pub kind: Kind,
    /// Its hashes.
    pub digests: Digests,
}

/// One transfer.
#[derive(Clone, Copy, Debug)]
pub struct TransferRow {
    /// Its position in the shard, from 1.
    pub clock: u32,
    /// What is signed.
    pub body: Transfer,
    /// The access of the paying vault.
    pub from: Access,
    /// The access of the receiving vault.
    pub to: Access,
}

/// One deposit.
#[derive(Clone, Copy, Debug)]
pub struct DepositRow {
    /// Its position in the shard, from 1.
    pub clock: u32,
    /// What the queue says and where it goes.
    pub body: Deposit,
    /// The access of the receiving vault.
    pub to: Access,
}

/// One withdrawal.
#[derive(Clone, Copy, Debug)]
pub struct WithdrawRow {
    /// Its position in the shard, from 1.
    pub clock: u32,
    /// What is signed.
    pub body: Withdraw,
    /// The access of the paying vault.
    pub from: Access,
}

/// The fees that the shard pays into one vault.
#[derive(Clone, Copy, Debug)]
pub struct FeeRow {
    /// Their sum.
    pub total: u64,
    /// The access of the vault, at [`FEE_CLOCK`].
    pub vault: Access,
}

/// One signature that a rule requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureRow {
    /// Which of the witness's transactions it authorises, from 0.
    pub transaction: usize,
    /// Who must have signed: the owner of the paying vault.
    pub owner: Digest,
    /// What must be signed.
    pub digest: Digest,
}

/// One access of a record by a rule.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Where the record lies.
    pub index: Index,
    /// When it was last written.
    pub old_clock: u32,
    /// The record as it is taken.
    pub before: Record,
    /// The balance that is written back, below 2^62.
    pub new_balance: u64,
}

/// Plays the transactions of a shard over its records.
///
/// # Errors
///
/// The witness's records are out of order or not enough, an amount cannot be moved.
pub fn witness_rows(witness: &ShardWitness) -> Result<WitnessRows, TraceError> {
    let mut generator = Generator::new(witness)?;
    let chain_id = F::from_u64(witness.statement.chain_id);
    let digests = digests_of(&witness.transactions, chain_id);
    for (position, (transaction, digests)) in (0..).zip(witness.transactions.iter().zip(digests)) {
        generator.play(position, transaction, digests)?;
    }
    generator.finish()
}

struct Generator {
    records: BTreeMap<Index, TouchedRecord>,
    fees: BTreeMap<(Index, Asset), u64>,
    rows: WitnessRows,
}

impl Generator {
    fn new(witness: &ShardWitness) -> Result<Self, TraceError> {
        for (position, pair) in witness.records.windows(2).enumerate() {
            if let [(previous, _), (found, _)] = *pair
                && previous >= found
            {
                let position = position + 1;
                return Err(TraceError::Order {
                    position,
                    found,
                    previous,
                });
            }
        }
        let records = witness.records.iter().map(|&(index, first)| {
            let record = TouchedRecord {
                index,
                first,
                last: first,
                last_clock: 0,
            };
            (index, record)
        });
        Ok(Self {
            records: records.collect(),
            fees: BTreeMap::new(),
            rows: WitnessRows::default(),
        })
    }

    fn play(
        &mut self,
        position: u32,
        transaction: &Transaction,
        digests: Digests,
    ) -> Result<(), TraceError> {
        let clock = position + 1;
        match transaction {
            Transaction::Transfer(Signed { body, .. }) => {
                let from = self.debit(clock, body.from, body.amount, body.fee.amount)?;
                let to = self.credit(clock, body.to, body.to_owner, body.asset, body.amount)?;
                self.require_signature(position, &from, &digests);
                self.rows.transfers.push(TransferRow {
                    clock,
                    body: *body,
                    from,
                    to,
                });
            }
            Transaction::Deposit(body) => {
                let to = self.credit(clock, body.to, body.owner, body.asset, body.amount)?;
                self.rows.deposits.push(DepositRow {
                    clock,
                    body: *body,
                    to,
                });
            }
            Transaction::Withdraw(Signed { body, .. }) => {
                let from = self.debit(clock, body.from, body.amount, body.fee.amount)?;
                self.require_signature(position, &from, &digests);
                self.rows.withdraws.push(WithdrawRow {
                    clock,
                    body: *body,
                    from,
                });
            }
        }
        self.owe(transaction.fee(), transaction.asset())?;
        self.rows.ledger.push(LedgerRow {
            kind: transaction.kind(),
            digests,
        });
        Ok(())
    }

    fn require_signature(&mut self, position: u32, from: &Access, digests: &Digests) {
        let [_, _, _, _, owner @ ..] = from.before.0;
        self.rows.signatures.push(SignatureRow {
            transaction: position as usize,
            owner,
            digest: digests.transaction,
        });
    }

    fn debit(
        &mut self,
        clock: u32,
        index: Index,
        amount: u64,
        fee: u64,
    ) -> Result<Access, TraceError> {
        self.access(clock, index, |record| {
            let vault = record.vault().ok_or(TraceError::NotAVault { index })?;
            let rest = vault.balance.checked_sub(amount);
            let balance =
                rest.and_then(|rest| rest.checked_sub(fee))
                    .ok_or(TraceError::Overdraft {
                        index,
                        balance: vault.balance,
                        amount,
                        fee,
                    })?;
            Ok(Vault {
                balance,
                // As the field adds: no vault gets near its order.
                nonce: vault.nonce.wrapping_add(1),
                ..vault
            })
        })
    }

    fn credit(
        &mut self,
        clock: u32,
        index: Index,
        owner: Digest,
        asset: Asset,
        amount: u64,
    ) -> Result<Access, TraceError> {
        self.access(clock, index, |record| {
            let vault = if record.is_empty() {
                Vault {
                    owner,
                    asset,
                    balance: 0,
                    nonce: 0,
                }
            } else {
                record.vault().ok_or(TraceError::NotAVault { index })?
            };
            gain(index, vault, amount)
        })
    }

    fn owe(&mut self, fee: FeePayment, asset: Asset) -> Result<(), TraceError> {
        if fee.amount == 0 {
            return Ok(());
        }
        let total = self.fees.entry((fee.vault, asset)).or_default();
        *total = total
            .checked_add(fee.amount)
            .ok_or(TraceError::BalanceTooLarge {
                index: fee.vault,
                balance: *total,
                amount: fee.amount,
            })?;
        Ok(())
    }

    fn finish(mut self) -> Result<WitnessRows, TraceError> {
        for ((index, _), total) in core::mem::take(&mut self.fees) {
            let vault = self.access(FEE_CLOCK, index, |record| {
                let vault = record.vault().ok_or(TraceError::NotAVault { index })?;
                gain(index, vault, total)
            })?;
            self.rows.fees.push(FeeRow { total, vault });
        }
        self.rows.records = self.records.into_values().collect();
        Ok(self.rows)
    }

    /// Takes a record and writes back what `rule` makes of it.
    fn access(
        &mut self,
        clock: u32,
        index: Index,
        rule: impl FnOnce(&Record) -> Result<Vault, TraceError>,
    ) -> Result<Access, TraceError> {
        let record = self
            .records
            .get_mut(&index)
            .ok_or(TraceError::MissingRecord { index })?;
        if record.last_clock >= clock {
            return Err(TraceError::ClockNotLater {
                index,
                old: record.last_clock,
                new: clock,
            });
        }
        let vault = rule(&record.last)?;
        let access = Access {
            index,
            old_clock: record.last_clock,
            before: record.last,
            new_balance: vault.balance,
        };
        record.last = vault.into();
        record.last_clock = clock;
        Ok(access)
    }
}

fn gain(index: Index, vault: Vault, amount: u64) -> Result<Vault, TraceError> {
    let balance = vault
        .balance
        .checked_add(amount)
        .filter(|&balance| balance < AMOUNT_LIMIT)
        .ok_or(TraceError::BalanceTooLarge {
            index,
            balance: vault.balance,
            amount,
        })?;
    Ok(Vault { balance, ..vault })
}
