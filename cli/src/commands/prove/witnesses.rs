//! The shard witnesses of a batch on disk, from before the database moves on until the proof is
//! there: nobody could make them again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shardfold_protocol::files;
use shardfold_protocol::folder;
use shardfold_protocol::head::Head;
use shardfold_protocol::witness::ShardWitness;
use shardfold_store::{Applied, BatchDigest};

use crate::commands::input::read_content;
use crate::output::write_file;

/// The witness files of one batch, named `witness-BATCH-SHARD.bin`.
pub struct WitnessFiles {
    folder: PathBuf,
    prefix: String,
}

impl WitnessFiles {
    /// Those of a batch in a work folder, be they there or not.
    pub fn new(folder: &Path, batch: BatchDigest) -> Self {
        let digest = batch.to_string();
        Self {
            folder: folder.to_owned(),
            prefix: format!("witness-{}-", &digest[..32]),
        }
    }

    fn path(&self, shard: usize) -> PathBuf {
        self.folder.join(format!("{}{shard:05}.bin", self.prefix))
    }

    /// Writes all of them; on return they are on disk.
    pub fn save(&self, witnesses: &[ShardWitness]) -> Result<()> {
        folder::create(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        for (shard, witness) in witnesses.iter().enumerate() {
            write_file(&self.path(shard), &files::to_binary(witness)?)?;
        }
        Ok(())
    }

    /// Reads those that lead from the start to the end of the batch; `None` if one of them is
    /// not there, as when the run was killed that removed them.
    pub fn load(&self, applied: &Applied) -> Result<Option<Vec<ShardWitness>>> {
        let mut witnesses = Vec::new();
        let mut head = applied.before;
        while head != applied.after {
            let path = self.path(witnesses.len());
            if !path.exists() {
                return Ok(None);
            }
            let witness: ShardWitness = read_content("witness", &path)?;
            head = next_head(&witness, &head)
                .with_context(|| format!("{} is no witness of this batch", path.display()))?;
            witnesses.push(witness);
        }
        Ok(Some(witnesses))
    }

    /// Removes them, and what killed runs have left of them, and the folder if nothing else
    /// is in it.
    pub fn remove(&self) -> Result<()> {
        let failed = || format!("cannot remove witnesses in {}", self.folder.display());
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.with_context(failed)?,
        };
        for entry in entries {
            let entry = entry.with_context(failed)?;
            let name = entry.file_name();
            if name
                .to_str()
                .is_some_and(|name| name.starts_with(&self.prefix))
            {
                match fs::remove_file(entry.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(error).with_context(failed);
                    }
                    _ => {}
                }
            }
        }
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// Where a witness leads from a head, if it starts there and leads on.
fn next_head(witness: &ShardWitness, head: &Head) -> Option<Head> {
    let statement = &witness.statement;
    let is_next = statement.before == *head && statement.after.tx_count > head.tx_count;
    is_next.then_some(statement.after)
}
