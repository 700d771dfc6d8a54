#!/usr/bin/env bash
# The whole circle on a chain of this machine, with real proofs: docs/settling.md. Some minutes.
#
# scripts/devnet.sh [DIR]   DIR takes everything that is made; a temporary folder if omitted
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-$(mktemp -d)}
(cd settlement/evm && npm ci --silent --no-audit --no-fund)
cargo build --release -p shardfold-cli
target=${CARGO_TARGET_DIR:-target}
"$target/release/shardfold" devnet -o "$folder" \
    --anvil settlement/evm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
