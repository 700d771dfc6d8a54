//! A full disk for one process, without privileges.

use std::process::Command;

use crate::common::{Sandbox, refused};

/// More KiB than any test writes.
pub const LARGE_DISK: u32 = 1 << 20;

/// The same command, whose files cannot grow beyond so many KiB: writes fail with `EFBIG`, as
/// they fail with `ENOSPC` where the whole disk is full. Pipes have no such limit.
pub fn with_full_disk(command: &Command, kib: u32) -> Command {
    let mut limited = Command::new("bash");
    limited
        .arg("-c")
        .arg(r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#)
        .arg(kib.to_string())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write_trace();
    let command = sandbox.command(&["import", "trace.csv", "-o", "run"]);
    let error = refused(with_full_disk(&command, 0));
    assert!(
        error.contains("genesis.bin") && error.contains("File too large"),
        "{error}"
    );
    sandbox.ok(&["import", "trace.csv", "-o", "run"]);
}
