//! The trace of the transaction table, and what the shard's transactions leave for other chips.

use std::collections::BTreeMap;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_contracts::layout::{Cursor, LIMB_BITS, SHORT_SCALE, prefix};
use shardfold_contracts::readings::{
    Authority, Context, Division, Effect, Fill, Notes, Prepared, Run, VaultNote,
};
use shardfold_contracts::set::Plan;
use shardfold_contracts::{Contracts, Reject, nothing};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::record::{Index, KIND_VAULT, Record};
use shardfold_protocol::shape::FEE_CLOCK;
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::witness::ShardWitness;

use crate::chips::record::TouchedRecord;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;

/// All that the shard's transactions do.
#[derive(Clone, Debug)]
pub struct TransactionRows {
    /// The table.
    pub trace: RowMajorMatrix<F>,
    /// What is asked of other chips.
    pub events: LookupEvents,
    /// The signatures that are required, in order.
    pub signatures: Vec<RequiredSignature>,
    /// The vaults that are used by rows of their own, in order.
    pub vaults: Vec<VaultNote>,
    /// The exact divisions, equal ones too.
    pub divisions: Vec<Division>,
    /// The credits of fees, by ascending vault.
    pub fees: Vec<FeeRow>,
    /// Every record of the witness, by ascending index, as it is after the fees.
    pub records: Vec<TouchedRecord>,
}

/// One signature that a rule requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredSignature {
    /// Which of the witness's transactions it authorises, from 0.
    pub transaction: usize,
    /// Who must have signed.
    pub owner: Digest,
    /// What must be signed.
    pub digest: Digest,
}

/// The fees that the shard pays into one vault.
#[derive(Clone, Copy, Debug)]
pub struct FeeRow {
    /// Their sum.
    pub total: u64,
    /// The access of the vault, at [`FEE_CLOCK`].
    pub vault: Access,
}

/// One access of a vault.
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

/// Plays the transactions of a shard over its records. Signatures are not checked here.
///
/// # Errors
/// The witness's records are out of order or not enough, there are more steps than rows, or a
/// transaction breaks a rule.
pub fn generate(
    contracts: &Contracts,
    witness: &ShardWitness,
    log_height: usize,
) -> Result<TransactionRows, TraceError> {
    let mut table = Table::new(contracts, witness, log_height)?;
    for transaction in &witness.transactions {
        table.play(transaction)?;
    }
    table.finish()
}

/// A transaction as its contract reads it.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    /// The number of the contract in the list.
    pub contract: usize,
    /// The elements.
    pub words: &'a [F],
    /// Who authorises it. That a signature holds is found out when the ladders are made.
    pub authority: Authority,
}

/// The table as far as it is filled.
pub struct Table<'a> {
    contracts: &'a Contracts,
    log_height: usize,
    values: Vec<F>,
    /// Rows that are filled.
    rows: usize,
    /// Transactions that are in it.
    transactions: usize,
    /// Whether rows are filled after a check that fails too: for tests of what constraints refuse.
    is_lenient: bool,
    /// Before the next row.
    head: Head,
    context: Context,
    /// Limbs of the time that passes.
    elapsed: [u16; 2],
    records: BTreeMap<Index, TouchedRecord>,
    fees: BTreeMap<(Index, u64), u64>,
    notes: Notes,
    signatures: Vec<RequiredSignature>,
    effect: Effect,
}

