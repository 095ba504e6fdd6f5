package io.github.secateur.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C (or SIGTERM) into a request to stop: the work sees {@link #requested}, saves its
 * checkpoint and ends; the JVM waits for it, {@value #GRACE_SECONDS} seconds at most.
 */
final class Interrupt {
  private static final int GRACE_SECONDS = 30;
  private static final CountDownLatch DONE = new CountDownLatch(1);
  private static volatile boolean requested;

  private Interrupt() {}

  /** Watches from now on. */
  static void install() {
    Thread waiter =
        new Thread(
            () -> {
              if (DONE.getCount() == 0) {
                return;
              }
              requested = true;
              try {
                if (!DONE.await(GRACE_SECONDS, TimeUnit.SECONDS)) {
                  System.err.println("secateur: the work did not end in time; stopped without it.");
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "interrupt");
    Runtime.getRuntime().addShutdownHook(waiter);
  }

  /** Whether the user asked to stop. */
  static boolean requested() {
    return requested;
  }

  /** The work is over; the JVM may go. */
  static void done() {
    DONE.countDown();
  }
}
