#!/usr/bin/env bash
# Prints which lines of the counted table in docs/costs.md differ from those of a branch or commit: what a change costs
# each contract. A test makes the table from the recorded rules, so it is as true as the tests are green.
#
# scripts/costs-against.sh [REF]     by default origin/main, or else main
set -euo pipefail
cd "$(dirname "$0")/.."

# Says whether there is such a branch or commit.
is_there() { git rev-parse --verify --quiet "$1^{commit}" >/dev/null; }

# Prints the table of a document.
table() { sed -n '/^<!-- counted -->$/,/^<!-- end -->$/p' | sed '/^<!--/d'; }

if (($# > 1)); then
    echo "found $# arguments, expected one branch or commit at most" >&2
    exit 2
elif (($# == 1)); then
    ref=$1
    if ! is_there "$ref"; then
        echo "found no branch or commit $ref" >&2
        exit 2
    fi
elif is_there origin/main; then
    ref=origin/main
elif is_there main; then
    ref=main
else
    echo "there is neither origin/main nor main here: nothing to compare the costs with"
    exit 0
fi

if ! before=$(git show "$ref:docs/costs.md" 2>/dev/null | table) || [[ -z $before ]]; then
    echo "$ref has no table of costs: nothing to compare with"
    exit 0
fi
after=$(table <docs/costs.md)
if [[ $before == "$after" ]]; then
    echo "every contract costs what it costs at $ref"
    exit 0
fi
echo "costs that differ from $ref (docs/costs.md): - before, + after"
grep '^| step ' <<<"$after" | sed 's/^/  /'
# `diff` ends with 1 if there is a difference.
diff --unchanged-line-format= --old-line-format='- %L' --new-line-format='+ %L' \
    <(echo "$before") <(echo "$after") || (($? == 1))
