package io.github.secateur.train;

/** Work ended early because the user asked for it; a checkpoint, where one was wanted, is saved. */
public final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what was saved. */
  public StoppedException(String message) {
    super(message);
  }
}
