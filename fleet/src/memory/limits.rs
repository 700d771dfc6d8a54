//! What control groups leave to this process: those of a container, of a systemd unit, of both,
//! by either version of the kernel's interface.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of one version of the interface.
struct Version {
    /// The type of its file system.
    file_system: &'static str,
    /// The controller of its own hierarchy that is mounted, if there are several.
    controller: Option<&'static str>,
    /// The files with a limit.
    limits: &'static [&'static str],
    /// The file with what is held.
    held: &'static str,
    /// The line of `memory.stat` with files that were read once and are not looked at any more:
    /// they count as held, and are dropped when the memory is wanted.
    cached: &'static str,
}

const VERSIONS: [Version; 2] = [
    Version {
        file_system: "cgroup2",
        controller: None,
        limits: &["memory.max", "memory.high"],
        held: "memory.current",
        cached: "inactive_file",
    },
    Version {
        file_system: "cgroup",
        controller: Some("memory"),
        limits: &["memory.limit_in_bytes"],
        held: "memory.usage_in_bytes",
        cached: "total_inactive_file",
    },
];

/// The line of `memory.stat` of version 1 with the least limit of all groups above, those too
/// that a container does not see.
const HIERARCHICAL: &str = "hierarchical_memory_limit";

/// Returns what is left of the least limit of this process's groups, in bytes; `None` if it has
/// none. `root` is where `/proc` and `/sys` are.
pub fn left(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let of_version = |version: &Version| {
        let group = group(&groups, version)?;
        let folders = mounts.lines().filter_map(|mount| Mount::of(mount, version));
        let left = folders.filter_map(|mount| left_in(root, &mount, group, version));
        left.min()
    };
    VERSIONS.iter().filter_map(of_version).min()
}

/// The path of this process's group, by a line `NUMBER:CONTROLLER,...:PATH` of
/// `/proc/self/cgroup`; version 2 has no controllers there.
fn group<'a>(groups: &'a str, version: &Version) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (controllers, path) = line.split_once(':')?;
        let is_it = match version.controller {
            None => controllers.is_empty(),
            Some(name) => controllers.split(',').any(|found| found == name),
        };
        is_it.then_some(path)
    })
}

/// A hierarchy of groups in the file system.
struct Mount {
    /// The group that is seen at the folder.
    group: PathBuf,
    folder: PathBuf,
}

impl Mount {
    /// Reads a line `ID PARENT DEVICE GROUP FOLDER OPTIONS... - TYPE SOURCE OPTIONS` of
    /// `/proc/self/mountinfo`.
    fn of(line: &str, version: &Version) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        if kind.next()? != version.file_system {
            return None;
        }
        if let Some(controller) = version.controller {
            let options = kind.nth(1)?;
            options.split(',').find(|found| *found == controller)?;
        }
        let mut place = place.split(' ').skip(3).map(unescaped);
        Some(Self {
            group: place.next()?.into(),
            folder: place.next()?.into(),
        })
    }
}

/// A path of `mountinfo`, where blanks are written as `\040`.
fn unescaped(path: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    escapes
        .iter()
        .fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

/// What is left to a group that is seen below a mount: the least of it and all above it.
fn left_in(root: &Path, mount: &Mount, group: &str, version: &Version) -> Option<u64> {
    // Of a group that is not below the mount, the mount's own counts: that of a container
    // without a name space of its own for groups.
    let below = Path::new(group).strip_prefix(&mount.group);
    let below = below.unwrap_or(Path::new(""));
    let top = root.join(mount.folder.strip_prefix("/").unwrap_or(&mount.folder));
    let folders = below.ancestors().map(|group| top.join(group));
    folders.filter_map(|folder| left_to(&folder, version)).min()
}

/// What is left to one group, without regard to those above it.
fn left_to(folder: &Path, version: &Version) -> Option<u64> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let stat = read("memory.stat").unwrap_or_default();
    let number = |file: &&str| read(file)?.trim().parse::<u64>().ok();
    let limits = version.limits.iter().filter_map(number);
    let limit = limits.chain(line(&stat, HIERARCHICAL)).min()?;
    let held = number(&version.held)?;
    let cached = line(&stat, version.cached).unwrap_or(0);
    Some(limit.saturating_sub(held.saturating_sub(cached)))
}

/// The number in a line `NAME NUMBER`.
fn line(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| {
        let (found, number) = line.split_once(' ')?;
        (found == name).then(|| number.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests;
