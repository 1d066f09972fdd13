#!/bin/sh
# Elastic-net paths of 100 penalties, dolor against R's glmnet, on the same simulated tables in
# one run. Prints seconds (best of REPEATS, default 3), the ratio and the largest difference of
# a standardised coefficient at the penalties both fitted. Needs Rscript with glmnet.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go test -c -o "$tmp/peer.test" ./model/elasticnet
DOLOR_PEER_SCRIPT="$PWD/bench/peers/glmnet.R" DOLOR_PEER_REPEATS="${REPEATS:-3}" \
	"$tmp/peer.test" -test.run '^TestAgainstGlmnet$' -test.v | grep -v -e '^=== ' -e '^PASS' -e '^---'
