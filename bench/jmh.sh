#!/usr/bin/env bash
# Runs the JMH benchmarks of every hot operation on the CPU device.
#
#   bench/jmh.sh [PATTERN] [JMH OPTION...]   those whose name matches (default: all, about 30 minutes)
#   bench/jmh.sh Select -p log2=26 -p type=F32,F16,BF16
#   bench/jmh.sh --quick [PATTERN]           one short iteration of each: shows that all work
#   bench/jmh.sh -l                          lists them
#
# JMH's options follow the pattern; -rff FILE -rf json writes results to a file.
set -u
cd "$(dirname "$0")/.." || exit 1
quick=()
if [ "${1:-}" = --quick ]; then
  shift
  quick=(-wi 0 -i 1 -r 10ms)
fi
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE # they hold OpenBLAS on a slow kernel

jdk=$(.mvn/find-jdk.sh) || exit 1
[ -f bench/target/classpath ] && [ -d bench/target/classes ] || {
  echo "jmh.sh: nothing is built yet; run 'mvn package -DskipTests' first." >&2
  exit 1
}
exec "$jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -XX:+UseTransparentHugePages -cp "bench/target/classes:$(cat bench/target/classpath)" \
  org.openjdk.jmh.Main "$@" "${quick[@]}"
