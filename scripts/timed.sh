#!/usr/bin/env bash
# Runs a test binary and notes its seconds in the file that SHARDFOLD_TEST_TIMES names.
start=$SECONDS
package=$(basename "$PWD")
"$@"
status=$?
name=$(basename "$1")
printf '%5d s  %s (%s)\n' $((SECONDS - start)) "${name%-*}" "$package" >>"$SHARDFOLD_TEST_TIMES"
exit $status
