package io.github.secateur.bench;

import java.io.IOException;

/** A side of a race with something to release after it. */
record Owned(Contestant side, Runnable release) implements Contestant {
  @Override
  public String name() {
    return side.name();
  }

  @Override
  public double[] block(double seconds) throws IOException {
    return side.block(seconds);
  }

  @Override
  public int settleMillis() {
    return side.settleMillis();
  }

  @Override
  public void close() {
    release.run();
  }
}
