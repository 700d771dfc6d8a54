#!/usr/bin/env bash
# The rate of two worker processes of one thread each against one, on a real PostgreSQL:
#   scripts/two-workers.sh [TRACE] [TRANSFERS] [PROFILE] > two-workers.json
# Prints the seconds of both runs and of their jobs, which the bench `simulation` takes, and the
# ratio on standard error.
# Needs target/release/shardfold, and Debian's packages postgresql and jq.
set -euo pipefail
cd "$(dirname "$0")/.."

trace=${1:-examples/block-12459406/trace.csv}
transfers=${2:-2048}
profile=${3:-conjectured-100}
shardfold=$PWD/target/release/shardfold
folder=$(mktemp -d)
port=$((20000 + RANDOM % 10000))

postgres_bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1 || true)
export PATH="$postgres_bin:$PATH"
as_user=()
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chown nobody "$folder"
fi
"${as_user[@]}" initdb -D "$folder/pg" -U postgres -A trust >/dev/null
"${as_user[@]}" pg_ctl -D "$folder/pg" -w -l "$folder/pg.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder" start >/dev/null
trap '"${as_user[@]}" pg_ctl -D "$folder/pg" -m immediate stop >/dev/null; rm -rf "$folder"' EXIT

"$shardfold" import "$trace" -o "$folder/run" --limit "$transfers" >/dev/null

"$shardfold" key -o "$folder/key" --profile "$profile" >/dev/null

# Proves the batch by so many workers in a database and a store of their own: seconds.
prove_by() {
    local workers=$1
    createdb -h 127.0.0.1 -p "$port" -U postgres "fleet$workers"
    export SHARDFOLD_DATABASE="postgres://postgres@127.0.0.1:$port/fleet$workers"
    export SHARDFOLD_STORE="$folder/objects$workers"
    local batch jobs=()
    batch=$("$shardfold" submit "$folder/run/batch.bin" --profile "$profile" --shape small)
    for worker in $(seq "$workers"); do
        local key="$folder/$workers-$worker.key"
        "$shardfold" register "w$worker" "$("$shardfold" worker-key "$key")" >/dev/null
        "$shardfold" worker --key "$key" --profile "$profile" --threads 1 --until-idle \
            2>"$folder/$workers-$worker.log" &
        jobs+=($!)
    done
    "$shardfold" fetch "$batch" -o "$folder/proof$workers" --wait >/dev/null
    wait "${jobs[@]}"
    "$shardfold" verify "$folder/proof$workers" --key "$folder/key" >&2
    # From the first job taken to the last one done, by the database's clock, and what a job of each
    # kind took with its share of the pauses between jobs.
    "$shardfold" status "$batch" --json | jq --argjson workers "$workers" '
        .jobs as $jobs
        | ((($jobs | map(.finished) | max) - ($jobs | map(.started) | min)) / 1000) as $seconds
        | ($jobs | map(.finished - .started) | add / 1000) as $busy
        | (if $workers == 1 then ($seconds - $busy) / ($jobs | length) else 0 end) as $pause
        | ($jobs | group_by(.kind)
            | map({(.[0].kind): ((map(.finished - .started) | add) / length / 1000 + $pause)})
            | add) + {seconds: $seconds, shards: ($jobs | map(select(.kind == "shard")) | length)}'
}

one=$(prove_by 1)
two=$(prove_by 2)
jq -n --argjson one "$one" --argjson two "$two" --arg profile "$profile" \
    '{two_workers: {profile: $profile, shards: $one.shards, one: $one, two: $two}}'
jq -n --argjson one "$one" --argjson two "$two" '{ratio: ($one.seconds / $two.seconds)}' >&2
uptime >&2
