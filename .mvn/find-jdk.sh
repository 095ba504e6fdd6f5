#!/bin/sh
# Prints the home of an installed JDK of at least 25.0.3 (25.0.0 to 25.0.2 have a bug with pinned
# memory), or fails with one sentence. Used by ./secateur, and by the Maven build as an early check:
# the build itself selects the JDK by toolchain discovery, which looks in the same places.

is_fit() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  version=$(sed -n 's/^JAVA_VERSION="\([0-9.]*\).*/\1/p' "$1/release")
  oldest=$(printf '%s\n%s\n' 25.0.3 "$version" | sort -V | head -n 1)
  [ -n "$version" ] && [ "$oldest" = 25.0.3 ]
}

on_path=$(command -v javac 2>/dev/null) && on_path=$(readlink -f -- "$on_path") \
  && on_path=${on_path%/bin/javac}
for jdk in "${JAVA_HOME:-}" "${JDK25_HOME:-}" "${on_path:-}" /usr/lib/jvm/* \
  "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
  if [ -n "$jdk" ] && is_fit "$jdk"; then
    printf '%s\n' "$jdk"
    exit 0
  fi
done
# A toolchains.xml may name one elsewhere.
if [ "${1:-}" = check ] && [ -f "$HOME/.m2/toolchains.xml" ]; then
  exit 0
fi
printf '%s\n' "secateur: needs a JDK of version 25.0.3 or later and found none in JAVA_HOME, on the \
path or under /usr/lib/jvm; install one (Debian 13: apt install openjdk-25-jdk; Debian 12: Temurin 25, \
see the README)." >&2
exit 1
