//! What came of a settlement.

use alloy::rpc::types::{Log, TransactionReceipt};
use alloy_primitives::{B256, U256};

/// A settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The transaction.
    pub transaction: B256,
    /// The block that it is in.
    pub block: u64,
    /// Whether it was settled before, by whomever, so that nothing was sent.
    pub was_settled: bool,
    /// The gas that it took; only of one's own.
    pub gas: Option<u64>,
    /// The blob gas that it took; only of one's own.
    pub blob_gas: Option<u64>,
    /// What it cost with its blobs, in wei; only of one's own.
    pub cost: Option<U256>,
}

impl Report {
    pub(super) fn own(receipt: &TransactionReceipt) -> Self {
        let of_gas = U256::from(receipt.effective_gas_price) * U256::from(receipt.gas_used);
        let blob_gas = receipt.blob_gas_used.unwrap_or_default();
        let blob_price = receipt.blob_gas_price.unwrap_or_default();
        let of_blobs = U256::from(blob_price) * U256::from(blob_gas);
        Self {
            transaction: receipt.transaction_hash,
            block: receipt.block_number.unwrap_or_default(),
            was_settled: false,
            gas: Some(receipt.gas_used),
            blob_gas: Some(blob_gas),
            cost: Some(of_gas + of_blobs),
        }
    }

    pub(super) fn of_log(log: &Log) -> Self {
        Self {
            transaction: log.transaction_hash.unwrap_or_default(),
            block: log.block_number.unwrap_or_default(),
            was_settled: true,
            gas: None,
            blob_gas: None,
            cost: None,
        }
    }
}
