package io.github.secateur.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes checkpoints when they are due, and keeps older ones. */
final class Saver {
  private final Checkpointing when;
  private long lastNanos = System.nanoTime();

  Saver(Checkpointing when) {
    this.when = when;
  }

  /** Whether a checkpoint is due after this many steps. */
  boolean due(long step) {
    boolean bySteps = when.everySteps() > 0 && step % when.everySteps() == 0;
    boolean byTime =
        when.everySeconds() > 0 && (System.nanoTime() - lastNanos) * 1e-9 >= when.everySeconds();
    return bySteps || byTime;
  }

  /** Replaces the newest checkpoint; the one before stays whole until the new one is on disk. */
  void save(Checkpoint checkpoint) {
    try {
      keepOlder();
      checkpoint.write(when.file());
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    lastNanos = System.nanoTime();
  }

  /** file.(n-1) becomes file.n, ..., file becomes file.1 too; every name holds a whole file. */
  private void keepOlder() throws IOException {
    for (int age = when.keep() - 1; age >= 1; age--) {
      Path newer = aged(age - 1);
      if (Files.exists(newer)) {
        Path copy = aged(age).resolveSibling("." + aged(age).getFileName() + ".tmp");
        Files.deleteIfExists(copy);
        link(newer, copy);
        Files.move(
            copy, aged(age), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private Path aged(int age) {
    Path file = when.file();
    return age == 0 ? file : file.resolveSibling(file.getFileName() + "." + age);
  }

  private static void link(Path existing, Path copy) throws IOException {
    try {
      Files.createLink(copy, existing);
    } catch (UnsupportedOperationException e) {
      Files.copy(existing, copy);
    }
  }
}
