#!/usr/bin/env bash
# Checks that take minutes and are not part of the ordinary tests.
set -euo pipefail
cd "$(dirname "$0")/.."

# Every constraint and message of the chips is taken out once, with the real prover and
# verifier: circuits/src/testing/README.md.
cargo test -p shardfold-circuits --lib -- --ignored --exact --nocapture \
    chips::removals::every_removal_is_noticed_by_the_prover_too
