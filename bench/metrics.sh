#!/bin/sh
# AUC with DeLong, Brier, log loss, O/E, calibration intercept and slope, and net benefit at 20
# thresholds, each with its interval, on 1,000,000 rows: dolor (reading the file included)
# against R with pROC and glm, in turn, best of three. Usage: bench/metrics.sh [rows]
set -eu
cd "$(dirname "$0")/.."
rows=${1:-1000000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -o "$dir/dolor" ./cmd/dolor
CGO_ENABLED=0 go run ./bench/readcsv -predictions "$rows" "$dir/p.csv"
thresholds=$(awk 'BEGIN { for (i = 0; i < 20; i++) printf "--threshold %.10f ", 0.05 + 0.9 * i / 19 }')
if ! Rscript -e 'library(pROC)' >/dev/null 2>&1; then echo "R with pROC is not installed: not compared"; fi
now() { date +%s.%N; }
for round in 1 2 3; do
	a=$(now)
	"$dir/dolor" metrics "$dir/p.csv" --outcome y --prob p $thresholds --json \
		--metric auc,brier,log_loss,oe_ratio,calibration_intercept,calibration_slope,net_benefit >"$dir/dolor.json"
	b=$(now)
	echo "dolor $(awk "BEGIN { print $b - $a }")"
	if Rscript -e 'library(pROC)' >/dev/null 2>&1; then
		a=$(now)
		Rscript bench/peers/metrics.R "$dir/p.csv" >"$dir/r.txt"
		b=$(now)
		echo "R $(awk "BEGIN { print $b - $a }")"
	fi
done | awk -v rows="$rows" '{ print "  " $0; if (!($1 in s) || $2 < s[$1]) s[$1] = $2 }
END { printf "metrics, %d rows: dolor %.2f s", rows, s["dolor"]; if ("R" in s) printf ", R %.2f s; R takes %.1f times as long", s["R"], s["R"] / s["dolor"]; print "" }'
[ -f "$dir/r.txt" ] && echo "  R: $(cat "$dir/r.txt")"
tr '{' '\n' <"$dir/dolor.json" | grep -E '"(auc|brier|calibration_slope|calibration_intercept)"' | cut -c1-140 | sed 's/^/  dolor: /'
