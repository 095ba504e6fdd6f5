package io.github.secateur.train;

/** Training came to a loss that is no finite number. */
public final class DivergedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  DivergedException(float loss, long step, int epoch, float learningRate) {
    super(
        ("the loss became %s at step %d (epoch %d) with learning rate %s; train with a lower"
                + " learning rate, or look for extreme values in the data")
            .formatted(loss, step, epoch, learningRate));
  }
}
