#!/bin/sh
# Nested cross-validation of gbm and forest against XGBoost and scikit-learn on five public tables,
# written to docs/results.md. Needs the tables (DATA, a folder of folders named as the protocols in
# bench/nested/protocols say) and Python with the peers. Predictions and trials stay in WORK; what is there
# is not run again. Usage: DATA=dir [WORK=dir] [PYTHON=python3] bench/nested.sh [protocol...]
set -eu
cd "$(dirname "$0")/.."
data=$(cd "${DATA:?folder of the public tables}" && pwd)
work=${WORK:-runs/nested}
mkdir -p "$work"
# The first column of this table has no name, which dolor refuses.
{ printf row; gzip -dc "$data/tabular-rhc/rhc.csv.gz"; } >"$work/rhc.csv"
[ $# -gt 0 ] || set -- heart headneck support2 rhc metabric
protocols=""
for name in "$@"; do protocols="$protocols bench/nested/protocols/$name.yaml"; done
CGO_ENABLED=0 go build -o "$work/nested" ./bench/nested
# shellcheck disable=SC2086 # a list of files
nice "$work/nested" -data "$data" -work "$work" -out docs/results.md -python "${PYTHON:-python3}" $protocols
