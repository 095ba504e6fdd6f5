package io.github.secateur.cli;

/**
 * Something the user can put right; the message is one sentence saying what, where and the cure.
 */
final class UserException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UserException(String message) {
    super(message);
  }
}
