//! Where results go: what they may replace, how they are written, and that this is found out
//! before the work.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Output, Stdio};

use crate::chain::Chain;
use crate::common::{
    ALLOW_UNSOUND, CANNOT, PROFILE, Sandbox, USAGE, cache, key, printed, prove_arguments,
};

/// Runs a script with the command as `shardfold`, in the sandbox.
fn script(sandbox: &Sandbox, text: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_shardfold");
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("shardfold() {{ {binary} \"$@\"; }}\n{text}")])
        .env("SHARDFOLD_CACHE", cache())
        .env(ALLOW_UNSOUND, "1")
        .env("PROFILE", PROFILE)
        .current_dir(sandbox.path("."));
    command.output().expect("a shell")
}

/// Runs a script that may mount things, and a command for which there may be none: `None` where
/// this user may not do that.
fn script_with_mounts(sandbox: &Sandbox, text: &str) -> Option<Output> {
    let can_mount = Command::new("unshare").args(["-m", "true"]).output();
    if !can_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this user may not mount anything");
        return None;
    }
    let binary = env!("CARGO_BIN_EXE_shardfold");
    let text = format!("set -e\nshardfold() {{ {binary} \"$@\"; }}\n{text}");
    let mut command = Command::new("unshare");
    command
        .args(["-m", "bash", "-c", &text])
        .env("SHARDFOLD_CACHE", cache())
        .env(ALLOW_UNSOUND, "1")
        .env("PROFILE", PROFILE)
        .current_dir(sandbox.path("."));
    Some(command.output().expect("a shell"))
}

fn mode(sandbox: &Sandbox, name: &str) -> u32 {
    let data = fs::metadata(sandbox.path(name)).expect("it is there");
    data.permissions().mode() & 0o777
}

#[test]
fn an_output_is_no_input_and_no_other_output() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    fs::copy(sandbox.path("0.bin"), sandbox.path("batch.bin")).expect("a copy");
    sandbox.write("trace.csv", b"kind,from,to,asset_in,amount_in\n");
    fs::copy(sandbox.path("trace.csv"), sandbox.path("batch.json")).expect("a copy");
    symlink("batch.bin", sandbox.path("link")).expect("a link");
    fs::hard_link(sandbox.path("batch.bin"), sandbox.path("twin")).expect("a link");
    symlink("x", sandbox.path("to-x")).expect("a link");
    symlink("ledger/state.redb", sandbox.path("database")).expect("a link");
    sandbox.ok(&["state", "prove", "1", "--state", "ledger", "-o", "one.json"]);
    let execute = ["execute", "batch.bin", "--state", "genesis.bin"];
    let prove = ["prove", "batch.bin", "--profile", PROFILE, "-o"];
    let cases: [&[&str]; 17] = [
        &[&execute[..], &["--state-out", "batch.bin"]].concat(),
        &[&execute[..], &["--state-out", "./batch.bin"]].concat(),
        &[&execute[..], &["--state-out", "ledger/../batch.bin"]].concat(),
        &[&execute[..], &["--state-out", "link"]].concat(),
        &[&execute[..], &["--state-out", "twin"]].concat(),
        &[&execute[..], &["--receipts", "genesis.bin"]].concat(),
        &["execute", "batch.bin", "--receipts", "genesis.bin"],
        &[&execute[..], &["--receipts", "x", "--state-out", "x"]].concat(),
        &[&execute[..], &["--receipts", "x", "--state-out", "to-x"]].concat(),
        &[
            &execute[..],
            &["--receipts", "-", "--state-out", "/dev/stdout"],
        ]
        .concat(),
        &[
            "execute",
            "batch.bin",
            "--state",
            "ledger",
            "--receipts",
            "database",
        ],
        &[&prove[..], &["batch.bin"]].concat(),
        &[&prove[..], &["genesis.bin"]].concat(),
        &[&prove[..], &["w/fleet.db", "--work-dir", "w"]].concat(),
        &["state", "export", "--state", "ledger", "-o", "database"],
        &[
            "state",
            "prove",
            "1",
            "--state",
            "ledger",
            "-o",
            "ledger/state.redb",
        ],
        &["replay", "batch.json", "-o", ".", "--format", "json"],
    ];
    let before = sandbox.files();
    for arguments in cases {
        let (code, printed) = printed(sandbox.command(arguments).output().expect("it starts"));
        assert_eq!(code, Some(USAGE), "{arguments:?}: {printed:?}");
        assert!(before == sandbox.files(), "{arguments:?} changed files");
    }
}

