//! Turns a trace of real traffic into a genesis state and a signed batch.

mod plan;
mod trace;

use std::fs;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use shardfold_protocol::amount::FEE_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::files;
use shardfold_protocol::record::Index;
use shardfold_protocol::signature::SecretKey;
use shardfold_protocol::state::{State, StateFile, VaultEntry};
use shardfold_protocol::transaction::{Deposit, FeePayment, Signed, Transaction, Transfer};

use crate::args::{Format, ReplayArgs};
use crate::output::{self, Say};
use plan::{Holding, Plan, VaultPlan};

/// The `replay` command.
pub fn run(args: &ReplayArgs, say: Say) -> Result<()> {
    ensure!(
        args.fee < FEE_LIMIT,
        "--fee is {}, the rollup takes fees below 2^48",
        args.fee
    );
    let chain_id = canonical(args.chain_id)
        .with_context(|| format!("--chain-id {} is not a field element", args.chain_id))?;
    let mut trace = trace::read(&args.trace)?;
    if let Some(limit) = args.limit {
        trace.transfers.truncate(limit);
    }
    ensure!(
        !trace.transfers.is_empty(),
        "{} has no transfers to replay",
        args.trace.display()
    );
    let plan = plan::plan(&trace.transfers, args.fee);
    let replay = Replay {
        seed: args.seed,
        chain_id,
        fee: args.fee,
        keys: keys(&plan, args.seed),
        plan: &plan,
    };
    let (genesis, deposits) = if args.deposits {
        (Vec::new(), replay.deposits())
    } else {
        (replay.genesis(), Vec::new())
    };
    let genesis = StateFile {
        chain_id: args.chain_id,
        head: None,
        vaults: genesis,
    };
    let state = State::try_from(&genesis)?;
    let deposit_count = deposits.len();
    let batch = Batch {
        chain_id: args.chain_id,
        before: *state.head(),
        transactions: deposits.into_iter().chain(replay.transfers()).collect(),
    };
    write(args, &genesis, &batch)?;
    report(args, &trace, &plan, deposit_count, say);
    Ok(())
}

/// A plan with what it takes to sign it.
struct Replay<'a> {
    seed: u64,
    chain_id: F,
    fee: u64,
    plan: &'a Plan,
    /// One key for each vault of the plan.
    keys: Vec<SecretKey>,
}

/// One key for each address, whatever the asset.
fn keys(plan: &Plan, seed: u64) -> Vec<SecretKey> {
    plan.vaults
        .par_iter()
        .map(|vault| key(seed, &vault.holding))
        .collect()
}

fn key(seed: u64, holding: &Holding) -> SecretKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..28].copy_from_slice(&holding.address);
    SecretKey::from_seed(&bytes)
}

impl Replay<'_> {
    /// The operator's key is that of no address.
    fn operator(&self) -> SecretKey {
        let mut bytes = [0xff; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        SecretKey::from_seed(&bytes)
    }

    /// The fee vaults, then the vaults that must hold something before the first transfer.
    fn funded(&self) -> impl Iterator<Item = (usize, &VaultPlan)> {
        self.plan
            .vaults
            .iter()
            .enumerate()
            .filter(|(_, vault)| vault.funding > 0)
    }

    fn genesis(&self) -> Vec<VaultEntry> {
        let operator = self.operator().owner();
        let fee_vaults = (0..self.plan.assets.len() as Index).map(|asset| VaultEntry {
            index: asset,
            owner: operator,
            asset,
            balance: 0,
            nonce: 0,
        });
        let funded = self.funded().map(|(position, vault)| VaultEntry {
            index: vault.index,
            owner: self.keys[position].owner(),
            asset: vault.holding.asset,
            balance: vault.funding,
            nonce: 0,
        });
        fee_vaults.chain(funded).collect()
    }

    /// The same vaults as [`Self::genesis`], opened by deposits without a fee.
    fn deposits(&self) -> Vec<Transaction> {
        let no_fee = FeePayment {
            amount: 0,
            vault: 0,
        };
        self.genesis()
            .into_iter()
            .zip(0..)
            .map(|(vault, nonce)| {
                Transaction::Deposit(Deposit {
                    to: vault.index,
                    owner: vault.owner,
                    asset: vault.asset,
                    amount: vault.balance,
                    fee: no_fee,
                    nonce,
                })
            })
            .collect()
    }

    fn transfers(&self) -> Vec<Transaction> {
        self.plan
            .transfers
            .par_iter()
            .map(|transfer| {
                let (from, to) = (
                    &self.plan.vaults[transfer.from],
                    &self.plan.vaults[transfer.to],
                );
                let body = Transfer {
                    from: from.index,
                    to: to.index,
                    to_owner: self.keys[transfer.to].owner(),
                    asset: from.holding.asset,
                    amount: transfer.amount,
                    fee: FeePayment {
                        amount: self.fee,
                        vault: from.holding.asset,
                    },
                    nonce: transfer.nonce,
                };
                let key = &self.keys[transfer.from];
                Transaction::Transfer(Signed {
                    body,
                    public_key: key.public_key(),
                    signature: key.sign(&body.digest(self.chain_id)),
                })
            })
            .collect()
    }
}

fn write(args: &ReplayArgs, genesis: &StateFile, batch: &Batch) -> Result<()> {
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    output::write_file(&args.output.join("genesis.bin"), &files::to_binary(genesis)?)?;
    let (name, bytes) = match args.format {
        Format::Binary => ("batch.bin", files::to_binary(batch)?),
        Format::Json => ("batch.json", files::to_json(batch)?),
    };
    output::write_file(&args.output.join(name), &bytes)
}

fn report(args: &ReplayArgs, trace: &trace::Trace, plan: &Plan, deposits: usize, say: Say) {
    say.line(format_args!(
        "{} transfers of {} assets between {} vaults, {} swaps skipped",
        plan.transfers.len(),
        plan.assets.len(),
        plan.vaults.len(),
        trace.swaps_skipped
    ));
    if plan.self_transfers > 0 {
        say.line(format_args!(
            "{} transfers to oneself go to a second vault of the same owner",
            plan.self_transfers
        ));
    }
    let scaled = plan.assets.iter().filter(|(_, digits)| *digits > 0).count();
    if scaled > 0 {
        say.line(format_args!(
            "{scaled} assets lost decimal digits to fit amounts below 2^62; {} amounts below one unit count as one",
            plan.rounded_up
        ));
    }
    if deposits > 0 {
        say.line(format_args!("{deposits} deposits open and fund the vaults"));
    }
    say.line(format_args!(
        "written to {}: genesis.bin and the batch",
        args.output.display()
    ));
}
