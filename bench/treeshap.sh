#!/bin/sh
# Exact attributions of 10,000 rows x 50 columns (5 % missing) by a model of 100 trees trained by
# XGBoost, dolor against XGBoost's pred_contribs, woodelf_explainer and shap, 1 and 2 threads in
# one run. Prints seconds (best of REPEATS, default 3), the ratios and the largest difference of an
# attribution. dolor's time includes making its tables.
# Needs PYTHON (default python3) with xgboost; woodelf_explainer, pandas and shap are named
# and left out when not installed; ROWS (default 10000) may be fewer for deep trees.
# Usage: bench/treeshap.sh [depth ...]   (default 6)
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go test -c -o "$tmp/peer.test" ./internal/treeshap
for depth in "${@:-6}"; do
	DOLOR_PEER_SCRIPT="$PWD/bench/peers/treeshap_peers.py" DOLOR_PEER_REPEATS="${REPEATS:-3}" \
		DOLOR_PEER_PYTHON="${PYTHON:-python3}" DOLOR_PEER_DEPTH="$depth" DOLOR_PEER_ROWS="${ROWS:-10000}" \
		"$tmp/peer.test" -test.run '^TestAgainstPeers$' -test.v -test.timeout 30m | grep -v -e '^=== ' -e '^PASS' -e '^---'
done