#[test]
fn standard_output_takes_the_bytes_alone() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    fs::copy(sandbox.path("0.bin"), sandbox.path("batch.bin")).expect("a copy");
    let state = ["--state", "genesis.bin"];
    sandbox.ok(&[
        &["execute", "batch.bin", "--state-out", "state"],
        &state[..],
    ]
    .concat());
    sandbox.ok(&[
        &["execute", "batch.bin", "--receipts", "receipts"],
        &state[..],
    ]
    .concat());
    sandbox.ok(&["state", "export", "--state", "ledger", "-o", "snapshot"]);
    sandbox.ok(&["state", "prove", "1", "--state", "ledger", "-o", "one"]);
    symlink("/dev/stdout", sandbox.path("out")).expect("a link");
    let cases: [(&str, &[&str]); 5] = [
        (
            "state",
            &[
                "execute",
                "batch.bin",
                "--state",
                "genesis.bin",
                "--state-out",
            ],
        ),
        (
            "receipts",
            &[
                "execute",
                "batch.bin",
                "--state",
                "genesis.bin",
                "--receipts",
            ],
        ),
        ("snapshot", &["state", "export", "--state", "ledger", "-o"]),
        ("one", &["state", "prove", "1", "--state", "ledger", "-o"]),
        ("", &["key", "--profile", PROFILE, "-o"]),
    ];
    for (file, arguments) in cases {
        let expected = match file {
            "" => fs::read(key()).expect("a key"),
            file => sandbox.read(file),
        };
        for name in ["-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "out"] {
            let arguments = [arguments, &[name]].concat();
            let output = sandbox.command(&arguments).output().expect("it starts");
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            assert!(output.stdout == expected, "{arguments:?}");
        }
    }
    assert!(!sandbox.exists("-"));

    let arguments = [&prove_arguments("-")[..], &state[..]].concat();
    let output = sandbox.command(&arguments).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    sandbox.write("proof.bin", &output.stdout);
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 5);
    assert!(!sandbox.exists("batch.proof.partial"));
}

#[test]
fn what_was_there_stays_before_what_is_appended() {
    let sandbox = Sandbox::with_batch(2);
    sandbox.ok(&["execute", "batch.bin", "--receipts", "receipts"]);
    let expected = [&b"before\n"[..], &sandbox.read("receipts")].concat();
    for (name, redirection) in [
        ("-", ">> log"),
        ("/dev/stdout", ">> log"),
        ("log", ">> log"),
        ("/dev/fd/3", "3>> log > said"),
        ("/proc/self/fd/3", "3>> log > said"),
        ("/dev/stderr", "2>> log > said"),
    ] {
        sandbox.write("log", b"before\n");
        let text = format!("shardfold execute batch.bin --receipts {name} {redirection}");
        let output = script(&sandbox, &text);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(sandbox.read("log"), expected, "{text}");
    }
}

#[test]
fn inputs_are_read_from_standard_input() {
    let sandbox = Sandbox::with_batch(2);
    sandbox.prove("proof.bin", &[]);
    let key = key().to_str().expect("plain names");
    let cases: [(&str, &[&str]); 4] = [
        ("batch.bin", &["execute", "-", "--state", "genesis.bin"]),
        ("genesis.bin", &["execute", "batch.bin", "--state", "-"]),
        ("proof.bin", &["verify", "-", "--key", key]),
        ("batch.bin", &["inspect", "-"]),
    ];
    for (file, arguments) in cases {
        let mut command = sandbox.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(&sandbox.read(file)).expect("it is read");
        drop(input);
        let (code, printed) = printed(child.wait_with_output().expect("it ends"));
        assert_eq!(code, Some(0), "{arguments:?}: {printed:?}");
    }
    let error = sandbox.refused(&["execute", "-", "--state", "-"]);
    assert!(error.contains("cannot both be standard input"), "{error}");
}

#[test]
fn files_are_as_the_umask_or_the_file_before_wants_them() {
    let sandbox = Sandbox::with_batch(1);
    let execute = "shardfold execute batch.bin --state-out";
    for (mask, expected) in [
        ("077", 0o600),
        ("027", 0o640),
        ("022", 0o644),
        ("000", 0o666),
    ] {
        let output = script(&sandbox, &format!("umask {mask}; {execute} new{mask}"));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(mode(&sandbox, &format!("new{mask}")), expected, "{mask}");
    }
    for kept in [0o600, 0o640, 0o664, 0o444] {
        sandbox.write(format!("old{kept}"), b"old");
        let path = sandbox.path(format!("old{kept}"));
        fs::set_permissions(&path, Permissions::from_mode(kept)).expect("it is ours");
        let output = script(&sandbox, &format!("umask 077; {execute} old{kept}"));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(mode(&sandbox, &format!("old{kept}")), kept);
        sandbox.ok(&["inspect", &format!("old{kept}")]);
    }
}

