#!/bin/sh
# Fails unless LIBRARY exports exactly the names and versions that LIST holds; record.sh checked those
# against the real library.
#
#   check_exports.sh NM LIBRARY LIST
set -eu
"$1" -D --defined-only "$2" | awk '{print $3}' | grep @@ | LC_ALL=C sort | diff - "$3"
