//! Limits in trees of files as kernels show them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A group's files of version 2: `max`, what is held, and of that the files.
fn group2(top: &Path, group: &str, max: &str, held: u64, files: u64) {
    let folder = top.join(group);
    fs::create_dir_all(&folder).expect("a folder");
    for (file, text) in [
        ("memory.max", format!("{max}\n")),
        ("memory.high", "max\n".to_owned()),
        ("memory.current", format!("{held}\n")),
        (
            "memory.stat",
            format!("anon 1\nfile 9000\ninactive_file {files}\nslab 3\n"),
        ),
    ] {
        fs::write(folder.join(file), text).expect("a file");
    }
}

/// A group's files of version 1.
fn group1(top: &Path, group: &str, limit: u64, held: u64, above: u64) {
    let folder = top.join(group);
    fs::create_dir_all(&folder).expect("a folder");
    let stat = format!(
        "cache 7\ninactive_file 7\nhierarchical_memory_limit {above}\ntotal_inactive_file 100\n"
    );
    for (file, text) in [
        ("memory.limit_in_bytes", format!("{limit}\n")),
        ("memory.usage_in_bytes", format!("{held}\n")),
        ("memory.stat", stat),
    ] {
        fs::write(folder.join(file), text).expect("a file");
    }
}

/// A machine with these lines in `/proc/self`, and the folder for its groups.
fn machine(groups: &str, mounts: &str) -> (TempDir, PathBuf) {
    let root = TempDir::new().expect("a folder");
    let own = root.path().join("proc/self");
    fs::create_dir_all(&own).expect("a folder");
    fs::write(own.join("cgroup"), groups).expect("a file");
    fs::write(own.join("mountinfo"), mounts).expect("a file");
    let top = root.path().join("sys/fs/cgroup");
    (root, top)
}

const MOUNT2: &str = "\
22 27 0:20 / /proc rw,nosuid - proc proc rw
30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
/// No limit, as version 1 writes it.
const NONE: u64 = 9_223_372_036_854_771_712;

#[test]
fn the_limit_of_a_systemd_unit_is_seen() {
    let (root, top) = machine("0::/system.slice/shardfold.service\n", MOUNT2);
    group2(&top, "system.slice", "max", 90_000, 0);
    group2(
        &top,
        "system.slice/shardfold.service",
        "10000",
        6_000,
        4_000,
    );
    assert_eq!(left(root.path()), Some(8_000));
    // `MemoryHigh=`, above which the kernel slows a unit down.
    fs::write(
        top.join("system.slice/shardfold.service/memory.high"),
        "7000\n",
    )
    .expect("a file");
    assert_eq!(left(root.path()), Some(5_000));
}

#[test]
fn the_least_of_nested_groups_counts_with_what_others_hold_in_it() {
    let (root, top) = machine("0::/user.slice/app.slice/worker.scope\n", MOUNT2);
    group2(&top, "user.slice", "20000", 19_000, 500);
    group2(&top, "user.slice/app.slice", "max", 8_000, 0);
    group2(&top, "user.slice/app.slice/worker.scope", "12000", 2_000, 0);
    assert_eq!(left(root.path()), Some(1_500));
}

#[test]
fn a_container_of_version_2_sees_its_own_group_at_the_top() {
    let (root, top) = machine("0::/\n", MOUNT2);
    group2(&top, "", "10000", 12_000, 0);
    assert_eq!(left(root.path()), Some(0));
    group2(&top, "", "max", 12_000, 0);
    assert_eq!(left(root.path()), None);
}

#[test]
fn limits_of_version_1_are_seen_along_the_hierarchy() {
    let mounts = "\
33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
34 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 32 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let groups = "12:memory:/batch/job 7\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/other\n";
    let (root, top) = machine(groups, mounts);
    let top = top.join("memory");
    group1(&top, "batch", 10_000, 4_100, 10_000);
    group1(&top, "batch/job 7", NONE, 2_100, 10_000);
    assert_eq!(left(root.path()), Some(6_000));
    group1(&top, "batch/job 7", 5_000, 2_100, 5_000);
    assert_eq!(left(root.path()), Some(3_000));
}

#[test]
fn a_container_of_version_1_sees_its_limits_though_not_the_groups_above() {
    let groups = "4:memory,hugetlb:/docker/abc/nested\n";
    // The container's group stands at the mount, whose path is that of the host.
    let mounts = "33 32 0:29 /docker/abc /sys/fs/cgroup/my\\040memory ro master:15 - cgroup cgroup rw,memory\n";
    let (root, top) = machine(groups, mounts);
    let top = top.join("my memory");
    group1(&top, "", 9_000, 3_100, 7_000);
    group1(&top, "nested", NONE, 1_100, 7_000);
    assert_eq!(left(root.path()), Some(4_000));
    // By a path that is not below the mount.
    fs::write(root.path().join("proc/self/cgroup"), "4:memory:/../x\n").expect("a file");
    group1(&top, "", 9_000, 3_100, 9_000);
    assert_eq!(left(root.path()), Some(6_000));
}

#[test]
fn without_groups_or_with_other_text_there_is_no_limit() {
    let none = TempDir::new().expect("a folder");
    assert_eq!(left(none.path()), None);
    for (groups, mounts) in [
        ("", ""),
        ("nonsense\n0:\n", MOUNT2),
        ("0::/gone\n", MOUNT2),
        (
            "0::/\n",
            "30 23\n - cgroup2\n30 23 0:26 / - cgroup2 cgroup2 rw\n",
        ),
    ] {
        let (root, top) = machine(groups, mounts);
        group2(&top, "another", "1", 0, 0);
        assert_eq!(left(root.path()), None, "{groups}");
    }
}
