#!/usr/bin/env bash
# Checks that take minutes and are not part of the ordinary tests.
set -euo pipefail
cd "$(dirname "$0")/.."

# Every constraint and message of the chips is taken out once, with the real prover and
# verifier: circuits/src/testing/README.md.
cargo test -p shardfold-circuits --lib -- --ignored --exact --nocapture \
    chips::removals::every_removal_is_noticed_by_the_prover_too

# The executor's reading of each contract against table and buses, on 100,000 random cases each.
cargo test -p shardfold-circuits --lib -- --ignored --exact --nocapture \
    chips::transaction::tests::agree::run_accepts_what_table_and_buses_do_in_many_cases

# A million transactions of all kinds make and lose no unit.
cargo test -p shardfold-executor --lib -- --ignored --exact --nocapture \
    tests::conservation::no_transaction_of_a_million_makes_or_loses_a_unit

# The built-in keys are those of the circuits that this code builds; minutes, since they are built.
cargo build --release -p shardfold-cli
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
for profile in proven-100 conjectured-100; do
    target/release/shardfold key --profile "$profile" --cache "$keys/cache" -o "$keys/$profile.key"
    cmp "$keys/$profile.key" "cli/keys/$profile.key"
    target/release/shardfold key --settlement --profile "$profile" --cache "$keys/cache" -o "$keys/settlement-$profile.key"
    cmp "$keys/settlement-$profile.key" "cli/keys/settlement-$profile.key"
done
echo "the built-in keys are those of the circuits"
