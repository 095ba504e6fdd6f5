package io.github.secateur.cli;

import io.github.secateur.train.Progress;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Progress on standard error: a bar with the time left on a terminal, else a plain line a stage and
 * one every ten seconds in between.
 */
final class ConsoleProgress implements Progress {
  private static final long PLAIN_LINE_NANOS = 10_000_000_000L;

  private static ConsoleProgress latest;

  private final boolean terminal;
  private final boolean quiet;
  private String stage = "";
  private long total;
  private long started;
  private long lastLine;
  private ProgressBar bar;

  ConsoleProgress(boolean quiet) {
    this.quiet = quiet;
    latest = this;
    this.terminal = System.console() != null && System.console().isTerminal();
  }

  @Override
  public void begin(String name, long units) {
    closeBar();
    stage = name;
    total = Math.max(1, units);
    started = System.nanoTime();
    lastLine = started;
    if (terminal && !quiet) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(total)
              .setStyle(plainTerminal() ? ProgressBarStyle.ASCII : ProgressBarStyle.UNICODE_BLOCK)
              .setUpdateIntervalMillis(200)
              .setMaxRenderedLength(100)
              .clearDisplayOnFinish()
              .setConsumer(new ConsoleProgressBarConsumer(System.err, 100))
              .build();
    }
  }

  @Override
  public void update(long done, String note) {
    if (quiet) {
      return;
    }
    if (bar != null) {
      bar.stepTo(done);
      bar.setExtraMessage(note);
    } else if (System.nanoTime() - lastLine > PLAIN_LINE_NANOS) {
      lastLine = System.nanoTime();
      double elapsed = (lastLine - started) * 1e-9;
      double left = done == 0 ? Double.NaN : elapsed * (total - done) / done;
      System.err.printf(
          Locale.ROOT, "%s  %d %%, %.0f s left  %s%n", stage, 100 * done / total, left, note);
    }
  }

  @Override
  public void end(String summary) {
    closeBar();
    if (!quiet) {
      System.err.printf(
          Locale.ROOT, "%-34s %6.1f s  %s%n", stage, (System.nanoTime() - started) * 1e-9, summary);
    }
  }

  @Override
  public boolean stopRequested() {
    return Interrupt.requested();
  }

  /** Ends the bar that an error or a stop left on the screen. */
  static void abandon() {
    if (latest != null) {
      latest.closeBar();
    }
  }

  private void closeBar() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  private static boolean plainTerminal() {
    return !System.getProperty("stdout.encoding", "").toUpperCase(Locale.ROOT).contains("UTF-8");
  }
}
