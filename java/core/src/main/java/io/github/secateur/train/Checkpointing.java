package io.github.secateur.train;

import java.nio.file.Path;
import java.util.Objects;

/**
 * When and where a run saves itself. A last checkpoint is always written at the end of the run and
 * when it is stopped.
 *
 * @param file the newest checkpoint; replaced atomically
 * @param everySteps steps between checkpoints, 0 for none by steps
 * @param everySeconds wall time between checkpoints, 0 for none by time
 * @param keep number of checkpoints kept: the newest under {@code file}, older ones under {@code
 *     file.1}, {@code file.2}, ...
 */
public record Checkpointing(Path file, long everySteps, double everySeconds, int keep) {
  /** Checks the ranges. */
  public Checkpointing {
    Objects.requireNonNull(file);
    if (everySteps < 0 || !(everySeconds >= 0) || keep < 1) {
      throw new IllegalArgumentException(
          "a checkpoint needs a period of 0 or more and keeps 1 or more files, got %d steps, %s s,"
                  .formatted(everySteps, everySeconds)
              + " keep %d".formatted(keep));
    }
  }

  /** The newest only, twice a minute. */
  public static Checkpointing to(Path file) {
    return new Checkpointing(file, 0, 30, 1);
  }
}
