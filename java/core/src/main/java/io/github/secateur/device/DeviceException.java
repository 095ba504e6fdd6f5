package io.github.secateur.device;

/** A device operation failed: names the operation, the status and the shapes or geometry. */
public class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String operation;
  private final String sentence;
  private final Status status;

  /** What kind of failure it was; the statuses of the C ABI. */
  public enum Status {
    INVALID_ARGUMENT,
    OUT_OF_MEMORY,
    NAN_SCORE,
    UNAVAILABLE,
    DEVICE_LOST,
    INTERNAL
  }

  /** Builds the sentence {@code operation: message}. */
  public DeviceException(String operation, Status status, String message) {
    super(operation + ": " + message);
    this.operation = operation;
    this.sentence = message;
    this.status = status;
  }

  /** The operation that failed. */
  public String operation() {
    return operation;
  }

  /** The message without the operation. */
  public String sentence() {
    return sentence;
  }

  /** The kind of failure. */
  public Status status() {
    return status;
  }
}
