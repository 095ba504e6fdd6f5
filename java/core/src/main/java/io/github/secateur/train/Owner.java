package io.github.secateur.train;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Closes what was added to it, last first, unless released: for constructors that allocate several
 * things and must not leak the first when a later one fails.
 */
final class Owner implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T closeable) {
    owned.push(closeable);
    return closeable;
  }

  /** All is well: whoever called closes the things from now on. */
  void release() {
    owned.clear();
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        RuntimeException wrapped =
            e instanceof RuntimeException r ? r : new IllegalStateException(e.getMessage(), e);
        if (failure == null) {
          failure = wrapped;
        } else {
          failure.addSuppressed(wrapped);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
