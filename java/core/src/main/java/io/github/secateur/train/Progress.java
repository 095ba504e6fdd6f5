package io.github.secateur.train;

/** Told how a long piece of work goes on; drawn as a bar or as lines by the command line. */
public interface Progress {
  /** Ignores everything. */
  Progress NONE = new Progress() {};

  /** A stage begins, of {@code total} units. */
  default void begin(String stage, long total) {}

  /** {@code done} units are done; {@code note} is short, such as {@code loss 0.123}. */
  default void update(long done, String note) {}

  /** The stage is over; {@code summary} is one line. */
  default void end(String summary) {}

  /**
   * Whether the user asked to stop; the work then saves a checkpoint and throws StoppedException.
   */
  default boolean stopRequested() {
    return false;
  }
}
