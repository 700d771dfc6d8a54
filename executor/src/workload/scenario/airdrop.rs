//! `airdrop`: one signature pays many people.

use serde::Deserialize;
use shardfold_contracts::payout::{Entry, MAX_PAID, Pay, Payout, list_of};
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::record::Index;

use super::error::Fault;
use super::form::Text;
use super::stage::{Stage, Statement, Stop};
use super::world::{Money, Who};

/// `airdrop = "100 USDC"` for each of `to = ["bob", "carol"]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AirdropForm {
    airdrop: Text,
    to: Vec<Text>,
}

impl Statement for AirdropForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let each = stage.world.money(&self.airdrop)?;
        if self.to.is_empty() {
            let what = "the names of who gets it";
            return Err(Fault::Missing { name: "to", what }.into());
        }
        let from = stage.own(each.token.number)?;
        let mut entries = vec![];
        for name in &self.to {
            let who = stage.world.who(name)?;
            let to = open(stage, &each, from, who)?;
            let amount = each.amount;
            entries.push(Entry { to, amount });
        }
        let list = list_of(stage.world.chain(), &entries);
        let index = stage.world.reserve();
        let total = entries.iter().map(|entry| u128::from(entry.amount));
        let body = Payout {
            from,
            index,
            asset: each.token.number,
            total: u64::try_from(total.sum::<u128>()).unwrap_or(u64::MAX),
            list: list[0],
            valid_until: stage.valid_until,
            fee: stage.fee(&each.token)?,
            nonce: stage.nonce_and_balance(from).0,
        };
        stage.sign(&body)?;
        let mut start = 0;
        while start < entries.len() {
            let end = start + together(&entries[start..]);
            stage.unsigned(&Pay::new(index, &entries[start..end], list[end]))?;
            start = end;
        }
        Ok(())
    }
}

/// Where somebody's vault lies: a payment of nothing opens it, since a payout pays only into vaults
/// that exist.
fn open(stage: &mut Stage<'_, '_>, each: &Money, from: Index, who: Who) -> Result<Index, Stop> {
    let asset = each.token.number;
    let to = stage.world.place(who, asset);
    if to != from && stage.record(to).is_empty() {
        let body = Transfer {
            from,
            to,
            to_owner: stage.world.person(who).owner,
            asset,
            amount: 0,
            fee: stage.fee(&each.token)?,
            nonce: stage.nonce_and_balance(from).0,
        };
        stage.sign(&body)?;
    }
    Ok(to)
}

/// How many of the first entries one transaction can pay: each vault once.
fn together(entries: &[Entry]) -> usize {
    let is_new = |&place: &usize| {
        let before = &entries[..place];
        !before.iter().any(|entry| entry.to == entries[place].to)
    };
    let most = entries.len().min(MAX_PAID);
    (0..most).take_while(is_new).count()
}