#[test]
fn links_stay_links_also_to_what_is_not_there() {
    let sandbox = Sandbox::with_batch(1);
    fs::create_dir(sandbox.path("folder")).expect("a folder");
    for (link, to) in [("a", "folder/target"), ("b", "a2"), ("a2", "folder/other")] {
        symlink(to, sandbox.path(link)).expect("a link");
    }
    symlink("circle", sandbox.path("circle")).expect("a link");
    for (link, target) in [("a", "folder/target"), ("b", "folder/other")] {
        for _ in 0..2 {
            sandbox.ok(&["execute", "batch.bin", "--state-out", link]);
            let data = fs::symlink_metadata(sandbox.path(link)).expect("it is there");
            assert!(data.is_symlink(), "{link}");
            sandbox.ok(&["inspect", target]);
        }
    }
    sandbox.refused(&["execute", "batch.bin", "--state-out", "circle"]);
    // A worker's key too.
    symlink("folder/key", sandbox.path("worker.key")).expect("a link");
    let made = sandbox.ok(&["worker-key", "worker.key"]).out;
    assert_eq!(mode(&sandbox, "folder/key"), 0o600);
    assert_eq!(sandbox.ok(&["worker-key", "folder/key"]).out, made);
    sandbox.refused(&["worker-key", "-"]);
}

#[test]
fn a_pipe_is_written_to_and_stays() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.ok(&["execute", "batch.bin", "--state-out", "state"]);
    let text = "mkfifo pipe; cat pipe > read & \
                shardfold execute batch.bin --state-out pipe && wait && [ -p pipe ]";
    let output = script(&sandbox, text);
    assert!(output.status.success(), "{output:?}");
    assert!(sandbox.read("read") == sandbox.read("state"));
}

#[test]
fn a_mounted_file_is_written_in_its_place() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.write("host.bin", b"a longer text than none");
    sandbox.write("p.bin", b"");
    sandbox.write("state", b"");
    let text = "mount --bind host.bin p.bin; mount --bind p.bin state
                shardfold prove batch.bin -o p.bin --profile $PROFILE
                cp host.bin proof.bin
                shardfold execute batch.bin --state-out state; cp host.bin next.bin";
    let Some(output) = script_with_mounts(&sandbox, text) else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 1);
    sandbox.ok(&["inspect", "next.bin"]);
}

#[test]
fn a_place_without_space_or_for_reading_only_is_refused_before_the_work() {
    let sandbox = Sandbox::with_batch(1);
    for folder in ["small", "fixed"] {
        fs::create_dir(sandbox.path(folder)).expect("a folder");
    }
    sandbox.write("fixed/p.bin", b"old");
    let text = "mount -t tmpfs -o size=16k small small
                mount --bind fixed fixed; mount -o remount,bind,ro fixed
                for place in small/p.bin fixed/p.bin fixed/new.bin; do
                  code=0
                  shardfold prove batch.bin -o $place --work-dir w --profile $PROFILE || code=$?
                  [ $code = 3 ]
                done 2>&1";
    let Some(output) = script_with_mounts(&sandbox, text) else {
        return;
    };
    let (code, printed) = printed(output);
    assert_eq!(code, Some(0), "{printed:?}");
    assert_eq!(
        printed.count("free space for small/p.bin"),
        1,
        "{printed:?}"
    );
    assert_eq!(printed.count("cannot write fixed/"), 2, "{printed:?}");
    assert_eq!(printed.count("STARK in"), 0, "{printed:?}");
    assert!(!sandbox.exists("w"));
}

