#!/bin/sh
# Gradient boosting and random forests beside XGBoost, LightGBM and scikit-learn: one run, both sides in turn,
# on generated tables of 50 predictors with 5 % missing. 100 trees of depth 6 or of 64 leaves; forests of 500
# trees on 10,000 rows. The last lines are the medians and their ratios.
# Usage: [PYTHON=python3] [ROUNDS=3] [ROWS="100000 1000000"] [THREADS="1 2"] [FOREST=1] bench/gbm.sh
set -eu
cd "$(dirname "$0")/.."
work=${WORK:-runs/trees}
mkdir -p "$work"
CGO_ENABLED=0 go build -o "$work/trees" ./bench/trees
t=$work/trees
py=${PYTHON:-python3}
lines=$work/lines.txt
: >"$lines"
go version
"$py" -c 'import xgboost, lightgbm, sklearn; print("xgboost", xgboost.__version__, "lightgbm", lightgbm.__version__, "scikit-learn", sklearn.__version__)'
common='"n_estimators":100,"learning_rate":0.1,"max_bin":256,"early_stopping_rounds":0,"reg_lambda":1,"reg_alpha":0,"gamma":0,"min_child_weight":1,"subsample":1,"colsample_bytree":1'
[ -e "$work/test.parquet" ] || "$t" make 100000 2 "$work/test.parquet"
for rows in ${ROWS:-100000 1000000}; do
  [ -e "$work/$rows.parquet" ] || "$t" make "$rows" 1 "$work/$rows.parquet"
  for threads in ${THREADS:-1 2}; do
    for _ in $(seq "${ROUNDS:-3}"); do
      "$t" fit gbm "{$common,\"max_depth\":6}" "$threads" "$work/$rows.parquet" "$work/test.parquet" "dolor/depth/$rows" | tee -a "$lines"
      "$py" bench/peers/trees.py xgboost depth "$threads" "$work/$rows.parquet" "$work/test.parquet" | sed "s|/depth|/depth/$rows|" | tee -a "$lines"
      "$py" bench/peers/trees.py lightgbm depth "$threads" "$work/$rows.parquet" "$work/test.parquet" | sed "s|/depth|/depth/$rows|" | tee -a "$lines"
      "$py" bench/peers/trees.py sklearn-hist depth "$threads" "$work/$rows.parquet" "$work/test.parquet" | sed "s|/depth|/depth/$rows|" | tee -a "$lines"
      "$t" fit gbm "{$common,\"max_depth\":0,\"max_leaves\":64,\"grow_policy\":\"lossguide\"}" "$threads" "$work/$rows.parquet" "$work/test.parquet" "dolor/leaves/$rows" | tee -a "$lines"
      "$py" bench/peers/trees.py xgboost leaves "$threads" "$work/$rows.parquet" "$work/test.parquet" | sed "s|/leaves|/leaves/$rows|" | tee -a "$lines"
      "$py" bench/peers/trees.py lightgbm leaves "$threads" "$work/$rows.parquet" "$work/test.parquet" | sed "s|/leaves|/leaves/$rows|" | tee -a "$lines"
    done
  done
done
if [ "${FOREST:-1}" = 1 ]; then
  [ -e "$work/10000.parquet" ] || "$t" make 10000 3 "$work/10000.parquet"
  for threads in ${THREADS:-1 2}; do
    for _ in $(seq "${ROUNDS:-3}"); do
      "$t" fit forest '{"n_estimators":500,"min_samples_leaf":1}' "$threads" "$work/10000.parquet" "$work/test.parquet" dolor/forest/10000 | tee -a "$lines"
      "$py" bench/peers/trees.py sklearn-forest forest "$threads" "$work/10000.parquet" "$work/test.parquet" | sed "s|/forest|/forest/10000|" | tee -a "$lines"
    done
  done
fi
"$t" summary <"$lines"
