//! How much memory jobs take, so that a worker takes only what fits.

mod limits;

use std::fs;
use std::path::Path;

use shardfold_protocol::shape::Shape;
use shardfold_prover::KEPT_CIRCUITS;
use shardfold_recursion::profile::Profile;

use crate::queue::model::Kind;

const MIB: u64 = 1 << 20;

/// Returns what a worker of these kinds of jobs holds beside them, in bytes: the last circuit, with
/// the keys that verify all results, the aggregation circuit if it aggregates, and if it proves
/// shards the circuits of as many shapes as it keeps. Those of settlement proofs are let go after
/// each job, and count as part of it.
#[must_use]
pub fn of_circuits(profile: Profile, kinds: &[Kind]) -> u64 {
    let sizes = Sizes::of(profile);
    let kinds = kinds.iter().map(|kind| match kind {
        Kind::Shard => sizes.circuit * profile.shapes().len().min(KEPT_CIRCUITS) as u64,
        Kind::Aggregate => sizes.circuit,
        Kind::Finish | Kind::Wrap => 0,
    });
    sizes.last_circuit + kinds.sum::<u64>()
}

/// Returns what an aggregation takes at its peak, in bytes.
#[must_use]
pub const fn of_aggregation(profile: Profile) -> u64 {
    Sizes::of(profile).plonk
}

/// Returns what the last proof takes at its peak, in bytes.
#[must_use]
pub const fn of_last(profile: Profile) -> u64 {
    Sizes::of(profile).last
}

/// Returns what a settlement proof takes at its peak with its circuits, in bytes.
#[must_use]
pub const fn of_wrap(profile: Profile) -> u64 {
    Sizes::of(profile).wrap
}

/// Returns what proving a shard of this shape takes at its peak, in bytes: what its STARK holds at
/// once, 16 bytes for each cell at blow-up 2 as measured with large and giant shards, and what the
/// proof that verifies it takes, which the allocator keeps for the next one.
#[must_use]
pub const fn of_shard(profile: Profile, shape: &Shape) -> u64 {
    const BYTES_PER_CELL: u64 = 18;
    Sizes::of(profile).plonk + BYTES_PER_CELL * shape.cells()
}

/// What plonky2 takes, in bytes, as measured (`docs/performance.md`) and somewhat more.
struct Sizes {
    /// A loaded circuit.
    circuit: u64,
    /// The last circuit, loaded.
    last_circuit: u64,
    /// Making a proof.
    plonk: u64,
    /// Making the last proof.
    last: u64,
    /// Making a settlement proof, with its circuits.
    wrap: u64,
}

impl Sizes {
    const fn of(profile: Profile) -> Self {
        let (circuit, last_circuit, plonk, last, wrap) = match profile {
            Profile::Proven100 => (900, 450, 1_536, 1_024, 4_096),
            Profile::Conjectured100 => (480, 240, 768, 512, 4_096),
            Profile::UnsoundTest => (64, 64, 256, 256, 2_048),
        };
        Self {
            circuit: circuit * MIB,
            last_circuit: last_circuit * MIB,
            plonk: plonk * MIB,
            last: last * MIB,
            wrap: wrap * MIB,
        }
    }
}

/// Returns what the machine can give without swapping, or what is left of the least limit of this
/// process's control groups if that is less, in bytes.
#[must_use]
pub fn available() -> Option<u64> {
    available_at(Path::new("/"))
}

/// The same, where `/proc` and `/sys` are in this folder.
fn available_at(root: &Path) -> Option<u64> {
    let info = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let machine = available_in(&info)?;
    Some(limits::left(root).map_or(machine, |left| left.min(machine)))
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
    fn a_worker_holds_the_circuits_of_its_kinds_of_jobs() {
        for profile in Profile::ALL {
            let last = of_circuits(profile, &[Kind::Finish]);
            let aggregation = of_circuits(profile, &[Kind::Aggregate, Kind::Finish]) - last;
            let shards = of_circuits(profile, &[Kind::Shard]) - last;
            let kept = profile.shapes().len().min(2) as u64;
            assert_eq!(shards, aggregation * kept);
            let all = of_circuits(profile, &Kind::ALL);
            assert_eq!(all, last + aggregation + shards);
        }
    }

    /// Peaks of `docs/performance.md`: 4,490 MiB with two circuits after two shards, 2,249 with
    /// one after an aggregation.
    #[test]
    fn what_jobs_count_as_covers_what_was_measured() {
        let profile = Profile::Proven100;
        let one = of_circuits(profile, &[Kind::Aggregate]);
        assert!(2 * one + of_shard(profile, &Shape::MEDIUM) >= 4_490 * MIB);
        assert!(one + of_aggregation(profile) >= 2_249 * MIB);
        // 3.66 GiB of `wrap` alone, with all that it holds.
        assert!(of_wrap(profile) >= 3_748 * MIB);
    }

    #[test]
    fn a_limit_counts_only_if_it_leaves_less_than_the_machine() {
        let root = tempfile::TempDir::new().expect("a folder");
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        assert_eq!(available_at(root.path()), None);
        write("proc/meminfo", "MemTotal: 100 kB\nMemAvailable: 40 kB\n");
        assert_eq!(available_at(root.path()), Some(40 * 1024));
        write("proc/self/cgroup", "0::/\n");
        write(
            "proc/self/mountinfo",
            "1 0 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        );
        write("sys/fs/cgroup/memory.current", "1000\n");
        for (limit, expected) in [("3000", 2_000), ("3000000", 40 * 1024), ("max", 40 * 1024)] {
            write("sys/fs/cgroup/memory.max", limit);
            assert_eq!(available_at(root.path()), Some(expected));
        }
    }

    #[test]
    fn what_the_machine_can_give_is_found() {
        let info = "MemTotal:       100 kB\nMemAvailable:    40 kB\n";
        assert_eq!(available_in(info), Some(40 * 1024));
        assert_eq!(available_in("MemTotal: 100 kB\n"), None);
    }
}