#[test]
fn a_state_that_can_only_be_read_is_checked() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let text = "mount --bind ledger ledger; mount -o remount,bind,ro ledger
                shardfold state check --state ledger
                shardfold state get 1 --state ledger";
    if let Some(output) = script_with_mounts(sandbox, text) {
        let (code, printed) = printed(output);
        assert_eq!(code, Some(0), "{printed:?}");
        assert_eq!(printed.count("are sound"), 1, "{printed:?}");
    }
    // What is wrong is found all the same.
    let mut bytes = sandbox.read("ledger/state.redb");
    let owner = sandbox
        .ok(&["state", "get", "1", "--state", "ledger", "--json"])
        .json();
    let owner: u64 = owner["records"][0]["record"][0]
        .as_str()
        .and_then(|element| element.parse().ok())
        .expect("an element, as text");
    let at = bytes
        .windows(8)
        .rposition(|found| found == owner.to_le_bytes());
    bytes[at.expect("the record")] ^= 1;
    sandbox.write("ledger/state.redb", &bytes);
    if let Some(output) = script_with_mounts(sandbox, text) {
        let (code, printed) = printed(output);
        assert_eq!(code, Some(1), "{printed:?}");
    }
}

#[test]
fn setup_that_keeps_nothing_fails() {
    let sandbox = Sandbox::new();
    sandbox.write("file", b"mine");
    let setup = |cache| ["setup", "--profile", PROFILE, "--cache", cache];
    let (code, failed) = printed(
        sandbox
            .command(&setup("file/c"))
            .output()
            .expect("it starts"),
    );
    assert_eq!(code, Some(CANNOT), "{failed:?}");
    assert_eq!(
        failed.count("built in"),
        0,
        "found out before the work: {failed:?}"
    );
    assert_eq!(failed.count("file/c"), 1, "{failed:?}");

    // One of two that cannot be kept.
    sandbox.ok(&setup("circuits"));
    let folder = format!("circuits/{}", sandbox.names("circuits").remove(0));
    let shard = format!("{folder}/shard-4.circuit");
    fs::remove_file(sandbox.path(&shard)).expect("it is there");
    fs::create_dir(sandbox.path(&shard)).expect("a folder");
    let (code, failed) = printed(
        sandbox
            .command(&setup("circuits"))
            .output()
            .expect("it starts"),
    );
    assert_eq!(code, Some(CANNOT), "{failed:?}");
    assert_eq!(
        failed.count("could not be kept in circuits: shard-4"),
        1,
        "{failed:?}"
    );
}

#[test]
fn folders_need_no_names_in_utf_8() {
    let sandbox = Sandbox::with_batch(2);
    let latin = std::ffi::OsStr::from_bytes(b"lat\xe9in ?#%");
    let folder = sandbox.path(latin);
    fs::create_dir(&folder).expect("a folder");
    for name in ["batch.bin", "genesis.bin"] {
        fs::copy(sandbox.path(name), folder.join(name)).expect("a copy");
    }
    let names = || fs::read_dir(&folder).expect("a folder").count();
    // From inside, and by a name from the root.
    let mut command = sandbox.command(&prove_arguments("p.bin"));
    let (code, printed1) = printed(command.current_dir(&folder).output().expect("it starts"));
    assert_eq!(code, Some(0), "{printed1:?}");
    assert_eq!(names(), 3);
    let mut command = sandbox.command(&prove_arguments("q.bin"));
    command.arg("--work-dir").arg(folder.join("w"));
    let (code, printed2) = printed(command.output().expect("it starts"));
    assert_eq!(code, Some(0), "{printed2:?}");
    assert_eq!(names(), 3);
    // What a killed run has left there is found.
    let mut command = sandbox.command(&prove_arguments("/dev/full"));
    command.arg("--work-dir").arg(folder.join("w"));
    let (code, failed) = printed(command.output().expect("it starts"));
    assert_eq!(code, Some(CANNOT), "{failed:?}");
    let mut command = sandbox.command(&prove_arguments("r.bin"));
    command.arg("--work-dir").arg(folder.join("w"));
    let (code, resumed) = printed(command.output().expect("it starts"));
    assert_eq!(code, Some(0), "{resumed:?}");
    assert_eq!(resumed.count("STARK in"), 0, "{resumed:?}");
    assert_eq!(names(), 3);
    // A state database, and an output.
    let mut import = sandbox.command(&["state", "import", "genesis.bin", "--state"]);
    let (code, failed) = printed(
        import
            .arg(folder.join("ledger"))
            .output()
            .expect("it starts"),
    );
    assert_eq!(code, Some(0), "{failed:?}");
    let mut execute = sandbox.command(&["execute", "batch.bin", "--state"]);
    execute
        .arg(folder.join("ledger"))
        .arg("--receipts")
        .arg(folder.join("r\u{e9}"));
    let (code, failed) = printed(execute.output().expect("it starts"));
    assert_eq!(code, Some(0), "{failed:?}");
    drop(File::open(folder.join("r\u{e9}")).expect("the receipts"));
}
