//! Which transactions make the next shard.

use foldhash::HashMap;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::transaction::{Kind, Transaction};
use shardfold_protocol::tree::Records;
use shardfold_protocol::usage::{ShapeExceeded, Usage};

use super::ShardError;
use crate::outcome::Accepted;
use crate::prepare::Authority;
use crate::reject::Reject;
use crate::rules;

/// For how many transactions records are read at once: those of a large state are seldom in
/// the cache, and the processor can wait for many at a time.
const WINDOW: usize = 64;

/// Cuts the transactions of a batch.
pub(super) struct Sharder<'a> {
    transactions: &'a [Transaction],
    /// By ascending size; there is at least one.
    shapes: Vec<Shape>,
}

impl<'a> Sharder<'a> {
    pub fn new(transactions: &'a [Transaction], shapes: &[Shape]) -> Result<Self, ShardError> {
        let mut shapes = shapes.to_vec();
        shapes.sort_by_key(|shape| {
            (
                shape.log_transactions,
                shape.log_permutations,
                shape.log_nodes,
                shape.log_records,
            )
        });
        if shapes.is_empty() {
            return Err(ShardError::NoShapes);
        }
        if let Some(&found) = shapes.iter().find(|shape| !shape.is_bounded()) {
            return Err(ShardError::Shape { found });
        }
        Ok(Self {
            transactions,
            shapes,
        })
    }

    /// Returns the longest run that starts `rest` and fits into one of the shapes.
    pub fn next_run(
        &self,
        records: &Records,
        rest: &[Accepted],
        deposit_count: u64,
    ) -> Result<Run<'a>, ShardError> {
        let mut run = Run::new(deposit_count);
        for window in rest.chunks(WINDOW) {
            let candidates = window.iter().map(|accepted| {
                let transaction = self.transactions.get(accepted.position)?;
                Some((transaction, run.slots_of(transaction)))
            });
            let candidates: Vec<_> = candidates.collect();
            run.read(records);
            for (accepted, candidate) in window.iter().zip(candidates) {
                let (position, limit) = (accepted.position, self.transactions.len());
                let missing = ShardError::NoTransaction { position, limit };
                let (transaction, touched) = candidate.ok_or(missing)?;
                let authority = &accepted.prepared.authority;
                match run.add(transaction, &touched, authority, &self.shapes) {
                    Ok(()) => {}
                    // It may do so in a shard of its own.
                    Err(_) if !run.transactions.is_empty() => return Ok(run),
                    Err(Unfit::Shape(source)) => {
                        return Err(ShardError::TransactionTooLarge { position, source });
                    }
                    Err(Unfit::Rule(source)) => {
                        return Err(ShardError::NotValid { position, source });
                    }
                }
            }
        }
        Ok(run)
    }

    /// Returns the smallest shape with the capacity for so much.
    pub fn shape(&self, usage: &Usage) -> Shape {
        let mut shapes = self.shapes.iter();
        let smallest = shapes.find(|shape| usage.fits(shape).is_ok());
        *smallest.expect("a run ends before it fits into no shape")
    }
}

/// Why a transaction cannot be the next of a run.
enum Unfit {
    Shape(ShapeExceeded),
    Rule(Reject),
}

/// A shard in the making, with its fees still apart.
pub(super) struct Run<'a> {
    transactions: Vec<&'a Transaction>,
    pub usage: Usage,
    slot_of: HashMap<Index, u32>,
    slots: Vec<Slot>,
    /// The indices of the slots after these.
    unread: Vec<Index>,
    pub deposit_count: u64,
}

/// A record that may be touched.
struct Slot {
    index: Index,
    record: Record,
    /// The fees that the shard's end will add.
    owed: u64,
    is_touched: bool,
}

/// The slots of a transaction's records, one after the other.
type Touched = [Option<u32>; 3];

impl<'a> Run<'a> {
    fn new(deposit_count: u64) -> Self {
        Self {
            transactions: Vec::new(),
            usage: Usage::default(),
            slot_of: HashMap::default(),
            slots: Vec::new(),
            unread: Vec::new(),
            deposit_count,
        }
    }

    /// Slots for the records of a transaction that may be added; new ones are yet to be read.
    fn slots_of(&mut self, transaction: &Transaction) -> Touched {
        let mut touched = [None; 3];
        let indices = transaction.accessed().into_iter().flatten();
        for (slot, index) in touched.iter_mut().zip(indices) {
            let next = (self.slots.len() + self.unread.len()) as u32;
            *slot = Some(*self.slot_of.entry(index).or_insert_with(|| {
                self.unread.push(index);
                next
            }));
        }
        touched
    }

    /// Reads the records of new slots.
    fn read(&mut self, records: &Records) {
        self.slots.extend(self.unread.drain(..).map(|index| Slot {
            index,
            record: records.get(index),
            owed: 0,
            is_touched: false,
        }));
    }

    /// Adds a transaction, or changes nothing if it does not fit or is not valid without the
    /// fees that are owed.
    fn add(
        &mut self,
        transaction: &'a Transaction,
        touched: &Touched,
        authority: &Authority,
        shapes: &[Shape],
    ) -> Result<(), Unfit> {
        let read = |index| self.slots[self.slot_at(touched, index)].record;
        let effect = rules::apply(transaction, authority, self.deposit_count, read);
        let effect = effect.map_err(Unfit::Rule)?;
        self.usage.add(transaction, shapes).map_err(Unfit::Shape)?;
        for (index, record) in effect.writes() {
            let slot = self.slot_at(touched, index);
            self.slots[slot].record = record;
        }
        if let Some(fee) = effect.fee {
            let slot = self.slot_at(touched, fee.vault);
            self.slots[slot].owed += fee.amount;
        }
        for &slot in touched.iter().flatten() {
            self.slots[slot as usize].is_touched = true;
        }
        self.deposit_count += u64::from(transaction.kind() == Kind::Deposit);
        self.transactions.push(transaction);
        Ok(())
    }

    fn slot_at(&self, touched: &Touched, index: Index) -> usize {
        let mut slots = touched.iter().flatten().map(|&slot| slot as usize);
        slots
            .find(|&slot| self.slots[slot].index == index)
            .expect("a rule reads and writes only what its transaction touches")
    }

    /// Returns the transactions, and the records that they touch as they are at the end, fees
    /// included, by ascending index.
    pub fn into_parts(self) -> (Vec<&'a Transaction>, Vec<(Index, Record)>) {
        let touched = self
            .slots
            .iter()
            .zip(0_u32..)
            .filter(|(slot, _)| slot.is_touched);
        let mut order: Vec<(Index, u32)> = touched.map(|(slot, at)| (slot.index, at)).collect();
        order.sort_unstable();
        let change = |(index, at)| {
            let slot: &Slot = &self.slots[at as usize];
            (index, slot.record.credited(slot.owed))
        };
        (self.transactions, order.into_iter().map(change).collect())
    }
}
