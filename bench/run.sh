#!/bin/sh
# Every speed comparison of this release, both sides in one run on this machine. A peer that is
# not installed is named and left out. The output belongs into bench/results/.
set -eu
cd "$(dirname "$0")"
echo "dolor against its peers, $(uname -m), $(getconf _NPROCESSORS_ONLN) processors, $(go version | cut -d' ' -f3)"
./elasticnet.sh
./csv.sh
./metrics.sh
