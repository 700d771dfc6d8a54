//! The commands that the README and the guides show work as shown, one after another, on a
//! smaller batch and with the small circuits.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::{PROFILE, Sandbox, key, shardfold};

/// The folder that the guides take their batch from.
const EXAMPLE: &str = "examples/block-12459406";

/// Calls the command as shown, but for the profile, which those of the guides leave at its
/// default: proofs are made by small circuits, whose key is not built in and whose bits are few.
const COMMAND: &str = r#"#!/usr/bin/env bash
arguments=()
case $1 in
prove | execute | cost | setup | key | submit | worker) arguments=(--profile "$TEST_PROFILE") ;;
verify | wrap) [[ "$*" == *" --key "* ]] || arguments=(--key "$TEST_KEY") ;;
esac
shown=("$@")
for i in "${!shown[@]}"; do
    if [[ ${shown[i]} == --min-security ]]; then
        unset "shown[i]" "shown[i+1]"
    fi
done
exec "$TEST_COMMAND" "${shown[@]}" "${arguments[@]}"
"#;

/// The shell blocks of a guide that call the command, in order.
fn blocks(guide: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(guide);
    let page = fs::read_to_string(page).expect("the guide is there");
    let blocks = page.split("```sh\n").skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").expect("the block ends");
        block.to_owned()
    });
    blocks
        .filter(|block| block.contains("shardfold "))
        .collect()
}

/// A folder as a clone of the repository has it, with the command on its path.
fn clone() -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in [EXAMPLE, "bin", "target/release", "home"] {
        fs::create_dir_all(sandbox.path(folder)).expect("a folder");
    }
    sandbox.write_trace();
    let example = sandbox.path(EXAMPLE);
    fs::rename(sandbox.path("trace.csv"), example.join("trace.csv")).expect("the trace");
    sandbox.ok(&["import", &format!("{EXAMPLE}/trace.csv"), "-o", EXAMPLE]);
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/scenarios");
    fs::create_dir_all(sandbox.path("examples/scenarios")).expect("a folder");
    for entry in fs::read_dir(scenarios).expect("the examples") {
        let entry = entry.expect("an entry");
        let to = sandbox.path("examples/scenarios").join(entry.file_name());
        fs::copy(entry.path(), to).expect("a copy");
    }
    let command = sandbox.path("bin/shardfold");
    fs::write(&command, COMMAND).expect("a script");
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755)).expect("it may run");
    symlink(&command, sandbox.path("target/release/shardfold")).expect("a link");
    sandbox
}

/// Runs all blocks of a guide in one shell; what is built is there already.
fn runs(guide: &str) {
    let blocks = blocks(guide);
    assert!(!blocks.is_empty(), "{guide} shows no command");
    let sandbox = clone();
    let start =
        "set -euo pipefail\ncargo() { :; }\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n";
    let own = shardfold();
    let mut shell = Command::new("bash");
    for (name, value) in own.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let output = shell
        .args(["-c", &[start, &blocks.concat()].concat()])
        .current_dir(sandbox.path("."))
        .env("PATH", format!("{}:{path}", sandbox.path("bin").display()))
        .env("HOME", sandbox.path("home"))
        .env("XDG_DATA_HOME", sandbox.path("home"))
        .env("TEST_COMMAND", own.get_program())
        .env("TEST_PROFILE", PROFILE)
        .env("TEST_KEY", key())
        .output()
        .expect("bash starts");
    assert!(output.status.success(), "{guide}: {output:#?}");
}

#[test]
fn the_readme() {
    runs("README.md");
}

#[test]
fn the_page_of_commands() {
    runs("docs/commands.md");
}

#[test]
fn the_guide_of_operators() {
    runs("docs/operators.md");
}

#[test]
fn the_page_of_scenarios() {
    runs("docs/scenarios.md");
}
