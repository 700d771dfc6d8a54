//! Which transactions make the next shard.

use foldhash::HashMap;
use shardfold_contracts::readings::{Access, Context, Effect, Mode, Prepared};
use shardfold_contracts::usage::{ShapeExceeded, Usage};
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::tree::Records;

use super::ShardError;
use crate::outcome::Accepted;

/// For how many transactions records are read at once: those of a large state are seldom in
/// the cache, and the processor can wait for many at a time.
const WINDOW: usize = 64;

/// What a shard costs beside the cells of its tables, in cells: the proof that verifies its STARK
/// and its share of an aggregation take as long as so many, some ten seconds where 136 million cells
/// take seventeen (`docs/performance.md`).
const CELLS_OF_A_SHARD: u64 = 80_000_000;

/// Cuts the transactions of a batch.
pub(super) struct Sharder<'a> {
    contracts: &'a Contracts,
    transactions: &'a [Transaction],
    /// By ascending cost; there is at least one.
    shapes: Vec<Shape>,
}

impl<'a> Sharder<'a> {
    pub fn new(
        contracts: &'a Contracts,
        transactions: &'a [Transaction],
        shapes: &[Shape],
    ) -> Result<Self, ShardError> {
        let mut shapes = shapes.to_vec();
        if shapes.is_empty() {
            return Err(ShardError::NoShapes);
        }
        if let Some(&found) = shapes.iter().find(|shape| !shape.is_bounded()) {
            return Err(ShardError::Shape { found });
        }
        shapes.sort_by_key(|shape| (shape.cells(), *shape));
        Ok(Self {
            contracts,
            transactions,
            shapes,
        })
    }

    /// Returns the run that starts `rest` and fills a shape: that with which all of `rest` would cost
    /// least if all of it filled shards as its start does.
    pub fn next_run(
        &self,
        records: &Records,
        rest: &[Accepted],
        context: Context,
    ) -> Result<Run<'a>, ShardError> {
        let (run, full) = self.longest_run(records, rest, context, &self.shapes)?;
        let longest = (self.shape(&run.usage), run.transactions.len());
        let fills = full.into_iter().chain([longest]);
        let best = fills.min_by_key(|(shape, fill)| cost(shape, *fill as u64, rest.len()));
        match best {
            Some((shape, fill)) if fill < run.transactions.len() => {
                let (run, _) = self.longest_run(records, &rest[..fill], context, &[shape])?;
                Ok(run)
            }
            _ => Ok(run),
        }
    }

    /// Returns the longest run that starts `rest` and fits one of these shapes, unless it cannot cost
    /// less than a shape that it has filled; and those that it has filled, with how many
    /// transactions.
    fn longest_run(
        &self,
        records: &Records,
        rest: &[Accepted],
        context: Context,
        shapes: &[Shape],
    ) -> Result<(Run<'a>, Vec<(Shape, usize)>), ShardError> {
        let mut run = Run::new(self.contracts, context);
        let mut full = vec![];
        // The first of these is being filled.
        let mut shapes = shapes;
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
                let prepared = &accepted.prepared;
                let mut added = run.add(transaction, &touched, prepared, &shapes[..1]);
                while let Err(Unfit::Shape(_)) = added
                    && let [filled, others @ ..] = shapes
                    && run.may_cost_less(filled, others, rest.len())
                {
                    if !run.transactions.is_empty() && run.usage.fits(filled).is_ok() {
                        full.push((*filled, run.transactions.len()));
                    }
                    shapes = others;
                    added = run.add(transaction, &touched, prepared, &shapes[..1]);
                }
                match added {
                    Ok(()) => {}
                    // It may do so in a shard of its own.
                    Err(_) if !run.transactions.is_empty() => return Ok((run, full)),
                    Err(Unfit::Shape(source)) => {
                        return Err(ShardError::TransactionTooLarge { position, source });
                    }
                    // Alone it is owed nothing.
                    Err(Unfit::Owed) => unreachable!("the first of a shard is owed no fee"),
                    Err(Unfit::Rule(source)) => {
                        return Err(ShardError::NotValid { position, source });
                    }
                }
            }
        }
        Ok((run, full))
    }

    /// Returns the smallest shape with the capacity for so much.
    pub fn shape(&self, usage: &Usage) -> Shape {
        let mut shapes = self.shapes.iter();
        let smallest = shapes.find(|shape| usage.fits(shape).is_ok());
        *smallest.expect("a run ends before it fits into no shape")
    }
}

/// What `rest` transactions cost in shards of a shape with so many each.
fn cost(shape: &Shape, transactions: u64, rest: usize) -> u64 {
    let shards = (rest as u64).div_ceil(transactions.max(1));
    shards.saturating_mul(CELLS_OF_A_SHARD + shape.cells())
}

