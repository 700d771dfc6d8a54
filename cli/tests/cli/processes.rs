//! Threads that the system does not give, and numbers of them that make no sense.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{CANNOT, Sandbox, USAGE, cache, printed, prove_arguments};

/// Runs a command as a user who may have so many processes: its code and what it says. As root,
/// who has no limit, as nobody.
fn limited(sandbox: &Sandbox, limit: usize, arguments: &[&str]) -> (Option<i32>, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let everybody = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(sandbox.path("."), everybody).expect("the folder is ours");
    // The binary may lie where nobody else may look.
    let binary = sandbox.path("shardfold");
    std::fs::copy(env!("CARGO_BIN_EXE_shardfold"), &binary).expect("a copy");
    let script = format!("ulimit -c 0; ulimit -u {limit}; exec \"$0\" \"$@\"");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        // A user of whom nothing else runs.
        command.args(["--reuid=61234", "--clear-groups", "bash", "-c"]);
        command
    } else {
        let mut command = Command::new("bash");
        command.arg("-c");
        command
    };
    command
        .arg(script)
        .arg(&binary)
        .args(arguments)
        .env("SHARDFOLD_CACHE", cache())
        .current_dir(sandbox.path("."));
    let (code, printed) = printed(command.output().expect("it starts"));
    (code, printed.err)
}

#[test]
fn without_threads_every_command_ends_at_once_with_an_error() {
    let sandbox = Sandbox::with_batch(1);
    let prove = prove_arguments("proof.bin");
    let commands: [&[&str]; 4] = [
        &prove,
        &["execute", "batch.bin"],
        &["inspect", "genesis.bin"],
        &["status", "--database", "sqlite://fleet.db"],
    ];
    for arguments in commands {
        for limit in [1, 2, 5, 12] {
            let start = Instant::now();
            let (code, error) = limited(&sandbox, limit, arguments);
            assert_eq!(code, Some(CANNOT), "{arguments:?} {limit}: {error}");
            assert!(error.contains("threads"), "{arguments:?} {limit}: {error}");
            assert!(start.elapsed() < Duration::from_secs(60), "{arguments:?}");
        }
    }
    assert!(!sandbox.exists("proof.bin.partial"));
}

#[test]
fn numbers_of_threads_in_the_environment_have_bounds() {
    let sandbox = Sandbox::with_batch(1);
    for number in ["1025", "1000000", "18446744073709551616", "-1", "all"] {
        for arguments in [["execute", "batch.bin"], ["inspect", "batch.bin"]] {
            let mut command = sandbox.command(&arguments);
            command.env("RAYON_NUM_THREADS", number);
            let (code, printed) = printed(command.output().expect("it starts"));
            assert_eq!(code, Some(USAGE), "{number}: {printed:?}");
            let expected = format!("RAYON_NUM_THREADS={number}, expected a number");
            assert_eq!(printed.count(&expected), 1, "{printed:?}");
        }
    }
    for number in ["", "0", "1", "3"] {
        let mut command = sandbox.command(&["execute", "batch.bin"]);
        command.env("RAYON_NUM_THREADS", number);
        let (code, printed) = printed(command.output().expect("it starts"));
        assert_eq!(code, Some(0), "{number}: {printed:?}");
    }
    // Of this one the runtime makes a panic.
    let mut command = sandbox.command(&prove_arguments("proof.bin"));
    command.env("TOKIO_WORKER_THREADS", "many");
    let (code, printed) = printed(command.output().expect("it starts"));
    assert_eq!(code, Some(0), "{printed:?}");
}
