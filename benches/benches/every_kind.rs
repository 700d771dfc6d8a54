//! Writes one batch with a transaction of every kind, and the state before it, for
//! `shardfold prove`: `cargo bench -p shardfold-benches --bench every_kind -- FOLDER [TRANSFERS]`.
//! So many more transfers fill a shard of a larger shape.

use std::path::PathBuf;

use anyhow::Context as _;
use shardfold_executor::workload::defi::every_kind;
use shardfold_protocol::files;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        println!("cargo bench -p shardfold-benches --bench every_kind -- FOLDER [TRANSFERS]");
        return Ok(());
    };
    let transfers = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let workload = every_kind(transfers);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let state = files::to_binary(&workload.state.to_file())?;
    std::fs::write(folder.join("genesis.bin"), state)?;
    let batch = files::to_binary(&workload.batch)?;
    std::fs::write(folder.join("batch.bin"), batch)?;
    let count = workload.batch.transactions.len();
    println!("{count} transactions written to {}", folder.display());
    Ok(())
}
