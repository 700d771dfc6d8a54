#!/usr/bin/env bash
# Runs all tests. First installs what they run for real and is missing: PostgreSQL, wrong clocks, a browser,
# a node of an EVM chain.
#
# scripts/test.sh            all tests, with the seconds of each test binary at the end
# scripts/test.sh --install  only installs
set -euo pipefail
cd "$(dirname "$0")/.."

# Prints the names of the Debian packages that are missing.
missing_packages() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || echo postgresql
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo faketime
    command -v chromium >/dev/null || echo chromium
    command -v chromedriver >/dev/null || echo chromium-driver
    command -v npm >/dev/null || echo npm
}

install_packages() {
    local missing as_root=()
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    echo "installing for the tests: ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here: install ${missing[*]} by hand, then run this again" >&2
        return 3
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "installing needs root or sudo: install ${missing[*]} by hand, then run this again" >&2
            return 3
        fi
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The compiler of the EVM contracts, and anvil, the node (on x86-64): settlement/evm/package-lock.json.
install_node_packages() {
    [[ settlement/evm/node_modules/.package-lock.json -nt settlement/evm/package-lock.json ]] && return
    (cd settlement/evm && npm ci --silent --no-audit --no-fund)
}

install_packages
install_node_packages
[[ ${1:-} == --install ]] && exit 0

# Cargo runs each test binary through this script, which notes its seconds.
SHARDFOLD_TEST_TIMES=$(mktemp)
export SHARDFOLD_TEST_TIMES
trap 'rm -f "$SHARDFOLD_TEST_TIMES"' EXIT
host=$(rustc -vV | sed -n 's/^host: //p')
runner=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$host")_RUNNER
export "$runner=$PWD/scripts/timed.sh"

start=$SECONDS
cargo test --workspace --no-run
printf '%5d s  building\n' $((SECONDS - start)) >>"$SHARDFOLD_TEST_TIMES"
status=0
cargo test --workspace --no-fail-fast || status=$?
printf '\nseconds of each test binary\n'
sort -rn "$SHARDFOLD_TEST_TIMES"
exit $status
