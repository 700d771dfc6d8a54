//! Places that cannot be read or written, and arguments that make no sense.

use std::fs::{self, File};
use std::process::Command;

use serde_json::Value;

use crate::common::{CANNOT, PROFILE, Sandbox, key, printed, refused, shardfold};

/// Each command that writes, with `{}` for the place.
const WRITERS: [&[&str]; 4] = [
    &["execute", "batch.bin", "--state-out", "{}"],
    &["execute", "batch.bin", "--receipts", "{}"],
    &["key", "--profile", PROFILE, "-o", "{}"],
    &["prove", "batch.bin", "--profile", PROFILE, "-o", "{}"],
];

fn with_place<'a>(arguments: &[&'a str], place: &'a str) -> Vec<&'a str> {
    let fill = |&argument| if argument == "{}" { place } else { argument };
    arguments.iter().map(fill).collect()
}

#[test]
fn a_place_that_takes_no_file_is_named() {
    let sandbox = Sandbox::with_batch(1);
    fs::create_dir(sandbox.path("folder")).expect("a folder");
    for arguments in WRITERS {
        for place in [
            "batch.bin/under/a/file",
            "batch.bin/file",
            "folder",
            "new/",
            "/proc/file",
        ] {
            let error = sandbox.refused(&with_place(arguments, place));
            let parent = place.rsplit_once('/').map_or(place, |(parent, _)| parent);
            assert!(error.contains(parent), "{arguments:?} {place}: {error}");
        }
    }
    let error = sandbox.refused(&["import", "trace.csv", "-o", "batch.bin"]);
    assert!(
        error.contains("cannot write batch.bin/genesis.bin: Not a directory"),
        "{error}"
    );
}

/// A full disk at the very end. The device must be there afterwards: a file that is renamed
/// over it would take its place.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_reported_and_stays_a_device() {
    let sandbox = Sandbox::with_batch(1);
    for arguments in WRITERS {
        let mut arguments = with_place(arguments, "/dev/full");
        if arguments[0] == "prove" {
            arguments.extend(["--work-dir", "parts"]);
        }
        let error = refused(sandbox.command(&arguments));
        assert!(
            error.contains("cannot write /dev/full: No space left"),
            "{error}"
        );
        let device = fs::metadata("/dev/full").expect("it is there");
        assert!(!device.is_file(), "{arguments:?} replaced the device");
    }
}

/// A disk that is full in the middle: no file may grow beyond 512 bytes.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_is_reported_and_the_old_one_stays() {
    let sandbox = Sandbox::with_batch(10);
    sandbox.write("place", b"what was there");
    for arguments in WRITERS {
        let arguments = with_place(arguments, "place");
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_shardfold"))
            .args(&arguments)
            .env("SHARDFOLD_CACHE", crate::common::cache())
            .env(crate::common::ALLOW_UNSOUND, "1")
            .current_dir(sandbox.path("."));
        let small = ["--state-out", "--receipts"].contains(&arguments[2]);
        let error = if small {
            // These are below 512 bytes for a small batch, which is fine.
            let (code, printed) = printed(command.output().expect("it starts"));
            if code == Some(0) {
                sandbox.write("place", b"what was there");
                continue;
            }
            printed.err
        } else {
            refused(command)
        };
        // SQLite, in the work folder, has a word of its own for it.
        let is_said = error.contains("File too large") || error.contains("disk I/O error");
        assert!(is_said, "{arguments:?}: {error}");
        assert_eq!(sandbox.read("place"), b"what was there", "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_output_that_is_a_link_stays_one() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.write("target", b"old");
    std::os::unix::fs::symlink("target", sandbox.path("link")).expect("a link");
    sandbox.ok(&["execute", "batch.bin", "--state-out", "link"]);
    assert!(
        fs::symlink_metadata(sandbox.path("link"))
            .unwrap()
            .is_symlink()
    );
    sandbox.ok(&["inspect", "target"]);
}

/// `shardfold ... | head` must not end in a panic, and an object for machines must not be lost
/// unnoticed.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_takes_nothing() {
    let sandbox = Sandbox::with_batch(1);
    let full = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("it is there")
    };
    for arguments in [
        ["inspect", "batch.bin"].as_slice(),
        &["execute", "batch.bin"],
    ] {
        let (code, _) = {
            let mut command = sandbox.command(arguments);
            printed(command.stdout(full()).output().expect("it starts"))
        };
        assert_eq!(code, Some(0), "{arguments:?}");
        let mut command = sandbox.command(arguments);
        command.arg("--json").stdout(full());
        let error = refused(command);
        assert!(error.contains("cannot write to standard output"), "{error}");
    }
    let mut command = sandbox.command(&["completions", "bash"]);
    command.stdout(full());
    assert!(refused(command).contains("cannot write to standard output"));
    // With nowhere to complain the exit code is all that is left.
    let mut command = sandbox.command(&["inspect", "missing"]);
    let status = command.stderr(full()).status().expect("it starts");
    assert_eq!(status.code(), Some(CANNOT));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let sandbox = Sandbox::with_batch(1);
    let missing = "No such file or directory";
    let error = sandbox.refused(&["execute", "nowhere/batch.bin"]);
    assert!(
        error.contains("nowhere/batch.bin") && error.contains(missing),
        "{error}"
    );
    assert_eq!(error.matches("nowhere").count(), 1, "named once: {error}");
    let error = sandbox.refused(&["execute", "batch.bin", "--state", "none"]);
    assert!(error.contains("none") && error.contains(missing), "{error}");
    for command in ["verify", "inspect"] {
        let error = sandbox.refused(&[command, "none"]);
        assert!(error.contains("cannot read none: No such file"), "{error}");
        let error = sandbox.refused(&[command, "."]);
        assert!(error.contains("cannot read .: Is a directory"), "{error}");
        // Without an end, and without a size beforehand.
        let error = refused(sandbox.command(&["verify", "/dev/zero"]));
        assert!(error.contains("/dev/zero"), "{error}");
    }
    let key = key().to_str().expect("plain names");
    let error = sandbox.refused(&["verify", key, "--key", "none"]);
    assert!(error.starts_with("error: "), "{error}");

    fs::remove_file(sandbox.path("genesis.bin")).expect("it is there");
    for command in [
        ["execute", "batch.bin"].as_slice(),
        &["prove", "batch.bin", "-o", "p"],
    ] {
        let error = sandbox.refused(command);
        assert!(
            error.contains("genesis.bin") && error.contains("--state"),
            "{error}"
        );
    }
}

