//! What is published of a batch where it is settled.

use anyhow::{Result, ensure};
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::withdrawals::ENTRY_BYTES;
use shardfold_submitter::gas::MAX_BLOBS;

use crate::args;

/// So many bytes of data and withdrawals have room beside a proof of 108,560 bytes in a transaction of
/// 128 KiB.
const CALLDATA_BYTES: usize = 18 << 10;

/// What is published of a batch: where the user says, or in calldata if there is room for it, or else in
/// blobs, of which there are no more than a transaction has.
pub fn publication(changes: &SettledBatch, place: Option<args::DataMode>) -> Result<Publication> {
    let published = match place {
        Some(args::DataMode::Calldata) => changes.published(DataMode::Calldata)?,
        Some(args::DataMode::Blobs) => changes.published(DataMode::Blobs)?,
        None => {
            let published = changes.published(DataMode::Calldata)?;
            let owed = changes.withdrawals.len().saturating_mul(ENTRY_BYTES);
            if published.calldata().len().saturating_add(owed) <= CALLDATA_BYTES {
                published
            } else {
                changes.published(DataMode::Blobs)?
            }
        }
    };
    let blobs = published.blobs().len();
    ensure!(
        blobs <= MAX_BLOBS,
        "the batch changes what {blobs} blobs hold, and a transaction has {MAX_BLOBS}: prove and settle \
         it in parts"
    );
    Ok(published)
}