impl<'a> Table<'a> {
    /// Starts a table.
    ///
    /// # Errors
    /// Records out of order.
    pub fn new(
        contracts: &'a Contracts,
        witness: &ShardWitness,
        log_height: usize,
    ) -> Result<Self, TraceError> {
        let head = witness.statement.before;
        let width = contracts.layout().width();
        let Statement { before, after, .. } = &witness.statement;
        let passed = after.time.checked_sub(before.time);
        let passed = passed.and_then(|passed| u32::try_from(passed).ok());
        let elapsed = passed.ok_or(TraceError::Time {
            found: after.time,
            before: before.time,
        })?;
        // The casts keep the low and the high half.
        let elapsed = [elapsed as u16, (elapsed >> LIMB_BITS) as u16];
        let notes = Notes {
            range: elapsed.to_vec(),
            ..Notes::default()
        };
        Ok(Self {
            contracts,
            elapsed,
            log_height,
            values: F::zero_vec(width << log_height),
            rows: 0,
            transactions: 0,
            is_lenient: false,
            head,
            context: Context {
                chain_id: F::from_u64(witness.statement.chain_id),
                time: witness.statement.after.time,
                queue_count: head.queue_count,
            },
            records: touched(&witness.records)?,
            fees: BTreeMap::new(),
            notes,
            signatures: vec![],
            effect: Effect::default(),
        })
    }

    /// Goes on after checks that fail: for tests of what constraints refuse.
    pub const fn make_lenient(&mut self) {
        self.is_lenient = true;
    }

    fn play(&mut self, transaction: &Transaction) -> Result<(), TraceError> {
        let position = self.transactions;
        let rejected = |reject| TraceError::Rejected { position, reject };
        let number = self.contracts.number(transaction).map_err(rejected)?;
        let chain_id = self.context.chain_id;
        // That the signature holds is found out when the ladders are made.
        let authority = transaction
            .authorization
            .map_or(Authority::NONE, |signed| Authority {
                owner: signed.public_key.owner(chain_id, &signed.exit_address),
                has_signed: true,
            });
        self.check_accesses(transaction)?;
        self.play_body(&Body {
            contract: number,
            words: &transaction.words,
            authority,
        })
    }

    /// Adds the rows of one transaction.
    ///
    /// # Errors
    /// More rows than there are, a broken rule, or a record that is not in the witness.
    pub fn play_body(&mut self, body: &Body<'_>) -> Result<(), TraceError> {
        let position = self.transactions;
        let rejected = |reject| TraceError::Rejected { position, reject };
        let contracts = self.contracts;
        let plan = contracts
            .plan(body.contract, body.words)
            .map_err(rejected)?;
        let rows = self.rows + plan.path.len();
        TraceError::check_rows("transaction", rows, self.log_height)?;
        self.fill(body, &plan).map_err(rejected)?;
        self.apply(position)?;
        self.transactions += 1;
        Ok(())
    }

    /// All that the transaction will touch is among the witness's records.
    fn check_accesses(&self, transaction: &Transaction) -> Result<(), TraceError> {
        let mut accesses = vec![];
        self.contracts.accesses(transaction, &mut accesses);
        let is_missing = |index: &Index| !self.records.contains_key(index);
        let mut indices = accesses.iter().map(|access| access.index);
        match indices.find(is_missing) {
            Some(index) => Err(TraceError::MissingRecord { index }),
            None => Ok(()),
        }
    }

    /// Fills the rows of a transaction; what it does is left in `effect`.
    fn fill(&mut self, body: &Body<'_>, plan: &Plan<'_>) -> Result<(), Reject> {
        let clock = self.transactions as u32 + 1;
        let prepared = Prepared {
            digests: [ZERO_DIGEST; 2],
            authority: body.authority,
        };
        let records = &self.records;
        let read = |index| {
            records
                .get(&index)
                .map_or(Record::EMPTY, |touched| touched.last)
        };
        let last_clock = |index| records.get(&index).map_or(0, |touched| touched.last_clock);
        self.effect.clear();
        let (context, effect) = (&self.context, &mut self.effect);
        let mut run = Run::new(body.words, context, (&prepared, 0), &read, effect);
        if self.is_lenient {
            run.make_lenient();
        }
        let layout = self.contracts.layout();
        let mut carried = nothing();
        for step in plan.path.steps() {
            let row = &mut self.values[self.rows * layout.width()..][..layout.width()];
            start_row(row, &self.head, self.elapsed);
            row[prefix::IS_FIRST] = F::from_bool(self.rows == 0);
            row[prefix::CLOCK] = F::from_u32(clock);
            row[layout.selector(plan.first + step)] = F::ONE;
            for (i, carried) in carried.into_iter().enumerate().take(layout.carried) {
                row[layout.carried_at() + i] = carried;
            }
            let cursor = Cursor::new(layout);
            let mut m = Fill::new(run, row, cursor, &last_clock, &mut self.notes);
            carried = plan.law.fill(step, &mut m, carried)?;
            run = m.into_run();
            end_row(row, &mut self.head);
            self.rows += 1;
        }
        Ok(())
    }

