//! Runs that are killed, fail, or find damaged files, and the runs after them.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{PROFILE, Printed, Sandbox, prove_arguments};

/// One job at a time, so that parts come one after the other.
const ONE_JOB: [&str; 4] = ["--memory", "1M", "--threads", "2"];
/// A line that stands once for each shard that is proven.
const STARK: &str = "STARK in";

/// How many shards a run reports, and how many of them it had from earlier runs.
fn shards(printed: &Printed) -> (usize, usize) {
    let line = printed
        .out
        .lines()
        .find(|line| line.contains(" transactions in "));
    let shards = line.and_then(|line| line.split(' ').nth(3)?.parse().ok());
    let lines = printed.out.lines();
    let resumed = lines
        .filter(|line| line.starts_with("shard "))
        .filter(|line| line.ends_with(": proven by an earlier run"));
    (shards.expect("the number of shards"), resumed.count())
}

#[test]
fn a_killed_run_continues() {
    let sandbox = Sandbox::with_batch(10);
    let state_root = sandbox.ok(&["execute", "batch.bin", "--json"]).json()["state_root"].clone();
    let mut arguments = prove_arguments("proof.bin").to_vec();
    arguments.extend(ONE_JOB);
    let mut child = sandbox
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    while sandbox.parts("proof.bin.partial").is_empty() {
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "no part after 5 minutes"
        );
        sleep(Duration::from_millis(5));
    }
    // On Unix this is SIGKILL.
    child.kill().expect("it still runs");
    assert!(!child.wait().expect("it ends").success());
    assert!(!sandbox.exists("proof.bin"));
    assert!(!sandbox.parts("proof.bin.partial").is_empty());

    let printed = sandbox.prove("proof.bin", &ONE_JOB);
    let (shards, resumed) = shards(&printed);
    assert!((1..shards).contains(&resumed), "{printed:?}");
    assert_eq!(printed.count(STARK), shards - resumed, "{printed:?}");
    assert!(!sandbox.exists("proof.bin.partial"));
    assert_eq!(
        sandbox.verify("proof.bin")["after"]["state_root"],
        state_root
    );
}

#[test]
fn damaged_parts_are_reported_and_proven_again() {
    let sandbox = Sandbox::with_batch(10);
    sandbox.leave_parts();
    // Without the queue a run looks at what the store has.
    sandbox.remove_queue("parts");
    fs::remove_dir_all(sandbox.path("parts/objects/proof")).expect("it is there");
    let is_aggregation = |part: &String| sandbox.read(part).starts_with(&u32::MAX.to_le_bytes());
    let (aggregations, leaves): (Vec<_>, Vec<_>) =
        sandbox.parts("parts").into_iter().partition(is_aggregation);
    for aggregation in aggregations {
        fs::remove_file(sandbox.path(aggregation)).expect("it is there");
    }
    let [torn, flipped, sound @ ..] = leaves.as_slice() else {
        panic!("{leaves:?} are too few");
    };
    let bytes = sandbox.read(torn);
    sandbox.write(torn, &bytes[..bytes.len() / 2]);
    let mut bytes = sandbox.read(flipped);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    sandbox.write(flipped, &bytes);
    // What a process leaves that is killed while it writes.
    sandbox.write(format!("{torn}#1"), b"half of a proof");

    let printed = sandbox.prove("proof.bin", &["--work-dir", "parts"]);
    let unused = "a result that was there is not used";
    assert_eq!(printed.count(unused), 2, "{printed:?}");
    assert_eq!(
        shards(&printed),
        (sound.len() + 2, sound.len()),
        "{printed:?}"
    );
    assert_eq!(printed.count(STARK), 2, "{printed:?}");
    assert!(
        !sandbox.exists("parts"),
        "everything in it was of this batch"
    );
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 10);
}

#[test]
fn a_damaged_queue_is_reported_and_made_again() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.leave_parts();
    sandbox.remove_queue("parts");
    sandbox.write("parts/fleet.db", &[7; 9_000]);
    let printed = sandbox.prove("proof.bin", &["--work-dir", "parts"]);
    assert_eq!(
        printed.count("the queue in the work folder"),
        1,
        "{printed:?}"
    );
    let (shards, resumed) = shards(&printed);
    assert_eq!(shards, resumed, "{printed:?}");
    assert_eq!(printed.count(STARK), 0, "{printed:?}");
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 5);
    assert!(!sandbox.exists("parts"));
}

#[test]
fn a_damaged_proof_is_made_again_from_its_parts() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.leave_parts();
    let name = sandbox.names("parts/objects/proof").remove(0);
    sandbox.write(format!("parts/objects/proof/{name}"), b"not the proof");
    let printed = sandbox.prove("proof.bin", &["--work-dir", "parts"]);
    assert_eq!(printed.count(STARK), 0, "{printed:?}");
    assert_eq!(printed.count("aggregated in"), 0, "{printed:?}");
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 5);
}

