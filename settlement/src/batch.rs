//! What a batch changes and owes, of which the contract learns beside its proof.

use alloy_primitives::U256;
use p3_field::PrimeField64;
use serde::{Deserialize, Serialize};
use shardfold_contracts::Contracts;
use shardfold_executor::outcome::ExecuteError;
use shardfold_executor::parallel;
use shardfold_executor::reexecute::{Owing, ReexecuteError, published};
use shardfold_executor::shards::{self, ShardError};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::data::Settlement;
use shardfold_protocol::difference::{BLOCK, extend_data};
use shardfold_protocol::field::F;
use shardfold_protocol::files::{FileContent, FileKind};
use shardfold_protocol::head::{OutOfBounds, Statement};
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};
use shardfold_protocol::witness::ShardWitness;
use thiserror::Error;

use crate::data::{DataMode, Publication, PublicationError};
use crate::interface::IRollup::settleCall;
use crate::withdrawals::{Withdrawal, WithdrawalTree, lead};

/// A batch as the contract learns of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledBatch {
    /// What its proof states.
    pub statement: Statement,
    /// What it owes, in order.
    pub withdrawals: Vec<Withdrawal>,
    /// The differences of its records, shard by shard.
    #[serde(with = "shardfold_protocol::text::elements")]
    pub differences: Vec<F>,
}

impl FileContent for SettledBatch {
    const KIND: FileKind = FileKind::Changes;
    const VERSION: u16 = 1;
    /// Eight million changed vaults in binary; six blobs hold 47,616.
    const MAX_BYTES: u64 = 1 << 27;
}

/// Why a batch cannot be settled.
#[derive(Debug, Error)]
pub enum BatchError {
    /// A batch for another state.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// Shapes that cannot hold it.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A shard that does not replay.
    #[error(transparent)]
    Reexecute(#[from] ReexecuteError),
    /// No shards, or such as do not follow one another.
    #[error("found {shards} shards that do not follow one another, expected one at least that do")]
    Gap {
        /// How many there are.
        shards: usize,
    },
    /// Shards that do not lead where their statements say.
    #[error(transparent)]
    Changes(#[from] ChangesError),
    /// A transaction that owes what this build cannot name.
    #[error(
        "transaction {position} of a shard, of the kind {kind}, owes something to a base chain, and \
         this build does not know what: only `withdraw` and `exit` are known"
    )]
    Owes {
        /// Its place in the shard.
        position: usize,
        /// Its kind.
        kind: String,
    },
}

/// Changes that are not those of their own statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChangesError {
    /// A head with a number that none has.
    #[error(transparent)]
    Statement(#[from] OutOfBounds),
    /// Differences of something else.
    #[error("its {found} elements of differences do not lead from one head to the other")]
    Differences {
        /// How many there are.
        found: usize,
    },
    /// Withdrawals of something else.
    #[error("its {found} withdrawals do not lead from one head to the other")]
    Withdrawals {
        /// How many there are.
        found: usize,
    },
}

impl SettledBatch {
    /// Executes a batch on a state, which moves to its end; `shapes` are those with which it is
    /// proven, since where shards end is part of the head.
    ///
    /// # Errors
    /// A batch of another state, shapes that do not hold it, or something that it owes by a rule
    /// that this build does not know.
    pub fn execute(
        contracts: &'static Contracts,
        state: &mut State,
        batch: &Batch,
        shapes: &[Shape],
    ) -> Result<Self, BatchError> {
        let outcome = parallel::execute(contracts, state, batch)?;
        let witnesses = shards::cut(contracts, state, batch, &outcome, shapes)?;
        Self::of_shards(contracts, &witnesses)
    }

    /// Reads a batch off its shards, in order.
    ///
    /// # Errors
    /// Shards that do not follow one another or are not valid, or something that one owes by a rule
    /// that this build does not know.
    pub fn of_shards(contracts: &Contracts, shards: &[ShardWitness]) -> Result<Self, BatchError> {
        let gap = BatchError::Gap {
            shards: shards.len(),
        };
        let (Some(first), Some(last)) = (shards.first(), shards.last()) else {
            return Err(gap);
        };
        let mut pairs = shards.windows(2);
        if pairs.any(|pair| pair[0].statement.after != pair[1].statement.before) {
            return Err(gap);
        }
        let (mut withdrawals, mut differences) = (vec![], vec![]);
        for shard in shards {
            let published = published(contracts, shard)?;
            differences.extend(published.differences);
            for owing in &published.owing {
                withdrawals.push(withdrawal(shard, owing)?);
            }
        }
        let batch = Self {
            statement: Statement {
                after: last.statement.after,
                ..first.statement
            },
            withdrawals,
            differences,
        };
        batch.check()?;
        Ok(batch)
    }

