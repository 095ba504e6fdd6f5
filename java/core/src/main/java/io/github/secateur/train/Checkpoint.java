package io.github.secateur.train;

import io.github.secateur.graph.Model;
import java.io.IOException;
import java.nio.file.Path;

/** A training run at rest: all that is needed to go on bit for bit. */
public final class Checkpoint {
  private Checkpoint() {}

  /**
   * Reads a checkpoint.
   *
   * @throws IOException naming the file when it is missing, truncated or damaged
   */
  public static Checkpoint read(Path file) throws IOException {
    throw new IOException("being written " + file);
  }

  /** The model that the run started from. */
  public Model initialModel() {
    throw new IllegalStateException("being written");
  }

  /** The model with the weights and masks of the checkpoint. */
  public Model model() {
    throw new IllegalStateException("being written");
  }

  /** Steps done. */
  public long step() {
    throw new IllegalStateException("being written");
  }

  /** Whether the run is over. */
  public boolean finished() {
    throw new IllegalStateException("being written");
  }

  /** SHA-256 over names, types, shapes and bytes of a model's initializers and masks, hex. */
  public static String weightsHash(Model model) {
    throw new IllegalStateException("being written");
  }
}
