#!/bin/sh
# Records from the real CUDA 12.6 libraries what the stand-ins are held to:
#
#   native/sim/library/record.sh FOLDER BUILD
#
# FOLDER holds libcublas.so.12, libcublasLt.so.12, libcusparse.so.12 and libnvJitLink.so.12, as in the
# artifact org.bytedeco:cuda:12.6-9.5-1.5.11:jar:linux-x86_64-redist; BUILD is build/release. No GPU is
# needed, and there must be no driver either: with one, calls succeed that are recorded as failing.
set -eu
folder=$1 build=$2
sim=$(dirname "$0")/..
for name in cublas cusparse; do
  "$build/bin/status_table" "$folder/lib$name.so.12" "$sim/$name/statuses.txt" --record 2>/dev/null
  # Every name that the stand-in exports must be one of the real library's, with the same version.
  nm -D --defined-only "$folder/lib$name.so.12" | awk '{print $3}' >"$build/$name.real"
  if unknown=$(grep -vxFf "$build/$name.real" "$sim/$name/exports.txt"); then
    echo "not exported by the real lib$name.so.12: $unknown" >&2
    exit 1
  fi
done
