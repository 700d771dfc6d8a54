//! Names and reasons of others on the operator's terminal.

use super::{TWO_SHARDS, jobs, text};
use crate::common::{PROFILE, printed, refused};
use crate::fleet::harness::Fleet;

/// Clears the screen, begins another line, turns the rest around; then C1 and DEL.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}z";
/// The same as it is shown.
const SHOWN: &str = r"a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}z";

/// What a command prints, which must be nothing but lines of text.
fn shown(fleet: &Fleet, arguments: &[&str]) -> String {
    let output = fleet.command(arguments, fleet.ports()).output();
    let (code, printed) = printed(output.expect("it starts"));
    assert_eq!(code, Some(0), "{arguments:?}: {}", printed.err);
    let text = printed.out + &printed.err;
    let acts = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!text.contains(acts), "{arguments:?}: {text:?}");
    text
}

#[test]
fn text_of_others_reaches_no_terminal_raw_and_json_as_it_is() {
    let fleet = Fleet::new(TWO_SHARDS);
    let file = format!("{HOSTILE}\n.bin");
    let batch_file = fleet.sandbox.read("batch.bin");
    fleet.sandbox.write(&file, &batch_file);
    let batch = fleet.ok(&["submit", &file, "--profile", PROFILE]);
    fleet.register("prover");
    let prove = [
        "worker",
        "--key",
        "prover.key",
        "--profile",
        PROFILE,
        "--until-idle",
    ];
    fleet.ok(&prove);
    // As a worker's role may.
    fleet.postgres.query(&format!(
        "UPDATE instances SET host = '{HOSTILE}';
         UPDATE attempts SET reason = E'{HOSTILE}\n', outcome = 'failed', instance = '{HOSTILE}';
         UPDATE jobs SET instance = '{HOSTILE}', signer = '{HOSTILE}'"
    ));
    let label = SHOWN.to_owned() + r"\u{a}.bin";
    let all = shown(&fleet, &["status"]);
    assert!(all.lines().any(|line| line.ends_with(&label)), "{all}");
    assert!(all.contains(&format!("{SHOWN} {PROFILE}")), "{all}");
    assert!(all.contains(&format!("on {SHOWN}: {SHOWN}")), "{all}");
    let tree = shown(&fleet, &["status", &batch]);
    assert!(
        tree.contains(&label) && tree.contains(&format!("{SHOWN} in ")),
        "{tree}"
    );
    let status = fleet.status(&batch);
    assert_eq!(status["batch"]["label"], file.as_str());
    let job = text(&jobs(&status)[0]["id"]);
    let explained = shown(&fleet, &["explain", job]);
    assert!(explained.contains(&format!("by {SHOWN}, ")), "{explained}");
    assert_eq!(
        fleet.explain(job)["attempts"][0]["reason"],
        format!("{HOSTILE}\n")
    );

    let proof = format!("{HOSTILE}.proof");
    // Nothing depends on who has signed a proof that is valid.
    let fetched = shown(&fleet, &["fetch", &batch, "-o", &proof]);
    assert!(fetched.contains(&format!("{SHOWN}.proof: ")), "{fetched}");
    let missing = format!("{HOSTILE}/none.bin");
    let error = refused(fleet.sandbox.command(&["verify", &missing]));
    assert!(
        error.contains(SHOWN) && !error.contains('\u{1b}'),
        "{error:?}"
    );
}

#[test]
fn a_number_of_transactions_that_is_not_proven_is_not_told() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    fleet.register("prover");
    fleet.ok(&[
        "worker",
        "--key",
        "prover.key",
        "--profile",
        PROFILE,
        "--until-idle",
    ]);
    let count = fleet.postgres.query("SELECT transactions FROM batches");
    let fetch = ["fetch", &batch, "-o", "proof.bin"];
    assert!(fleet.ok(&fetch).contains(&format!(" {count} transactions")));
    fleet
        .postgres
        .query("UPDATE batches SET transactions = 1000000");
    let fetch = ["fetch", &batch, "-o", "other.bin", "--json"];
    let error = refused(fleet.command(&fetch, fleet.ports()));
    let told = format!("the proof is of {count} transactions, the queue says 1000000");
    assert!(error.contains(&told), "{error}");
    assert!(!fleet.sandbox.exists("other.bin"));
}
