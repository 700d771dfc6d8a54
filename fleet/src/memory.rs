//! How much memory jobs take, so that a worker takes only what fits.

use std::fs;
use std::path::Path;

use shardfold_protocol::shape::Shape;

/// The circuits that a worker holds: those of the shapes that it has proven, and the fold.
const CIRCUITS: u64 = 2 << 30;

/// What a fold takes at its peak, in bytes, with its circuit.
pub const FOLD: u64 = CIRCUITS;

/// What the finish takes: the root proof, and the verifier's data.
pub const FINISH: u64 = 1 << 28;

/// The memory that proving a shard of this shape takes at its peak, in bytes: what its STARK
/// holds at once, about 30 bytes for each cell at blow-up 2 as measured
/// on `mainnet.csv`, 40 to leave room, and the circuits.
#[must_use]
pub fn of_shard(shape: &Shape) -> u64 {
    const BYTES_PER_CELL: u64 = 40;
    // Cells of a transaction's own rows, and of a permutation or a node.
    let cells = 4_700 * shape.transactions() + 185 * shape.permutations() + 40 * shape.nodes();
    CIRCUITS + BYTES_PER_CELL * cells as u64
}

/// What the machine can give without swapping, or what is left of the container's limit if that
/// is less, in bytes.
#[must_use]
pub fn available() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let machine = available_in(&info)?;
    let number = |file| {
        fs::read_to_string(Path::new(CGROUP).join(file))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let limit: Option<u64> = number("memory.max");
    let held: Option<u64> = number("memory.current");
    let container = limit
        .zip(held)
        .map(|(limit, held)| limit.saturating_sub(held));
    Some(container.map_or(machine, |container| container.min(machine)))
}

/// Where a container with cgroups of version 2 sees its own.
const CGROUP: &str = "/sys/fs/cgroup";

fn available_in(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
