//! What is published of a batch where it is settled.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use shardfold_fleet::submit::Data;
use shardfold_protocol::files;
use shardfold_protocol::witness::ShardWitness;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::withdrawals::ENTRY_BYTES;
use shardfold_submitter::gas::MAX_BLOBS;

use crate::args;
use crate::commands::input::read_content;
use crate::contracts;

/// The file of a batch's changes beside its proof.
const CHANGES: &str = "changes.bin";

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

/// What a batch changes, of which a settlement proof is made if `mode` says where it is published.
pub struct Changes {
    /// The changes.
    pub batch: SettledBatch,
    /// Where they are published.
    pub mode: Option<DataMode>,
    point: [u64; 2],
}

impl Changes {
    /// Of shards that follow one another, at least one.
    pub fn of(
        shards: &[ShardWitness],
        settles: bool,
        place: Option<args::DataMode>,
    ) -> Result<Self> {
        Self::new(
            SettledBatch::of_shards(contracts(), shards)?,
            settles,
            place,
        )
    }

    /// Those of a batch.
    pub fn new(batch: SettledBatch, settles: bool, place: Option<args::DataMode>) -> Result<Self> {
        let (mut mode, mut point) = (None, [0; 2]);
        if settles {
            let publication = publication(&batch, place)?;
            mode = Some(publication.mode());
            point = publication.evaluation().point;
        }
        Ok(Self { batch, mode, point })
    }

    /// Returns what a submission says of them, if they are published.
    pub fn data(&self) -> Option<Data<'_>> {
        self.mode.map(|_| Data {
            differences: &self.batch.differences,
            point: self.point,
        })
    }

    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(files::to_binary(&self.batch)?)
    }
}

/// Reads the changes of a batch, which are those of their own statement: nobody has to be believed for
/// them. By default those beside a proof.
pub fn read_changes(named: Option<&Path>, proof: &Path) -> Result<SettledBatch> {
    let beside = proof.with_file_name(CHANGES);
    let path = named.unwrap_or(&beside);
    let changes: SettledBatch = read_content("changes", path)?;
    let check = changes.check();
    check.with_context(|| format!("cannot use the changes {}", path.display()))?;
    Ok(changes)
}