#[test]
fn arguments_that_make_no_sense_are_explained() {
    let sandbox = Sandbox::with_batch(1);
    let prove = ["prove", "batch.bin", "-o", "p", "--profile"];
    let worker = ["worker", "--key", "worker.key", "--profile"];
    let cases: [(&[&str], &str); 9] = [
        (
            &["execute", "batch.bin", "--threads", "0"],
            "0 is not in 1..=1024",
        ),
        (&["execute", "batch.bin", "--threads", "many"], "--threads"),
        (&["execute", "batch.bin", "--threads", "1025"], "--threads"),
        (&[&prove[..], &["no-such"]].concat(), "no-such"),
        (
            &[&prove[..], &[PROFILE, "--memory", "lots"]].concat(),
            "write 8G or 500M",
        ),
        (
            &[&worker[..], &[PROFILE, "--memory", "100M"]].concat(),
            "found 0.1 GiB of memory, expected more than the 0.2 GiB of the circuits",
        ),
        (
            &["import", "trace.csv", "-o", "r", "--fee", "70368744177664"],
            "below 2^46",
        ),
        (
            &[
                "import",
                "trace.csv",
                "-o",
                "r",
                "--chain-id",
                "18446744073709551615",
            ],
            "--chain-id",
        ),
        (
            &["import", "trace.csv", "-o", "r", "--limit", "0"],
            "no transfers",
        ),
    ];
    for (arguments, expected) in cases {
        let error = sandbox.refused(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let help = shardfold().output().expect("it starts");
    assert_eq!(help.status.code(), Some(2), "no command");
}

#[test]
fn a_faulty_trace_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    let header = "kind,from,to,asset_in,amount_in\n";
    let who = "0x1111111111111111111111111111111111111111";
    let cases = [
        (
            format!("swap,{who},{who},eth,1\ntransfer,{who},0x22,eth,5\n"),
            "line 3",
        ),
        (
            format!("transfer,{who},{who},eth,1.5\n"),
            "`1.5` is no integer",
        ),
        (
            format!("transfer,{who},{who},eth,-5\n"),
            "`-5` is no integer",
        ),
        (
            format!("transfer,{who},{},eth,5\n", &who[2..]),
            "is no address of 0x and 40 hex digits",
        ),
        (format!("mint,{who},{who},eth,5\n"), "the kind is `mint`"),
        (format!("transfer,{who}\n"), "line 2: found 2 fields"),
        (
            format!("transfer,{who},{who},eth,+5\n"),
            "line 2, column `amount_in`: `+5` is no integer",
        ),
        (
            format!("\n\nswap,{who},{who},\"a\nb\",1\ntransfer,{who},{who},,5\n"),
            "line 6, column `asset_in`: found nothing",
        ),
        (String::new(), "no transfers"),
    ];
    for (lines, expected) in cases {
        sandbox.write("trace.csv", format!("{header}{lines}").as_bytes());
        let error = sandbox.refused(&["import", "trace.csv", "-o", "run"]);
        assert!(error.contains("trace.csv"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    sandbox.write("trace.csv", b"kind,from,to,asset_in\nswap,a,b,c\n");
    let error = sandbox.refused(&["import", "trace.csv", "-o", "run"]);
    assert!(error.contains("amount_in"), "{error}");
}

#[test]
fn an_error_is_a_json_object_where_logs_are() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .command(&["verify", "missing.bin", "--log-format", "json"])
        .output()
        .expect("the command starts");
    assert!(!output.status.success());
    let err = String::from_utf8(output.stderr).expect("text");
    let event: Value = serde_json::from_str(err.trim_end()).expect("one JSON object");
    assert_eq!(event["level"], "ERROR");
    let message = event["message"].as_str().expect("a message");
    assert!(message.contains("missing.bin"), "{message}");
}
