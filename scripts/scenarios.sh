#!/usr/bin/env bash
# All faults that a fleet must stand, on this machine, at full length: outages of a minute, and
# one long run with fifty kills. Each scenario ends in a proof that is verified, and says how
# long it took.
#
# Needs a Rust toolchain and Debian's packages postgresql (15 or later; its server need not run)
# and faketime; some eight minutes on two cores, after the build.
#
#   scripts/scenarios.sh [NAME]     only the scenarios whose name contains NAME
set -euo pipefail
cd "$(dirname "$0")/.."

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
    echo "PostgreSQL is missing: apt-get install postgresql" >&2
    exit 1
fi
if ! compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; then
    echo "faketime is missing: apt-get install faketime" >&2
    exit 1
fi

export SHARDFOLD_SCENARIOS=full
exec cargo test -p shardfold-cli --test cli -- "fleet::${1:-scenarios}" --nocapture --test-threads 2
