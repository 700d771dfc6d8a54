//! What is executed and proven.

use anyhow::{Context as _, ensure};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_executor::{parallel, shards};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;

/// Transactions of all kinds between vaults drawn at random from 65,536, one transfer in five
/// to a new vault anywhere in a million: paths have little in common, as in real batches.
#[must_use]
pub fn mixed(transactions: usize) -> Workload {
    plan(Pattern::Mixed, transactions)
}

/// So many transfers, no two of which share a vault.
#[must_use]
pub fn transfers(transactions: usize) -> Workload {
    plan(Pattern::Independent, transactions)
}

fn plan(pattern: Pattern, transactions: usize) -> Workload {
    let plan = Plan {
        seed: 1,
        pattern,
        vaults: 1 << 16,
        transactions,
        keys: 256,
    };
    plan.build()
}

/// The first shard of a [mixed] batch as large as the shape; it may hold fewer transactions
/// where another limit of the shape is met first.
///
/// # Errors
/// If the executor refuses its own workload.
pub fn shard(shape: Shape) -> anyhow::Result<ShardWitness> {
    let first = witnesses(mixed(shape.transactions()), &[shape])?.swap_remove(0);
    Ok(first)
}

/// Executes a workload and cuts it into shards, at least one.
///
/// # Errors
/// If it cannot be executed, or nothing of it is valid.
pub fn witnesses(workload: Workload, shapes: &[Shape]) -> anyhow::Result<Vec<ShardWitness>> {
    let Workload { mut state, batch } = workload;
    let outcome = parallel::execute(standard(), &state, &batch).context("the batch cannot run")?;
    let witnesses = shards::cut(standard(), &mut state, &batch, &outcome, shapes)?;
    ensure!(!witnesses.is_empty(), "the batch has no valid transaction");
    Ok(witnesses)
}

/// Transactions of these shards.
#[must_use]
pub fn transactions(witnesses: &[ShardWitness]) -> u64 {
    witnesses
        .iter()
        .map(|witness| witness.transactions.len() as u64)
        .sum()
}
