#!/bin/sh
# Reads a 1,000,000 x 50 CSV (5 % missing) with dolor, pandas and polars in turn, three times
# each, best wall time, and prints the ratios. Usage: bench/csv.sh [rows]
set -eu
cd "$(dirname "$0")/.."
rows=${1:-1000000}
python=${PYTHON:-python3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -o "$dir/readcsv" ./bench/readcsv
"$dir/readcsv" -make "$rows" "$dir/t.csv"
for round in 1 2 3; do
	echo "dolor $("$dir/readcsv" "$dir/t.csv")"
	"$python" -c 'import pandas' 2>/dev/null && echo "pandas $("$python" bench/peers/csv_pandas.py "$dir/t.csv")"
	"$python" -c 'import polars' 2>/dev/null && echo "polars $("$python" bench/peers/csv_polars.py "$dir/t.csv")"
done | awk -v rows="$rows" '
{ print "  " $0; if (!($1 in s) || $2 < s[$1]) s[$1] = $2; if (!($1 in m) || $3 > m[$1]) m[$1] = $3 }
END {
	printf "csv %d x 50: dolor %.2f s, %d MiB\n", rows, s["dolor"], m["dolor"]
	n = split("pandas polars", peer, " ")
	for (i = 1; i <= n; i++) { p = peer[i]
		if (p in s) printf "  %s %.2f s, %d MiB; dolor takes %.2f of its time and %.2f of its memory\n", p, s[p], m[p], s["dolor"] / s[p], m["dolor"] / m[p]
		else printf "  %s is not installed: not compared\n", p
	}
}'
