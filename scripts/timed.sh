#!/usr/bin/env bash
# Runs a test binary and notes its seconds in the file that SHARDFOLD_TEST_TIMES names.
start=$SECONDS
package=$(basename "$PWD")
# Tests of the fleet and of the command wait for leases, outages and other processes most of the time.
case $package in
fleet | cli) export RUST_TEST_THREADS=${RUST_TEST_THREADS:-4} ;;
esac
"$@"
status=$?
name=$(basename "$1")
printf '%5d s  %s (%s)\n' $((SECONDS - start)) "${name%-*}" "$package" >>"$SHARDFOLD_TEST_TIMES"
exit $status
