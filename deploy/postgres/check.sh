#!/usr/bin/env bash
# Tries roles.sql and grants.sql on a PostgreSQL of its own: what each role may do, and what it may not.
#   check.sh             the statements of a worker's life, and others
#   check.sh BINARY      then a batch from `submit` to `fetch` by this shardfold, each process with its role
set -euo pipefail
binary=${1:+$(realpath "$1")}
cd "$(dirname "$0")"

programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
PATH="${programs:+$programs:}$PATH"
if ! command -v initdb >/dev/null; then
    echo "not checked: there is no initdb (Debian: postgresql)"
    exit 0
fi

home=$(mktemp -d)
as_owner=()
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL does not run as root.
    chown postgres "$home"
    as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
# shellcheck disable=SC2317 # called by the trap
stop() {
    "${as_owner[@]}" pg_ctl stop --pgdata="$home/data" --mode=immediate --silent || true
    rm -rf "$home"
}
trap stop EXIT
"${as_owner[@]}" initdb --pgdata="$home/data" --username=postgres --auth=trust --no-sync >/dev/null
"${as_owner[@]}" pg_ctl start --pgdata="$home/data" --silent --wait --log="$home/log" \
    --options="-c listen_addresses= -c unix_socket_directories=$home -c fsync=off"
export PGHOST=$home

run() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=shardfold --username="shardfold_$1" "${@:2}"; }

mkdir "$home/passwords"
for role in operator worker observer; do
    echo "secret-of-$role" >"$home/passwords/${role}_password"
done
SHARDFOLD_PASSWORDS=$home/passwords psql --no-psqlrc --quiet --username=postgres --file=roles.sql
# The tables as the queue makes them.
sed -n '/^const TABLES/,/^];/p' ../../fleet/src/queue/schema.rs |
    sed -e '1d;$d' -e '/^ *\/\//d' -e 's/^ *"//' -e 's/",$/;/' | run operator
run operator --file=grants.sql
run operator --file=grants.sql

failed=0
may() {
    if ! run "$1" --command="$2" >/dev/null 2>"$home/error"; then
        echo "$1 may not: $2: $(cat "$home/error")"
        failed=1
    fi
}
may_not() {
    if run "$1" --command="$2" >/dev/null 2>"$home/error"; then
        echo "$1 may: $2"
        failed=1
    elif ! grep -q 'permission denied\|must be owner' "$home/error"; then
        echo "$1 fails otherwise: $2: $(cat "$home/error")"
        failed=1
    fi
}

may operator "INSERT INTO workers VALUES ('a', 'key', 1, NULL, 0)"
may operator "INSERT INTO batches VALUES ('b', 's', 'l', 'p', 'c', 1, 1, 3, 'open', 1)"
may operator "INSERT INTO circuits VALUES ('p', 'c', 1)"
may operator "INSERT INTO fleet VALUES (1)"
may operator "INSERT INTO jobs (batch, id, kind, first_shard, end_shard, size, memory, circuits, rank,
    submitted, missing, state, attempt, failures)
    VALUES ('b', 'j', 'shard', 0, 1, 1, 1, 'c', 1, 1, 0, 'queued', 0, 0)"
for table in fleet circuits workers instances batches jobs attempts; do
    may worker "SELECT * FROM $table"
    may observer "SELECT * FROM $table"
    may_not worker "DELETE FROM $table"
    may_not worker "TRUNCATE $table"
    may_not worker "DROP TABLE $table"
    may_not observer "DELETE FROM $table"
    may_not observer "INSERT INTO $table DEFAULT VALUES"
done
# A worker's life.
may worker "INSERT INTO instances VALUES ('i', 'a', 'h', 'p', 'c', 'shard', 1, 1, 's', 1, 1)
    ON CONFLICT (id) DO UPDATE SET seen = 2, left_at = NULL"
may worker "UPDATE jobs SET state = 'running', attempt = attempt + 1, instance = 'i', lease = 2
    WHERE (batch, id) = (SELECT batch, id FROM jobs WHERE state = 'queued' LIMIT 1 FOR UPDATE SKIP LOCKED)"
may worker "INSERT INTO attempts VALUES ('b', 'j', 1, 'i', 1)"
may worker "UPDATE instances SET seen = 3, left_at = 3"
may worker "UPDATE jobs SET lease = 3, deadline = 4, not_before = NULL, started = 1, missing = missing - 1,
    failures = failures + 1, state = 'done', result = 'r', signer = 'a', signature = 's', took = 1, finished = 3"
may worker "UPDATE attempts SET ended = 3, outcome = 'done', reason = ''"
may worker "UPDATE batches SET state = 'proven', finished = 3, proof = 'r' WHERE id = 'b' AND state = 'open'"
may worker "UPDATE workers SET strikes = strikes + 1"
# What is not a worker's.
may_not worker "INSERT INTO workers VALUES ('evil', 'key2', 1, NULL, 0)"
may_not worker "UPDATE workers SET public_key = 'other'"
may_not worker "UPDATE workers SET revoked = NULL"
may_not worker "INSERT INTO batches VALUES ('e', 's', 'l', 'p', 'c', 1, 1, 3, 'open', 1)"
may_not worker "INSERT INTO circuits VALUES ('p', 'other', 1)"
may_not worker "INSERT INTO jobs SELECT * FROM jobs"
may_not worker "UPDATE jobs SET input = 'other'"
may_not worker "UPDATE jobs SET parent = NULL"
may_not worker "UPDATE batches SET circuits = 'other'"
may_not worker "UPDATE fleet SET version = 2"
may_not worker "CREATE TABLE mine (x INT)"
may_not observer "UPDATE jobs SET state = 'queued'"
may_not observer "SELECT * FROM jobs FOR UPDATE"
may_not observer "CREATE TABLE mine (x INT)"
for column in batch id kind first_shard end_shard size memory circuits rank submitted parent input; do
    may_not worker "UPDATE jobs SET $column = $column"
done
[ "$failed" = 0 ] || exit 1
echo "roles and grants do what they say"
[ -n "$binary" ] || exit 0

# A fleet of one worker, with circuits that prove nothing.
export SHARDFOLD_ALLOW_UNSOUND=1
run operator --command='TRUNCATE circuits, workers, instances, batches, jobs, attempts'
shardfold() {
    local role=$1
    shift
    SHARDFOLD_DATABASE="postgres://shardfold_$role@localhost/shardfold?host=$home" SHARDFOLD_STORE=$home/objects \
        "$binary" "$@"
}
shardfold operator import ../../examples/block-12459406/trace.csv -o "$home/run" --limit 9 >/dev/null
key=$(shardfold operator worker-key "$home/worker.key")
prove() { shardfold worker worker --key "$home/worker.key" --profile unsound-test --until-idle; }
batch=$(shardfold operator submit "$home/run/batch.bin" --profile unsound-test)
if prove 2>"$home/error" || ! grep -q 'is not registered' "$home/error"; then
    echo "a worker that is not registered was not refused: $(cat "$home/error")"
    exit 1
fi
shardfold operator register checker "$key" >/dev/null
prove
shardfold observer status "$batch" >/dev/null
shardfold observer fetch "$batch" -o "$home/proof.bin" >/dev/null
shardfold operator delete "$batch" >/dev/null
echo "a batch was proven by a worker that may no more than that"
