#!/usr/bin/env bash
# Everything there is to check and measure on a machine with a CUDA GPU, in one command.
#
#   bench/gpu.sh [STAGE...]      all stages, or these; stages that are done are not repeated
#   bench/gpu.sh --again         forgets what is done
#   bench/gpu.sh --pack FILE     makes one archive (.tar.xz) for a machine without JDK, Maven or
#                                network: unpack it there and run secateur-gpu/gpu.sh
#
# Stages, each of less than 8 minutes:
#   machine     GPU, driver, devices as Secateur sees them
#   native      C and C++ tests of the CUDA device
#   memcheck racecheck initcheck synccheck   the same under compute-sanitizer, where it is there
#   contract    the device contract tests
#   tables      copy bandwidth and dense rate as ceilings, then thresholds, sparse products, training
#   launch      host time of a kernel launch, against a driver that does nothing
#   demo        train, prune, fine-tune and compare on MNIST, at small size
#   results     all of it in one Markdown file
# Logs and results go to $SECATEUR_GPU_OUT (default: gpu-results in the current folder).
set -u
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd) || exit 1
out=${SECATEUR_GPU_OUT:-$PWD/gpu-results}
stages='machine native memcheck racecheck initcheck synccheck contract tables launch demo results'
limit=470 # seconds a stage
largest=$((55 * 1024 * 1024))
junit=org.junit.platform:junit-platform-console-standalone:1.13.4

fail() {
  printf 'gpu.sh: %s\n' "$1" >&2
  exit 1
}

# ---- the kit: all that the stages need, in one folder ------------------------------------------

# make_kit FOLDER: builds Secateur and puts the kit there. Needs a source tree.
make_kit() {
  local root=$here/.. kit=$1 log=$1.log jdk
  jdk=$("$root/.mvn/find-jdk.sh") || exit 1
  rm -rf "$kit" && mkdir -p "$kit/lib" "$kit/native/test" || fail "cannot write $kit."
  (
    set -e
    cd "$root"
    mvn=$(command -v mvn || echo ./mvnw)
    export JAVA_HOME=$jdk
    "$mvn" -B package -DskipTests
    "$mvn" -B dependency:copy -N -Dartifact="$junit" -DoutputDirectory="$kit/lib" -Dmdep.stripVersion
    cmake --preset release
    cmake --build --preset release
  ) >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "the build failed; the whole log is $log."; }
  cp "$root"/java/cli/target/secateur-cli-*.jar "$root"/java/cli/target/lib/*.jar "$kit/lib/"
  # Not needed there, and large: the CPU's BLAS and ONNX Runtime.
  rm -f "$kit"/lib/openblas-*.jar "$kit"/lib/onnxruntime*.jar "$kit"/lib/*-sources.jar
  cp "$root"/java/core/target/secateur-core-*-tests.jar "$kit/lib/"
  "$jdk/bin/jar" --create --file "$kit/lib/secateur-cuda-tests.jar" -C "$root/java/cuda/target/test-classes" .
  "$jdk/bin/jar" --create --file "$kit/lib/secateur-bench.jar" -C "$root/bench/target/classes" .
  find "$root/build/release/native" -type f -perm -u+x -name 'test_cuda_*' -exec cp {} "$kit/native/test/" \;
  cp "$root"/build/release/native/test/bench_launch "$kit/native/test/"
  cp -r "$root"/build/release/null_driver "$kit/"
  strip "$kit"/native/test/* 2>/dev/null
  cp "$root/LICENSE" "$root/NOTICE" "$kit/"
  cp "$here/gpu.sh" "$kit/"
  "$jdk/bin/jlink" --output "$kit/runtime" --strip-debug --no-header-files --no-man-pages --compress zip-0 \
    --add-modules java.base,java.logging,java.management,java.sql,java.xml,jdk.unsupported >>"$log" 2>&1 ||
    fail "jlink failed; see $log."
}

# unzip_jars FOLDER JDK: jars without compression, which the archive's own then does better, over all
# of them at once; and without the JCuda libraries that are never loaded.
unzip_jars() {
  local jar
  for jar in "$1"/*.jar; do
    rm -rf "$jar.d" && mkdir "$jar.d" || return 1
    (cd "$jar.d" && "$2/bin/jar" --extract --file "$jar") || return 1
    case $jar in
      */jcuda-natives-*) find "$jar.d" -name '*.so' ! -name '*JCudaDriver*' -delete ;;
    esac
    rm "$jar" && "$2/bin/jar" --create --no-manifest --no-compress --file "$jar" -C "$jar.d" . &&
      rm -r "$jar.d" || return 1
  done
}

pack() {
  local file folder
  file=$(realpath -m "$1")
  folder=$(mktemp -d) || exit 1
  trap 'rm -rf "$folder"' EXIT
  make_kit "$folder/secateur-gpu"
  unzip_jars "$folder/secateur-gpu/lib" "$("$here/../.mvn/find-jdk.sh")" || fail "cannot repack the jars."
  mkdir -p "$(dirname "$file")"
  XZ_OPT='-T1 --lzma2=preset=4,dict=64MiB' tar -C "$folder" -cJf "$file.part" secateur-gpu && mv "$file.part" "$file" || fail "cannot write $file."
  local bytes
  bytes=$(stat -c %s "$file")
  [ "$bytes" -le "$largest" ] || fail "$file has $bytes bytes, more than $largest; leave something out."
  printf 'packed %s: %d MB\n' "$file" $((bytes / 1048576))
}

