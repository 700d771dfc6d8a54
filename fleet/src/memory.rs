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
    let read = |file| fs::read_to_string(Path::new(CGROUP).join(file)).ok();
    let limit = read("memory.max").and_then(|limit| limit.trim().parse().ok());
    let container = limit.and_then(|limit| {
        let held = read("memory.current")?.trim().parse().ok()?;
        Some(left_of(limit, held, &read("memory.stat")?))
    });
    Some(container.map_or(machine, |container| container.min(machine)))
}

/// Where a container with cgroups of version 2 sees its own.
const CGROUP: &str = "/sys/fs/cgroup";

/// What is left of a container's limit. Files that were read once and are not looked at any
/// more count as held, and are dropped when the memory is wanted.
fn left_of(limit: u64, held: u64, stat: &str) -> u64 {
    let cached = stat
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok())
        .unwrap_or(0);
    limit.saturating_sub(held.saturating_sub(cached))
}

fn available_in(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_a_container_has_read_do_not_count_against_its_limit() {
        let stat = "anon 300\nfile 5000\nactive_file 900\ninactive_file 4000\n";
        assert_eq!(left_of(10_000, 6_000, stat), 8_000);
        assert_eq!(left_of(10_000, 6_000, ""), 4_000);
        assert_eq!(left_of(10_000, 12_000, ""), 0);
    }

    #[test]
    fn what_the_machine_can_give_is_found() {
        let info = "MemTotal:       100 kB\nMemAvailable:    40 kB\n";
        assert_eq!(available_in(info), Some(40 * 1024));
        assert_eq!(available_in("MemTotal: 100 kB\n"), None);
    }
}
