package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.PruneOps.GradientScore;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Map;

/**
 * Scores from the weights and their gradients g over calibration samples, all on the device:
 *
 * <ul>
 *   <li>SNIP |w · ḡ|, ḡ the gradient of the mean loss over all samples, batch normalization by the
 *       statistics of each batch, as where the method starts from an untrained network;
 *   <li>Taylor Σ_b share_b · |w · g_b|;
 *   <li>Fisher ½ · w² · Σ_b share_b · g_b².
 * </ul>
 *
 * g_b is the gradient of the mean loss of batch b, share_b its share of the samples ({@link
 * GradientSource}). The last two leave batch normalization as in evaluation.
 */
record GradientScorer(WeightScorer.Source source) {
  WeightScores snip(int samples) {
    GradientSource.Options options = GradientSource.Options.of(samples).shared().training();
    try (GradientSource gradients = source.gradients(options)) {
      Map<String, DeviceTensor> mean = gradients.sum();
      try {
        return source.scores(
            (layer, scores) ->
                prune()
                    .scoreGradient(
                        GradientScore.TAYLOR,
                        false,
                        source.site().weight(layer.parameter()),
                        mean.get(layer.parameter()),
                        scores));
      } finally {
        mean.values().forEach(DeviceTensor::close);
      }
    }
  }

  WeightScores taylor(int samples) {
    return accumulated(GradientScore.TAYLOR, GradientSource.Options.of(samples).shared());
  }

  WeightScores fisher(int samples) {
    WeightScores squares =
        accumulated(
            GradientScore.FISHER, GradientSource.Options.of(samples).times(StrictMath::sqrt));
    NnOps nn = device().nn();
    try (DeviceTensor half = device().toDevice(Tensor.of(Shape.of(), 0.5f))) {
      for (int i = 0; i < source.layers().size(); i++) {
        DeviceTensor w = source.site().weight(source.layers().get(i).parameter());
        DeviceTensor scores = squares.tensors().get(i);
        nn.binary(NnOps.Binary.MUL, scores, w, scores);
        nn.binary(NnOps.Binary.MUL, scores, w, scores);
        nn.binary(NnOps.Binary.MUL, scores, half, scores);
      }
      return squares;
    } catch (RuntimeException e) {
      squares.close();
      throw e;
    }
  }

  /** Σ over the batches of a score of the weights and the batch's gradients. */
  private WeightScores accumulated(GradientScore kind, GradientSource.Options options) {
    WeightScores sums =
        source.scores(
            (layer, scores) -> device().zero(scores.buffer(), 0, scores.buffer().byteSize()));
    try (GradientSource gradients = source.gradients(options)) {
      gradients.forEach(
          batch -> {
            for (int i = 0; i < source.layers().size(); i++) {
              String name = source.layers().get(i).parameter();
              prune()
                  .scoreGradient(
                      kind,
                      true,
                      source.site().weight(name),
                      batch.gradient(name),
                      sums.tensors().get(i));
            }
          });
      return sums;
    } catch (RuntimeException e) {
      sums.close();
      throw e;
    }
  }

  private Device device() {
    return source.site().device();
  }

  private PruneOps prune() {
    return device().prune();
  }
}
