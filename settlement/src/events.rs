//! What the contract has said besides its batches: what waits in its queue, and what it has paid out
//! already.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::{SolEvent as _, SolEventInterface as _};
use serde::{Deserialize, Serialize};
use shardfold_protocol::record::{Asset, Index};
use thiserror::Error;

use crate::interface::IRollup::{IRollupEvents, Settled};
use crate::queue::{ItemError, Queued};

/// A log as a node gives it; other members do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The contract that made it.
    pub address: Address,
    /// The event's signature and its indexed values.
    pub topics: Vec<B256>,
    /// Its other values.
    pub data: Bytes,
    /// The number of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_number: Option<U64>,
    /// The time of its block, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_timestamp: Option<U64>,
    /// Whether the block was left by the chain.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde wants it")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Log {
    /// Returns whether the chain still has it, and it is that contract's.
    #[must_use]
    pub fn is_of(&self, contract: Address) -> bool {
        !self.removed && contract == self.address
    }
}

/// A token of the base chain, and what a unit of an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The token; the zero address for the chain's own coin.
    pub token: Address,
    /// A unit is 10^digits of its smallest part.
    pub digits: u8,
}

impl Unit {
    /// Returns how many of the token's smallest part so many units are; `None` if no word holds it.
    #[must_use]
    pub fn in_token(&self, units: u64) -> Option<U256> {
        let unit = U256::from(10).checked_pow(U256::from(self.digits))?;
        unit.checked_mul(U256::from(units))
    }
}

/// Events of a contract that are no batches. What a list of logs leaves out is not known here: so
/// what is paid already may look as if it were not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Items of the queue, by their positions.
    pub items: BTreeMap<u64, Queued>,
    /// How many items the newest checkpoint of each place is of.
    pub checkpoints: BTreeMap<u64, u64>,
    /// Withdrawals that were paid, by their numbers.
    pub claimed: BTreeSet<u64>,
    /// Deposits that were paid back, by their positions.
    pub reclaimed: BTreeSet<u64>,
    /// Where the vaults lie that have escaped, and the positions that were repaid.
    pub left: BTreeSet<Index>,
    /// The assets by number.
    pub units: BTreeMap<Asset, Unit>,
}

/// A log that the contract cannot have made.
#[derive(Debug, Error)]
pub enum EventError {
    /// Data of another form.
    #[error("log {log} is marked as an event of the contract and is none: {source}")]
    Form {
        /// Which log.
        log: usize,
        /// What is wrong.
        source: alloy_sol_types::Error,
    },
    /// An item with numbers that none has.
    #[error("log {log}: {source}")]
    Item {
        /// Which log.
        log: usize,
        /// What is wrong.
        source: ItemError,
    },
    /// A number that is larger than any that the contract counts.
    #[error("log {log}: found {found}, expected a number below {limit}")]
    Number {
        /// Which log.
        log: usize,
        /// The number found.
        found: U256,
        /// What it should be below.
        limit: &'static str,
    },
}

impl Events {
    /// Reads a contract's events from logs; others are passed over, and so are batches.
    ///
    /// # Errors
    /// A log that is marked as one of these events and is none.
    pub fn read(logs: &[Log], contract: Address) -> Result<Self, EventError> {
        let mut events = Self::default();
        let ours = logs.iter().enumerate();
        for (number, log) in ours.filter(|(_, log)| log.is_of(contract)) {
            let topic = log.topics.first();
            let is_known = topic.is_some_and(|topic| IRollupEvents::SELECTORS.contains(&topic.0));
            if is_known && topic != Some(&Settled::SIGNATURE_HASH) {
                events.add(number, log)?;
            }
        }
        Ok(events)
    }

