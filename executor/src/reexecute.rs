//! Executes a shard witness as its proof does, from the witness alone: a check of witnesses
//! that is independent of the code that cuts them.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::readings::Effect;
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::difference::{Unpublishable, changes, encode, extend_data};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::tree::root_from;
use shardfold_protocol::witness::ShardWitness;
use thiserror::Error;

use crate::outcome::context_of;
use crate::prepare::prepare;
use crate::validate::{WitnessError, validate};

/// Why a witness does not lead where its statement says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReexecuteError {
    /// A witness that is not well formed.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A transaction that is not valid where it stands.
    #[error("transaction {position} of the shard is not valid: {source}")]
    NotValid {
        /// Position of the transaction in the shard.
        position: usize,
        /// The rule that it breaks.
        source: Reject,
    },
    /// A record whose change cannot be published.
    #[error(transparent)]
    Unpublishable(#[from] Unpublishable),
    /// Another head at the end.
    #[error("found the head {found:?} after the shard, expected {expected:?}")]
    Head {
        /// The head to which the transactions lead.
        found: Box<Head>,
        /// The head after the shard, by the statement.
        expected: Box<Head>,
    },
}

/// Checks signatures, rules and the statement of a witness; its fees are added at the end.
///
/// # Errors
/// The first thing that is wrong.
pub fn reexecute(contracts: &Contracts, witness: &ShardWitness) -> Result<(), ReexecuteError> {
    validate(contracts, witness)?;
    let Run {
        mut head, records, ..
    } = run(contracts, witness)?;
    let differences = encode_changes(witness, &records)?;
    head.data_commitment = extend_data(&head.data_commitment, &differences);
    let records: Vec<_> = records.into_iter().collect();
    head.state_root = root_from(&records, &witness.siblings).map_err(WitnessError::from)?;
    let expected = witness.statement.after;
    if head != expected {
        let (found, expected) = (Box::new(head), Box::new(expected));
        return Err(ReexecuteError::Head { found, expected });
    }
    Ok(())
}

/// What a shard does that is seen outside of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The differences of its records, encoded.
    pub differences: Vec<F>,
    /// What it owes to a base chain, in order.
    pub owing: Vec<Owing>,
}

/// A transaction that owes something to a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owing {
    /// Its position in the shard.
    pub position: usize,
    /// The digest of what it owes.
    pub digest: Digest,
    /// The records that it writes, as they were before.
    pub before: Vec<(Index, Record)>,
}

/// Returns what the shard of a witness publishes and owes.
///
/// # Errors
/// A witness that is not well formed, or the first transaction that is not valid.
pub fn published(
    contracts: &Contracts,
    witness: &ShardWitness,
) -> Result<Published, ReexecuteError> {
    validate(contracts, witness)?;
    let Run { records, owing, .. } = run(contracts, witness)?;
    let differences = encode_changes(witness, &records)?;
    Ok(Published { differences, owing })
}

/// The records after a shard, by their index.
type Records = BTreeMap<Index, Record>;

fn encode_changes(witness: &ShardWitness, after: &Records) -> Result<Vec<F>, Unpublishable> {
    let records = witness.records.iter().filter_map(|&(index, before)| {
        let after = after.get(&index)?;
        Some((index, before, *after))
    });
    Ok(encode(&changes(records)?))
}

/// What the transactions of a shard lead to.
struct Run {
    /// The head after them, but for state root and differences.
    head: Head,
    records: Records,
    owing: Vec<Owing>,
}

fn run(contracts: &Contracts, witness: &ShardWitness) -> Result<Run, ReexecuteError> {
    let chain_id = F::from_u64(witness.statement.chain_id);
    let mut head = witness.statement.before;
    let mut records: Records = witness.records.iter().copied().collect();
    let mut fees: BTreeMap<Index, u64> = BTreeMap::new();
    let mut owing = vec![];
    let mut effect = Effect::default();
    let time = witness.statement.after.time;
    let mut context = context_of(witness.statement.chain_id, &head, time);
    for (position, transaction) in witness.transactions.iter().enumerate() {
        let prepared = prepare(contracts, transaction, chain_id);
        let read = |index| records.get(&index).copied().unwrap_or(Record::EMPTY);
        contracts
            .run(transaction, &prepared, &context, &read, &mut effect)
            .map_err(|source| ReexecuteError::NotValid { position, source })?;
        if let Some(digest) = effect.entries.withdrawn {
            let before = effect.writes.iter().map(|&(index, _)| (index, read(index)));
            owing.push(Owing {
                position,
                digest,
                before: before.collect(),
            });
        }
        records.extend(effect.writes.iter().copied());
        if let Some(fee) = effect.fee {
            *fees.entry(fee.vault).or_default() += fee.amount;
        }
        head.extend(context.time, &effect.entries);
        context.queue_count = head.queue_count;
    }
    for (index, total) in fees {
        records
            .entry(index)
            .and_modify(|record| *record = record.credited(total));
    }
    Ok(Run {
        head,
        records,
        owing,
    })
}