    /// Does what the transaction does to records, fees and head.
    fn apply(&mut self, position: usize) -> Result<(), TraceError> {
        let clock = position as u32 + 1;
        for &(index, record) in &self.effect.writes {
            let Some(touched) = self.records.get_mut(&index) else {
                if self.is_lenient {
                    continue;
                }
                return Err(TraceError::MissingRecord { index });
            };
            (touched.last, touched.last_clock) = (record, clock);
        }
        if let Some(fee) = self.effect.fee {
            let asset = fee.asset.as_canonical_u64();
            let total = self.fees.entry((fee.vault, asset)).or_default();
            *total = total.saturating_add(fee.amount);
        }
        self.context.queue_count += u64::from(self.effect.entries.queued.is_some());
        let required = self.notes.signatures.drain(..);
        self.signatures
            .extend(required.map(|(owner, digest)| RequiredSignature {
                transaction: position,
                owner,
                digest,
            }));
        Ok(())
    }

    /// Fills the rest with padding and collects the fees.
    ///
    /// # Errors
    /// A fee vault that is none, or that would hold too much.
    pub fn finish(mut self) -> Result<TransactionRows, TraceError> {
        self.pad();
        let width = self.contracts.layout().width();
        let mut events = LookupEvents {
            hashes: self.notes.hashes,
            range: self.notes.range,
        };
        look_limbs_up(self.contracts, &self.values, &mut events);
        let mut fees = vec![];
        for ((index, asset), total) in core::mem::take(&mut self.fees) {
            fees.push(collect(&mut self.records, index, asset, total)?);
        }
        Ok(TransactionRows {
            trace: RowMajorMatrix::new(self.values, width),
            events,
            signatures: self.signatures,
            vaults: self.notes.vaults,
            divisions: self.notes.divisions,
            fees,
            records: self.records.into_values().collect(),
        })
    }

    /// Returns the table alone, whatever becomes of the fees.
    #[must_use]
    pub fn into_trace(mut self) -> RowMajorMatrix<F> {
        self.pad();
        RowMajorMatrix::new(self.values, self.contracts.layout().width())
    }

    fn pad(&mut self) {
        let width = self.contracts.layout().width();
        let clock = self.signed_clock();
        for (number, row) in self
            .values
            .chunks_exact_mut(width)
            .enumerate()
            .skip(self.rows)
        {
            // Padding keeps the head and the last clock.
            start_row(row, &self.head, self.elapsed);
            row[prefix::IS_FIRST] = F::from_bool(number == 0);
            row[prefix::CLOCK] = clock;
        }
    }

    /// The clock of the last row that is filled; 1 if there is none.
    fn signed_clock(&self) -> F {
        let width = self.contracts.layout().width();
        let last = self.rows.checked_sub(1);
        last.map_or(F::ONE, |row| self.values[row * width + prefix::CLOCK])
    }
}

/// The records by index, which must ascend.
fn touched(records: &[(Index, Record)]) -> Result<BTreeMap<Index, TouchedRecord>, TraceError> {
    for (position, pair) in records.windows(2).enumerate() {
        let (previous, found) = (pair[0].0, pair[1].0);
        if previous >= found {
            let position = position + 1;
            return Err(TraceError::Order {
                position,
                found,
                previous,
            });
        }
    }
    let touched = records.iter().map(|&(index, first)| {
        let touched = TouchedRecord {
            index,
            first,
            last: first,
            last_clock: 0,
        };
        (index, touched)
    });
    Ok(touched.collect())
}

