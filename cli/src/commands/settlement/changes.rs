//! The file of what a batch changes and owes, from its execution to its settlement.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shardfold_fleet::submit::Data;
use shardfold_protocol::data::Settlement;
use shardfold_protocol::files;
use shardfold_protocol::witness::ShardWitness;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::DataMode;

use super::publish::publication;
use crate::args;
use crate::commands::input::read_content;
use crate::contracts;
use crate::exit::{cannot, usage};
use crate::output::{Output, Places};

/// The file of a batch's changes beside its proof.
const CHANGES: &str = "changes.bin";

/// What a batch changes, of which a settlement proof is made if it says where it is published.
pub struct Changes {
    batch: SettledBatch,
    published: Option<(DataMode, Settlement)>,
}

impl Changes {
    /// Of shards that follow one another, at least one.
    pub fn of(
        shards: &[ShardWitness],
        settles: bool,
        place: Option<args::DataMode>,
    ) -> Result<Self> {
        let batch = SettledBatch::of_shards(contracts(), shards)?;
        Self::new(batch, settles, place)
    }

    /// Those of a batch.
    pub fn new(batch: SettledBatch, settles: bool, place: Option<args::DataMode>) -> Result<Self> {
        let mut published = None;
        if settles {
            let publication = publication(&batch, place)?;
            published = Some((publication.mode(), batch.settlement(&publication)));
        }
        Ok(Self { batch, published })
    }

    /// Returns where they are published.
    pub fn mode(&self) -> Option<DataMode> {
        self.published.map(|(mode, _)| mode)
    }

    /// Returns what the settlement proof states.
    pub fn settlement(&self) -> Option<Settlement> {
        self.published.map(|(_, settlement)| settlement)
    }

    /// Returns what a submission says of them, if they are published.
    pub fn data(&self) -> Option<Data<'_>> {
        let (_, settlement) = self.published.as_ref()?;
        Some(Data {
            differences: &self.batch.differences,
            point: settlement.evaluation.point,
        })
    }

    /// Writes the file. Those of another batch that are there are kept, since they cannot be made again
    /// once its ledger has gone on.
    pub fn write(&self, output: &Output) -> Result<()> {
        let earlier = output.file().map(files::read::<SettledBatch>);
        if let Some(Ok(earlier)) = earlier
            && earlier.statement != self.batch.statement
        {
            return Err(cannot(format!(
                "{output} has the changes of another batch, without which that is not settled: name \
                 another file, or remove it"
            )));
        }
        output.write(&files::to_binary(&self.batch)?)
    }
}

/// Returns the place of a file of changes of about so many bytes.
pub fn changes_output(
    places: &mut Places,
    path: Option<&Path>,
    bytes: u64,
) -> Result<Option<Output>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let output = places.output(path, bytes)?;
    if output.file().is_none() {
        return Err(usage(
            "--changes names no file: what is written there is read again",
        ));
    }
    Ok(Some(output))
}

/// Returns the file of a batch's changes: the one that is named, or the one beside its proof.
pub fn changes_path(named: Option<&Path>, proof: &Path) -> PathBuf {
    named.map_or_else(|| proof.with_file_name(CHANGES), Path::to_owned)
}

/// Reads the changes of a batch, which are those of their own statement: nobody has to be believed for
/// them.
pub fn read_changes(path: &Path) -> Result<SettledBatch> {
    let changes: SettledBatch = read_content("changes", path)?;
    let check = changes.check();
    check.with_context(|| format!("cannot use the changes {}", path.display()))?;
    Ok(changes)
}

/// Says that changes are not those of a proof.
pub fn other_changes(changes: &Path, proof: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "the proof {} states something else than the changes {}: take those of this proof; \
         `shardfold execute --changes` makes them with the --profile and --shape with which it was proven",
        proof.display(),
        changes.display()
    )
}