/// Why a transaction cannot be the next of a run.
enum Unfit {
    Shape(ShapeExceeded),
    Rule(Reject),
    /// It uses a balance whole to which the shard still owes fees.
    Owed,
}

/// A shard in the making, with its fees still apart.
pub(super) struct Run<'a> {
    contracts: &'a Contracts,
    transactions: Vec<&'a Transaction>,
    pub usage: Usage,
    slot_of: HashMap<Index, u32>,
    slots: Vec<Slot>,
    /// The indices of the slots after these.
    unread: Vec<Index>,
    /// After these transactions.
    pub context: Context,
    effect: Effect,
}

/// A record that may be touched.
struct Slot {
    index: Index,
    record: Record,
    /// The fees that the shard's end will add.
    owed: u64,
    is_touched: bool,
}

/// What a transaction touches, with the slots.
type Touched = Vec<(Access, u32)>;

impl<'a> Run<'a> {
    fn new(contracts: &'a Contracts, context: Context) -> Self {
        Self {
            contracts,
            transactions: Vec::new(),
            usage: Usage::default(),
            slot_of: HashMap::default(),
            slots: Vec::new(),
            unread: Vec::new(),
            context,
            effect: Effect::default(),
        }
    }

    /// Slots for the records of a transaction that may be added; new ones are yet to be read.
    fn slots_of(&mut self, transaction: &Transaction) -> Touched {
        let mut accesses = Vec::with_capacity(3);
        self.contracts.accesses(transaction, &mut accesses);
        let slots = accesses.into_iter().map(|access| {
            let next = (self.slots.len() + self.unread.len()) as u32;
            let slot = *self.slot_of.entry(access.index).or_insert_with(|| {
                self.unread.push(access.index);
                next
            });
            (access, slot)
        });
        slots.collect()
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

    /// Returns whether one of the others may take the next `rest` transactions, of which these are the
    /// first, for less than a shape that is full.
    fn may_cost_less(&self, full: &Shape, others: &[Shape], rest: usize) -> bool {
        if self.transactions.is_empty() || self.usage.fits(full).is_err() {
            // Not even one fits it, or the run is beyond it already.
            return !others.is_empty();
        }
        let least = cost(full, self.transactions.len() as u64, rest);
        others.iter().any(|shape| {
            self.usage.fits(shape).is_ok() && cost(shape, self.usage.most(shape), rest) < least
        })
    }

    /// Adds a transaction, or changes nothing if it does not fit or is not valid without the
    /// fees that are owed.
    fn add(
        &mut self,
        transaction: &'a Transaction,
        touched: &Touched,
        prepared: &Prepared,
        shapes: &[Shape],
    ) -> Result<(), Unfit> {
        let is_owed = |&&(access, slot): &&(Access, u32)| {
            // What is only read may be a balance too.
            let is_whole = matches!(access.mode, Mode::Whole | Mode::Read);
            is_whole && self.slots[slot as usize].owed > 0
        };
        if touched.iter().find(is_owed).is_some() {
            return Err(Unfit::Owed);
        }
        let slots = &self.slots;
        let read = |index| slot_at(touched, index).map_or(Record::EMPTY, |slot| slots[slot].record);
        self.contracts
            .run(
                transaction,
                prepared,
                &self.context,
                &read,
                &mut self.effect,
            )
            .map_err(Unfit::Rule)?;
        let accesses: Vec<Access> = touched.iter().map(|(access, _)| *access).collect();
        let cost = self.contracts.cost(transaction);
        // What the shard has not touched is as before it.
        let is_vault = |index| read(index).is_vault();
        let added = self
            .usage
            .add_accesses(transaction, cost, &accesses, is_vault, shapes);
        added.map_err(Unfit::Shape)?;
        for (index, record) in &self.effect.writes {
            if let Some(slot) = slot_at(touched, *index) {
                self.slots[slot].record = *record;
            }
        }
        if let Some(fee) = self.effect.fee
            && let Some(slot) = slot_at(touched, fee.vault)
        {
            self.slots[slot].owed += fee.amount;
        }
        for (_, slot) in touched {
            self.slots[*slot as usize].is_touched = true;
        }
        self.context.queue_count += u64::from(self.effect.entries.queued.is_some());
        self.transactions.push(transaction);
        Ok(())
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

/// The slot of what a transaction touches: a rule reads and writes only what its outline lists.
fn slot_at(touched: &Touched, index: Index) -> Option<usize> {
    let mut touched = touched.iter();
    let (_, slot) = touched.find(|(access, _)| access.index == index)?;
    Some(*slot as usize)
}