    fn add(&mut self, log: usize, found: &Log) -> Result<(), EventError> {
        let item = Queued::read(&found.topics, &found.data)
            .map_err(|source| EventError::Item { log, source })?;
        if let Some(item) = item {
            self.items.insert(item.position, item);
            return Ok(());
        }
        let event = IRollupEvents::decode_raw_log(&found.topics, &found.data)
            .map_err(|source| EventError::Form { log, source })?;
        let long = |found: U256| {
            let limit = "2^64";
            u64::try_from(found).map_err(|_| EventError::Number { log, found, limit })
        };
        let index = |found: U256| {
            let limit = "2^32";
            Index::try_from(found).map_err(|_| EventError::Number { log, found, limit })
        };
        match event {
            IRollupEvents::Checkpoint(event) => {
                let count = self.checkpoints.entry(long(event.place)?).or_default();
                // The list may be in any order, and counts only grow.
                *count = long(event.count)?.max(*count);
            }
            IRollupEvents::Claimed(event) => {
                self.claimed.insert(long(event.number)?);
            }
            IRollupEvents::Reclaimed(event) => {
                self.reclaimed.insert(long(event.position)?);
            }
            IRollupEvents::Escaped(event) => {
                self.left.insert(index(event.index)?);
            }
            IRollupEvents::Repaid(event) => {
                self.left.insert(index(event.position)?);
            }
            IRollupEvents::AssetRegistered(event) => {
                let (token, found) = (event.token, event.digits);
                let limit = "37";
                let digits = u8::try_from(found).ok().filter(|digits| *digits <= 36);
                let digits = digits.ok_or(EventError::Number { log, found, limit })?;
                let unit = Unit { token, digits };
                self.units.insert(long(event.asset)?, unit);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::interface::IRollup::{AssetRegistered, Checkpoint, Claimed, Frozen};

    const CONTRACT: Address = Address::repeat_byte(0xc0);

    fn log(event: &impl alloy_sol_types::SolEvent) -> Value {
        let data = event.encode_log_data();
        json!({ "address": CONTRACT, "topics": data.topics(), "data": data.data })
    }

    fn read(logs: &[Value]) -> Result<Events, EventError> {
        let logs: Vec<Log> = serde_json::from_value(json!(logs)).expect("they are logs");
        Events::read(&logs, CONTRACT)
    }

    fn checkpoint(place: u64, count: u64) -> Value {
        let (place, count) = (U256::from(place), U256::from(count));
        log(&Checkpoint { place, count })
    }

    fn asset(digits: u64) -> Value {
        log(&AssetRegistered {
            asset: U256::from(3),
            token: Address::repeat_byte(5),
            digits: U256::from(digits),
        })
    }

    #[test]
    fn the_newest_checkpoint_of_a_place_counts_in_any_order() {
        let frozen = log(&Frozen {
            waitingSince: U256::ZERO,
        });
        let events = read(&[checkpoint(1, 9), checkpoint(0, 7), checkpoint(1, 2), frozen]);
        let expected = BTreeMap::from([(0, 7), (1, 9)]);
        assert_eq!(events.expect("they are events").checkpoints, expected);
    }

    #[test]
    fn a_log_is_kept_as_a_node_gives_it() {
        let mut answer = checkpoint(1, 9);
        answer["blockNumber"] = "0x1a".into();
        answer["blockTimestamp"] = "0x6553f100".into();
        answer["logIndex"] = "0x0".into();
        let log: Log = serde_json::from_value(answer.clone()).expect("it is a log");
        assert_eq!(log.block_number, Some(U64::from(26)));
        assert_eq!(log.block_timestamp, Some(U64::from(1_700_000_000_u64)));
        answer
            .as_object_mut()
            .expect("it is an object")
            .remove("logIndex");
        assert_eq!(serde_json::to_value(&log).expect("JSON"), answer);
    }

    #[test]
    fn other_logs_are_passed_over() {
        let mut other = checkpoint(1, 9);
        other["address"] = json!(Address::repeat_byte(1));
        let mut gone = checkpoint(1, 9);
        gone["removed"] = true.into();
        let mut unknown = checkpoint(1, 9);
        unknown["topics"][0] = json!(B256::repeat_byte(7));
        let events = read(&[other, gone, unknown]).expect("nothing of them matters");
        assert_eq!(events, Events::default());
    }

    #[test]
    fn a_unit_is_a_power_of_ten_of_its_token() {
        let events = read(&[asset(9)]).expect("it is an event");
        let unit = events.units[&3];
        assert_eq!(unit.token, Address::repeat_byte(5));
        assert_eq!(unit.in_token(7), Some(U256::from(7_000_000_000_u64)));
        let error = read(&[asset(37)]).expect_err("the contract has no such unit");
        assert!(matches!(error, EventError::Number { log: 0, .. }));
    }

    #[test]
    fn what_is_marked_as_an_event_and_is_none_is_refused() {
        let mut cut = checkpoint(1, 9);
        cut["data"] = "0x12".into();
        let error = read(&[asset(1), cut]).expect_err("no number");
        assert!(matches!(error, EventError::Form { log: 1, .. }), "{error}");
        let beyond = log(&Claimed {
            number: U256::MAX,
            to: CONTRACT,
            asset: U256::ZERO,
            amount: U256::ZERO,
        });
        let error = read(&[beyond]).expect_err("no count");
        assert!(
            matches!(error, EventError::Number { log: 0, .. }),
            "{error}"
        );
    }
}
