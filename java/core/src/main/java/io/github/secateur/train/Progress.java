package io.github.secateur.train;

import java.util.function.UnaryOperator;

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

  /** The same listener, told of stages by other names. */
  default Progress named(UnaryOperator<String> rename) {
    Progress listener = this;
    return new Progress() {
      @Override
      public void begin(String stage, long total) {
        listener.begin(rename.apply(stage), total);
      }

      @Override
      public void update(long done, String note) {
        listener.update(done, note);
      }

      @Override
      public void end(String summary) {
        listener.end(summary);
      }

      @Override
      public boolean stopRequested() {
        return listener.stopRequested();
      }
    };
  }
}
