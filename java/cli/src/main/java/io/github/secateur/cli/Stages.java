package io.github.secateur.cli;

import io.github.secateur.train.Progress;

/** Progress of parts of a larger job, under the part's name. */
final class Stages {
  private Stages() {}

  /** Puts a name before the stages of some work. */
  static Progress named(String name, Progress progress) {
    return new Progress() {
      @Override
      public void begin(String stage, long total) {
        progress.begin(name + ": " + stage, total);
      }

      @Override
      public void update(long done, String note) {
        progress.update(done, note);
      }

      @Override
      public void end(String summary) {
        progress.end(summary);
      }

      @Override
      public boolean stopRequested() {
        return progress.stopRequested();
      }
    };
  }
}
