//! What is published of a batch where it is settled.

use anyhow::{Result, ensure};
use shardfold_executor::reexecute;
use shardfold_fleet::submit::Data;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::withdrawals::ENTRY_BYTES;
use shardfold_submitter::gas::MAX_BLOBS;

use crate::args;
use crate::contracts;

/// So many bytes of data and withdrawals have room beside a proof of 108,560 bytes in a transaction of
/// 128 KiB.
const CALLDATA_BYTES: usize = 18 << 10;

/// What is published of a batch of this statement: where the user says, or in calldata if there is
/// room for it, or else in blobs, of which there are no more than a transaction has.
pub fn publication(
    statement: &Statement,
    differences: &[F],
    place: Option<args::DataMode>,
) -> Result<Publication> {
    let Statement { before, after, .. } = statement;
    let publish = |mode| {
        let (before, after) = (&before.data_commitment, &after.data_commitment);
        Publication::new(mode, before, after, differences)
    };
    let published = match place {
        Some(args::DataMode::Calldata) => publish(DataMode::Calldata)?,
        Some(args::DataMode::Blobs) => publish(DataMode::Blobs)?,
        None => {
            let published = publish(DataMode::Calldata)?;
            let withdrawals = after
                .withdrawal_count
                .saturating_sub(before.withdrawal_count);
            let owed = usize::try_from(withdrawals)?.saturating_mul(ENTRY_BYTES);
            if published.calldata().len().saturating_add(owed) <= CALLDATA_BYTES {
                published
            } else {
                publish(DataMode::Blobs)?
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

/// What a fleet gets to know of what is published.
pub struct Published {
    /// Where.
    pub mode: DataMode,
    differences: Vec<F>,
    point: [u64; 2],
}

impl Published {
    /// Of shards that follow one another, at least one.
    pub fn of(shards: &[ShardWitness], place: Option<args::DataMode>) -> Result<Self> {
        let (Some(first), Some(last)) = (shards.first(), shards.last()) else {
            anyhow::bail!("found no shards, expected at least one");
        };
        let mut differences = vec![];
        for shard in shards {
            differences.extend(reexecute::differences(contracts(), shard)?);
        }
        let statement = Statement {
            after: last.statement.after,
            ..first.statement
        };
        let publication = publication(&statement, &differences, place)?;
        Ok(Self {
            mode: publication.mode(),
            point: publication.evaluation().point,
            differences,
        })
    }

    /// Returns it for a submission.
    pub fn data(&self) -> Data<'_> {
        Data {
            differences: &self.differences,
            point: self.point,
        }
    }
}
