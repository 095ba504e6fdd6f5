#!/bin/sh
# Times an epoch of training LeNet-300-100 in Secateur and in PyTorch, alternately, on the same two
# cores; prints each side's median and their ratio. Needs the built jar (mvn package) and python3-torch.
#
# Usage: bench/epoch.sh [ROUNDS] [EPOCHS]     (3 rounds of 3 epochs)
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-3}
epochs=${2:-3}
threads=2

# Both hold OpenBLAS on a slow kernel where they are set.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1 # huge pages for PyTorch, as our device asks for them

python=${PYTHON:-/usr/bin/python3}
java=$(.mvn/find-jdk.sh)/bin/java
classpath="bench/target/classes:java/cli/target/lib/*"
[ -d bench/target/classes ] && [ -d java/cli/target/lib ] || {
  echo "bench/epoch.sh: nothing is built yet; run 'mvn package -DskipTests' first" >&2
  exit 1
}

times=$(mktemp -d)
trap 'rm -rf "$times"' EXIT
for round in $(seq "$rounds"); do
  "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classpath" \
    io.github.secateur.bench.EpochBenchmark "$epochs" "$threads" >>"$times/secateur"
  "$python" bench/peers/torch_epoch.py "$epochs" "$threads" >>"$times/pytorch"
done

median() {
  sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
ours=$(median "$times/secateur")
theirs=$(median "$times/pytorch")
echo "seconds an epoch, median of $((rounds * epochs)): Secateur $ours, PyTorch $theirs"
awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "ratio %.2f\n", a / b }'
