package io.github.secateur.prune;

final class Unbuilt {
  private Unbuilt() {}

  static IllegalArgumentException error() {
    return new IllegalArgumentException("this method is not in this build yet");
  }
}