#[test]
fn parts_of_another_batch_stay() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.leave_parts();
    let parts = sandbox.parts("parts");
    sandbox.write("parts/notes.txt", b"mine");
    fs::copy(sandbox.path("batch.bin"), sandbox.path("five.bin")).expect("a copy");
    fs::copy(sandbox.path("genesis.bin"), sandbox.path("five.state")).expect("a copy");
    sandbox.ok(&[
        "import",
        "trace.csv",
        "-o",
        ".",
        "--limit",
        "1",
        "--seed",
        "9",
    ]);

    let printed = sandbox.prove("other.bin", &["--work-dir", "parts"]);
    assert_eq!(shards(&printed), (1, 0));
    assert_eq!(sandbox.parts("parts"), parts);

    let arguments = [
        "prove",
        "five.bin",
        "--state",
        "five.state",
        "-o",
        "proof.bin",
        "--profile",
        PROFILE,
        "--work-dir",
        "parts",
    ];
    let printed = sandbox.ok(&arguments);
    assert_eq!(printed.count(STARK), 0, "the whole was there: {printed:?}");
    assert_eq!(printed.count("aggregated in"), 0, "{printed:?}");
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 5);
    assert_eq!(sandbox.read("parts/notes.txt"), b"mine");
    assert_eq!(sandbox.names("parts"), ["notes.txt"]);
}

#[test]
fn a_torn_circuit_is_reported_and_built_again() {
    let sandbox = Sandbox::new();
    let setup = ["setup", "--profile", PROFILE, "--cache", "circuits"];
    let first = sandbox.ok(&setup);
    assert_eq!(first.count("built in"), 3, "{first:?}");
    let folder = fs::read_dir(sandbox.path("circuits"))
        .unwrap()
        .next()
        .unwrap();
    let folder = folder.unwrap().path();
    let [aggregation, shard] =
        ["aggregation.circuit", "shard-4.circuit"].map(|name| folder.join(name));
    let whole = fs::read(&shard).expect("the circuit of the smallest shape");
    fs::write(&shard, &whole[..whole.len() - 1000]).expect("torn");
    let mut bytes = fs::read(&aggregation).expect("the aggregation circuit");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&aggregation, &bytes).expect("altered");

    let second = sandbox.ok(&setup);
    assert_eq!(
        second.count("cached circuit shard-4 is not used"),
        1,
        "{second:?}"
    );
    assert_eq!(
        second.count("cached circuit aggregation is not used"),
        1,
        "{second:?}"
    );
    assert_eq!(second.count("built in"), 2, "{second:?}");
    assert!(fs::read(&shard).unwrap() == whole, "the same circuit");
    let third = sandbox.ok(&setup);
    assert_eq!(third.count("built in"), 0, "{third:?}");
}

#[test]
fn circuits_of_other_builds_are_removed_when_asked() {
    let sandbox = Sandbox::new();
    let setup = ["setup", "--profile", PROFILE, "--cache", "circuits"];
    sandbox.ok(&setup);
    let own = sandbox.names("circuits");
    let other = sandbox.path("circuits").join("0".repeat(32));
    fs::create_dir(&other).unwrap();
    fs::write(other.join("fold.circuit"), b"SFCIRCT\nof another build").unwrap();
    // What `prove` has measured with them goes too.
    fs::write(other.join("rates.json"), br#"{"version":1,"threads":{}}"#).unwrap();
    assert_eq!(sandbox.ok(&setup).count("removed"), 0);

    let pruned = sandbox.ok(&[&setup[..], &["--prune"]].concat());
    assert_eq!(pruned.count("removed 1 circuits of other builds"), 1);
    assert_eq!(pruned.count("built in"), 0, "{pruned:?}");
    assert_eq!(sandbox.names("circuits"), own);
    let after = sandbox.ok(&setup);
    assert_eq!(after.count("built in"), 0, "{after:?}");
}

#[test]
fn the_circuit_cache_may_be_unusable() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.write("file", b"mine");
    let printed = sandbox.prove("proof.bin", &["--cache", "file/circuits"]);
    assert_eq!(printed.count("could not be kept"), 3, "{printed:?}");
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 1);
    assert_eq!(sandbox.read("file"), b"mine");
}

#[test]
fn an_older_proof_survives_a_failing_run() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.write("proof.bin", b"an older proof");
    sandbox.ok(&["execute", "batch.bin", "--state-out", "next.bin"]);
    let mut arguments = prove_arguments("proof.bin").to_vec();
    arguments.extend(["--state", "next.bin"]);
    let error = sandbox.refused(&arguments);
    assert!(
        error.contains("batch.bin cannot run on this state"),
        "{error}"
    );
    assert_eq!(sandbox.read("proof.bin"), b"an older proof");
    assert!(!sandbox.exists("proof.bin.partial"));
    sandbox.prove("proof.bin", &[]);
    assert_eq!(sandbox.verify("proof.bin")["transactions"], 5);
}

/// The second one waits for the first, which removes the folder.
#[test]
fn two_runs_at_once_both_finish() {
    let sandbox = Sandbox::with_batch(5);
    std::thread::scope(|scope| {
        for output in ["one.bin", "two.bin"] {
            let sandbox = &sandbox;
            scope.spawn(move || sandbox.prove(output, &["--work-dir", "parts"]));
        }
    });
    for output in ["one.bin", "two.bin"] {
        assert_eq!(sandbox.verify(output)["transactions"], 5);
    }
}
