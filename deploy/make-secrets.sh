#!/usr/bin/env bash
# Makes the secrets of compose.yaml in secrets/, once. What is there stays as it is.
set -euo pipefail
cd "$(dirname "$0")"

random() { openssl rand -hex "$1"; }

# keep FILE TEXT: writes a file that is not there. Only the folder is private: the containers' user, who is
# another one, sees single files of it and must be able to read them.
keep() {
    if [ ! -e "secrets/$1" ]; then
        printf '%s\n' "$2" >"secrets/$1"
        chmod 644 "secrets/$1"
    fi
}

mkdir -p secrets
chmod 700 secrets
keep postgres_password "$(random 24)"
for role in operator worker observer; do
    keep "${role}_password" "$(random 24)"
    keep "$role.toml" "database = \"postgres://shardfold_$role:$(cat "secrets/${role}_password")@postgres/shardfold\"
store = \"s3://shardfold\""
done
if [ ! -e secrets/garage.env ]; then
    id=GK$(random 12)
    secret=$(random 32)
    keep garage.env "GARAGE_RPC_SECRET=$(random 32)
GARAGE_DEFAULT_ACCESS_KEY=$id
GARAGE_DEFAULT_SECRET_KEY=$secret"
    rm -f secrets/store.env
    keep store.env "AWS_ACCESS_KEY_ID=$id
AWS_SECRET_ACCESS_KEY=$secret"
fi
echo "secrets/ is complete"
