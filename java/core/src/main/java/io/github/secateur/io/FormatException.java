package io.github.secateur.io;

import java.io.IOException;

/**
 * A file is not what it should be. The message is one sentence naming file, offset or line, what
 * was expected and what was found.
 */
public final class FormatException extends IOException {
  private final String file;
  private final long offset;

  /**
   * @param file the file, as the user would name it
   * @param offset byte offset of the trouble, or -1 when it has none
   * @param expected what should have stood there
   * @param found what stood there
   */
  public FormatException(String file, long offset, String expected, String found) {
    this(file, offset, offset < 0 ? "" : ", byte " + offset, expected, found);
  }

  private FormatException(String file, long offset, String where, String expected, String found) {
    super("%s%s: expected %s, found %s".formatted(file, where, expected, found));
    this.file = file;
    this.offset = offset;
  }

  /**
   * For text: names a line instead of a byte.
   *
   * @param line 1 for the first
   */
  static FormatException atLine(String file, int line, String expected, String found) {
    return new FormatException(file, -1, ", line " + line, expected, found);
  }

  FormatException(String file, long offset, String expected, String found, Throwable cause) {
    this(file, offset, expected, found);
    initCause(cause);
  }

  /** The file. */
  public String file() {
    return file;
  }

  /** Byte offset of the trouble, or -1. */
  public long offset() {
    return offset;
  }
}