# ---- the stages -----------------------------------------------------------------------------------

java() {
  "$kit/runtime/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -XX:+UseParallelGC -cp "$kit/lib/*" "$@"
}

secateur() { java io.github.secateur.cli.Main "$@"; }

stage_machine() {
  command -v nvidia-smi >/dev/null && nvidia-smi
  command -v nvcc >/dev/null && nvcc --version
  secateur devices
  secateur devices | grep -A1 '^device *cuda' | grep -q '^usable *yes' || {
    echo "Secateur's CUDA device is not usable here; the lines above say why."
    return 1
  }
}

# native_tests PREFIX...: every test, each after these words.
native_tests() {
  local test failed=0 skipped=0 passed=0 status
  for test in "$kit"/native/test/test_*; do
    "$@" "$test"
    status=$?
    case $status in
      0) passed=$((passed + 1)) ;;
      77) skipped=$((skipped + 1)) ;;
      *) failed=$((failed + 1)) && echo "FAILED ($status): $(basename "$test")" ;;
    esac
  done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed -eq 0 ] && [ $passed -gt 0 ]
}

stage_native() { native_tests env; }

sanitized() {
  command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not on the path" && return 77; }
  native_tests compute-sanitizer --tool "$1" --error-exitcode 9 --print-limit 20
}
stage_memcheck() { sanitized memcheck; }
stage_racecheck() { sanitized racecheck; }
stage_initcheck() { sanitized initcheck; }
stage_synccheck() { sanitized synccheck; }

stage_contract() {
  java org.junit.platform.console.ConsoleLauncher execute --disable-banner --details summary \
    --select-class io.github.secateur.cuda.CudaDeviceContractTest \
    --select-class io.github.secateur.cuda.CudaSelectPropertyTest --include-classname '.*'
}

simulated() { secateur devices --json | grep -q '"simulated" *: *"true"'; }

stage_tables() {
  local size=
  simulated && size=--small
  java io.github.secateur.bench.GpuTables "$out/tables.md" $size
}

stage_launch() { "$kit/native/test/bench_launch"; }

stage_demo() { secateur demo --quick --device cuda --out "$out/demo"; }

stage_results() {
  {
    cat "$out/tables.md"
    printf '\n## Host time of a launch, driver left out\n\n```\n' && cat "$out/launch.log" && printf '```\n'
    printf '\n## Checks\n\n| stage | result | seconds |\n| --- | --- | --- |\n'
    cat "$out"/*.row
  } >"$out/results.md"
  echo "results: $out/results.md"
}

# run_stage NAME: once; its output in a log, one line here.
run_stage() {
  local name=$1 log=$out/$1.log started=$SECONDS status word
  if [ -f "$out/$name.done" ]; then
    printf '%-10s done before\n' "$name"
    return 0
  fi
  # A shell of its own, so that the limit holds for everything that the stage starts.
  timeout -k 10 $limit bash "$here/gpu.sh" --stage "$name" >"$log" 2>&1 </dev/null
  status=$?
  case $status in
    0) word=ok && : >"$out/$name.done" ;;
    77) word="skipped: $(tail -n 1 "$log")" && : >"$out/$name.done" ;;
    124 | 137) word="FAILED: longer than $limit s" ;;
    *) word=FAILED ;;
  esac
  printf '%-10s %s  (%d s)\n' "$name" "$word" $((SECONDS - started))
  printf '| %s | %s | %d |\n' "$name" "$word" $((SECONDS - started)) >"$out/$name.row"
  case $status in 0 | 77) return 0 ;; esac
  tail -n 25 "$log"
  return 1
}

find_kit() {
  if [ -d "$here/runtime" ]; then
    kit=$here
  else
    kit=$here/../build/gpu/kit
  fi
}

case ${1:-} in
  --pack) [ $# -eq 2 ] || fail "--pack takes the file to write."; pack "$2"; exit 0 ;;
  --stage) find_kit && "stage_$2"; exit ;;
  --again) rm -f "$out"/*.done "$out"/*.row; shift ;;
  -h | --help) sed -n '2,/^set -u/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
wanted=${*:-$stages}
for name in $wanted; do
  case " $stages " in *" $name "*) ;; *) fail "there is no stage '$name'; there are: $stages." ;; esac
done
find_kit
mkdir -p "$out" || fail "cannot write $out; set SECATEUR_GPU_OUT to another folder."
if [ ! -d "$kit/runtime" ]; then
  echo "building (log: $kit.log)"
  mkdir -p "$(dirname "$kit")"
  make_kit "$kit"
fi
failed=0
for name in $wanted; do
  run_stage "$name" || failed=1
done
exit $failed