    /// Makes sure that differences and withdrawals are those between the heads of the statement, as
    /// far as the heads bind them: then nobody has to be believed for them.
    ///
    /// # Errors
    /// The first that are not.
    pub fn check(&self) -> Result<(), ChangesError> {
        let Statement {
            chain_id,
            before,
            after,
        } = &self.statement;
        self.statement.check()?;
        let found = self.differences.len();
        let data = extend_data(&before.data_commitment, &self.differences);
        if data != after.data_commitment || !found.is_multiple_of(BLOCK) {
            return Err(ChangesError::Differences { found });
        }
        let found = self.withdrawals.len();
        if !lead(*chain_id, before, after, &self.withdrawals) {
            return Err(ChangesError::Withdrawals { found });
        }
        Ok(())
    }

    /// Returns what is published of it.
    ///
    /// # Errors
    /// More differences than one settlement publishes.
    pub fn published(&self, mode: DataMode) -> Result<Publication, PublicationError> {
        let Statement { before, after, .. } = &self.statement;
        let (before, after) = (&before.data_commitment, &after.data_commitment);
        Publication::new(mode, before, after, &self.differences)
    }

    /// Returns what its settlement proof says when so much is published of it.
    #[must_use]
    pub const fn settlement(&self, publication: &Publication) -> Settlement {
        Settlement {
            statement: self.statement,
            evaluation: publication.evaluation(),
        }
    }

    /// Returns the call that settles it with a proof, up to a checkpoint if `place` names one. The
    /// blobs of a publication go beside it, in their order.
    #[must_use]
    pub fn call(&self, publication: &Publication, proof: Vec<u8>, place: u64) -> settleCall {
        let entries = self.withdrawals.iter().flat_map(Withdrawal::entry);
        settleCall {
            proof: proof.into(),
            withdrawals: entries.collect::<Vec<_>>().into(),
            data: publication.calldata().clone(),
            openings: publication.openings().clone(),
            place: U256::from(place),
        }
    }

    /// Returns the tree from which its withdrawals are claimed; none if it owes nothing.
    #[must_use]
    pub fn tree(&self) -> Option<WithdrawalTree> {
        WithdrawalTree::new(self.statement.before.withdrawal_count, &self.withdrawals)
    }
}

/// What a transaction of a shard owes that does owe something.
fn withdrawal(shard: &ShardWitness, owing: &Owing) -> Result<Withdrawal, BatchError> {
    let position = owing.position;
    let transaction = &shard.transactions[position];
    let is_it =
        |withdrawal: &Withdrawal| withdrawal.digest(shard.statement.chain_id) == owing.digest;
    let found = owed(transaction, owing).filter(is_it);
    found.ok_or_else(|| BatchError::Owes {
        position,
        kind: transaction.kind.name(),
    })
}

/// An exit owes what its vault held.
fn owed(transaction: &Transaction, owing: &Owing) -> Option<Withdrawal> {
    let words = &transaction.words;
    if transaction.kind == Kind::new("withdraw") {
        let &[_, asset, amount, _, _, _, base_chain, a, b, c] = words.first_chunk()?;
        return Some(Withdrawal {
            base_chain,
            address: [a, b, c],
            asset,
            amount,
        });
    }
    if transaction.kind == Kind::new("exit") {
        let &[base_chain, _, index, _, _, _, _, a, b, c] = words.first_chunk()?;
        let index = Index::try_from(index.as_canonical_u64()).ok()?;
        let (_, vault) = owing.before.iter().find(|(of, _)| *of == index)?;
        let [_, asset, amount, ..] = vault.0;
        return Some(Withdrawal {
            base_chain,
            address: [a, b, c],
            asset,
            amount,
        });
    }
    None
}
