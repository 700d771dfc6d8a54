#!/usr/bin/env bash
# Makes a state and two batches with escrows, executes them, proves and verifies both.
#
# examples/escrow/run.sh [FOLDER]     writes to FOLDER, or to escrow-demo
# PROFILE=conjectured-100 examples/escrow/run.sh
set -euo pipefail
folder=$(realpath -m "${1:-escrow-demo}")
profile=${PROFILE:-proven-100}
cd "$(dirname "$0")/../.."

cargo build --release -p escrow
escrow=${CARGO_TARGET_DIR:-target}/release/escrow
"$escrow" demo "$folder"

"$escrow" execute "$folder/open.json" --state "$folder/genesis.json" --receipts "$folder/open-receipts.json"
"$escrow" execute "$folder/close.json" --state "$folder/opened.json" --receipts "$folder/close-receipts.json"

"$escrow" key --profile "$profile" -o "$folder/escrow.key"
"$escrow" prove "$folder/open.json" --state "$folder/genesis.json" --profile "$profile" -o "$folder/open.proof"
"$escrow" prove "$folder/close.json" --state "$folder/opened.json" --profile "$profile" -o "$folder/close.proof"
"$escrow" verify "$folder/open.proof" --key "$folder/escrow.key"
"$escrow" verify "$folder/close.proof" --key "$folder/escrow.key"
