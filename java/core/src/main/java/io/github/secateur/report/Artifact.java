package io.github.secateur.report;

import java.util.Objects;

/**
 * A file that a command wrote.
 *
 * @param path as to be shown
 * @param description what it holds
 * @param bytes its size, or null
 */
public record Artifact(String path, String description, Long bytes) {
  /** Checks that there is a path. */
  public Artifact {
    Objects.requireNonNull(path, "path");
  }
}