/// Where each chain and count of a head lies.
fn chains(head: &mut Head) -> [(prefix::ChainAround, &mut Digest); 3] {
    [
        (prefix::TRANSACTIONS, &mut head.tx_commitment),
        (prefix::QUEUE, &mut head.queue_commitment),
        (prefix::WITHDRAWALS, &mut head.withdrawal_commitment),
    ]
}

fn counts(head: &mut Head) -> [(prefix::Around, &mut u64); 2] {
    [
        (prefix::QUEUE_COUNT, &mut head.queue_count),
        (prefix::WITHDRAWAL_COUNT, &mut head.withdrawal_count),
    ]
}

/// Writes the head before a row, and that after it as if the row changed nothing.
fn start_row(row: &mut [F], head: &Head, elapsed: [u16; 2]) {
    for (column, limb) in prefix::ELAPSED.into_iter().zip(elapsed) {
        row[column] = F::from_u16(limb);
    }
    let mut head = *head;
    for (columns, count) in counts(&mut head) {
        row[columns.before()] = F::from_u64(*count);
        row[columns.after()] = F::from_u64(*count);
    }
    for (columns, chain) in chains(&mut head) {
        for columns in [columns.before(), columns.after()] {
            for (column, value) in columns.into_iter().zip(*chain) {
                row[column] = value;
            }
        }
    }
}

/// Reads the head after a row.
fn end_row(row: &[F], head: &mut Head) {
    for (columns, count) in counts(head) {
        *count = row[columns.after()].as_canonical_u64();
    }
    for (columns, chain) in chains(head) {
        *chain = columns.after().map(|column| row[column]);
    }
}

/// Notes the range checks of all limbs, those of padding and unused ones too.
fn look_limbs_up(contracts: &Contracts, values: &[F], events: &mut LookupEvents) {
    let layout = contracts.layout();
    // Limbs are written as 16 bits.
    let limb = |value: &F| value.as_canonical_u64() as u16;
    for row in values.chunks_exact(layout.width()) {
        let limbs = &row[layout.limbs_at()..layout.shorts_at()];
        events.range.extend(limbs.iter().map(limb));
        for short in &row[layout.shorts_at()..layout.free_at()] {
            let short = limb(short);
            events
                .range
                .extend([short, short.wrapping_mul(SHORT_SCALE as u16)]);
        }
    }
}

/// Credits all fees of a vault.
fn collect(
    records: &mut BTreeMap<Index, TouchedRecord>,
    index: Index,
    asset: u64,
    total: u64,
) -> Result<FeeRow, TraceError> {
    let touched = records.get_mut(&index);
    let touched = touched.ok_or(TraceError::MissingRecord { index })?;
    let [kind, its_asset, balance, ..] = touched.last.0;
    let is_vault = kind == F::from_u64(KIND_VAULT) && its_asset == F::from_u64(asset);
    if !is_vault {
        return Err(TraceError::NoFeeVault { index, asset });
    }
    if touched.last_clock >= FEE_CLOCK {
        return Err(TraceError::ClockNotLater {
            index,
            old: touched.last_clock,
            new: FEE_CLOCK,
        });
    }
    let balance = balance.as_canonical_u64();
    let new_balance = balance.saturating_add(total);
    if new_balance >= AMOUNT_LIMIT {
        return Err(TraceError::BalanceTooLarge {
            index,
            balance,
            amount: total,
        });
    }
    let vault = Access {
        index,
        old_clock: touched.last_clock,
        before: touched.last,
        new_balance,
    };
    touched.last = touched.last.credited(total);
    touched.last_clock = FEE_CLOCK;
    Ok(FeeRow { total, vault })
}
