#!/usr/bin/env bash
# Settles two batches on a chain of this machine at `proven-100`, then rehearses the way out of what was
# archived of it: all circuits and the settlement key made anew, compared with what is deployed. Prints its
# seconds and its memory.
#
# scripts/exit-drill.sh [PROGRAM]   by default target/release/shardfold
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/shardfold}
scripts/test.sh --install
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export SHARDFOLD_ANVIL=${SHARDFOLD_ANVIL:-$PWD/settlement/evm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil}
# Its circuits are not those of the drill, which makes its own; both together would take 12 GB.
SHARDFOLD_CACHE=$folder/circuits "$program" devnet -o "$folder/net" >"$folder/devnet.log" 2>&1 ||
    { cat "$folder/devnet.log"; exit 1; }
rm -rf "$folder/circuits"
grep -E '^it adds up|^all of it' "$folder/devnet.log"
# The command that it names, as it stands there.
read -ra drill < <(grep '^shardfold exit-drill' "$folder/devnet.log")
"$program" "${drill[@]:1}" >"$folder/drill.log" 2>&1 || { cat "$folder/drill.log"; exit 1; }
grep -E '^  |^the code of|lead out' "$folder/drill.log"
