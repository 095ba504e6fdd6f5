#!/usr/bin/env bash
# Runs Secateur beside other libraries on this machine's CPU, on the same data in turns, and writes
# bench/results/cpu-PROCESSOR.md and .json: sparse products (OpenBLAS, oneDNN, MKL, PyTorch, SciPy),
# whole networks (ONNX Runtime), training of a masked layer (PyTorch), thresholds (NumPy, PyTorch).
# About 15 minutes on two quiet cores.
#
#   bench/peers.sh                     all tables
#   bench/peers.sh --quick             small sizes, under a minute: shows that all works
#   bench/peers.sh --only=products     one or more of products,models,training,thresholds
#   bench/peers.sh --out=FOLDER        writes there instead of bench/results
#
# Needs python3 with NumPy, SciPy and PyTorch ($PYTHON, default /usr/bin/python3), 8 GB of memory and,
# the first time, the network: Maven fetches 400 MB of libraries under its profile "peers".
set -u
cd "$(dirname "$0")/.." || exit 1
out=bench/results
arguments=()

fail() {
  printf 'peers.sh: %s\n' "$1" >&2
  exit 1
}

for argument in "$@"; do
  case $argument in
    --quick | --only=?*) arguments+=("$argument") ;;
    --out=?*) out=${argument#--out=} ;;
    *) fail "there is no option '$argument'; use --quick, --only=products,models,training,thresholds or --out=FOLDER." ;;
  esac
done

# What holds OpenBLAS on a slow kernel; huge pages, and memory that stays with the process, for Python.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OMP_NUM_THREADS MKL_NUM_THREADS
tunables=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592
export DJL_OFFLINE=true

python=${PYTHON:-/usr/bin/python3}
missing=''
for package in numpy scipy torch; do
  "$python" -c "import $package" 2>/dev/null || missing="$missing python3-$package"
done
ldconfig -p 2>/dev/null | grep -q 'libOpenCL\.so\.1' || missing="$missing ocl-icd-libopencl1"
[ -z "$missing" ] || fail "needs packages that are not installed: apt install$missing (or set PYTHON to another Python)."

jdk=$(.mvn/find-jdk.sh) || exit 1
mvn=$(command -v mvn || echo ./mvnw)
log=bench/target/peers-build.log
mkdir -p bench/target
echo "building, with -Ppeers (log: $log) …" >&2
build() {
  "$mvn" "$@" -B -q -Ppeers -pl bench -am -DskipTests -Dsecateur.sanitizers=false package >"$log" 2>&1
}
build -o || build || {
  tail -n 20 "$log" >&2
  fail "the build with -Ppeers failed, of which the end is above; without the network it needs what an earlier run left in ~/.m2."
}

work=$(mktemp -d) || fail "cannot make a temporary folder."
trap 'rm -rf "$work"' EXIT
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cache=$PWD/bench/target/peers-natives
GLIBC_TUNABLES=$tunables DJL_CACHE_DIR=$cache/djl "$jdk/bin/java" \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseTransparentHugePages \
  -Xmx2g -Dai.djl.offline=true -DOPT_OUT_TRACKING=true -Dslf4j.internal.verbosity=ERROR \
  -cp "bench/target/classes:$(cat bench/target/peers-classpath)" io.github.secateur.bench.PeerTables \
  --out="$out" --python="$python" --script=bench/peers/peer.py --cache="$cache" --work="$work" \
  --commit="$commit" "${arguments[@]}"
