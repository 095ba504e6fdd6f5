package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Scores single weights. Magnitude ranks the weights themselves by |w|, for every norm (|w|^p has
 * the same order); scores of different layers are compared as they are, without normalisation.
 * Random draws the same scores at every step, so that masks are nested.
 */
interface WeightScorer {
  /** Scores of all layers, with the weights as they are now. */
  WeightScores score();

  /**
   * What scores are made from.
   *
   * @param layers to score
   * @param calibration null where the network cannot be run
   */
  record Source(Site site, List<Layer> layers, Calibration calibration) {
    /** Gradients of all layers' weights; whoever calls closes the source. */
    GradientSource gradients(GradientSource.Options options) {
      return new GradientSource(
          calibration, layers.stream().map(Layer::parameter).toList(), options);
    }

    /** Scores that are 0 or more, a new tensor a layer, each filled by {@code fill}. */
    WeightScores scores(BiConsumer<Layer, DeviceTensor> fill) {
      return scores(PruneOps.Key.ABS, fill);
    }

    /** The same under a key. */
    WeightScores scores(PruneOps.Key key, BiConsumer<Layer, DeviceTensor> fill) {
      List<DeviceTensor> tensors = new ArrayList<>();
      try {
        for (Layer layer : layers) {
          DeviceTensor scores = site.device().empty(DType.F32, layer.shape());
          tensors.add(scores);
          fill.accept(layer, scores);
        }
        return new WeightScores(key, tensors, true);
      } catch (RuntimeException e) {
        tensors.forEach(DeviceTensor::close);
        throw e;
      }
    }

    /**
     * Refuses a criterion that must see the network at work where it cannot.
     *
     * @param name of the criterion
     */
    void requireCalibration(String name) {
      if (calibration == null) {
        throw new IllegalArgumentException(
            name
                + " scores weights by samples of training data, but here there are none; give"
                + " training data, or prune by magnitude");
      }
    }
  }

  /**
   * The scorer of a criterion.
   *
   * @throws IllegalArgumentException when the criterion scores no single weights, or its scores do
   *     not fit, or it needs samples and there are none
   */
  static WeightScorer of(Criterion criterion, Source source) {
    return switch (criterion) {
      case Criterion.Magnitude _ -> () -> weights(source);
      case Criterion.Random(long seed) -> () -> random(source, seed);
      case Criterion.Given given -> {
        source.layers.forEach(layer -> requireScores(given, layer));
        yield () -> given(source, given);
      }
      case Criterion.Activation _ ->
          throw new IllegalArgumentException(
              "an activation criterion scores neurons, not single weights; use the neuron pattern");
      case Criterion.NormScale _ ->
          throw new IllegalArgumentException(
              "the scale of a normalization scores units, not single weights; use the neuron"
                  + " pattern");
      case Criterion.GeometricMedian _ ->
          throw new IllegalArgumentException(
              "the geometric median scores units, not single weights; use the neuron pattern");
      case Criterion.Snip(int samples) -> {
        source.requireCalibration("SNIP");
        yield () -> new GradientScorer(source).snip(samples);
      }
      case Criterion.Taylor(int samples) -> {
        source.requireCalibration("Taylor pruning");
        yield () -> new GradientScorer(source).taylor(samples);
      }
      case Criterion.Fisher(int samples) -> {
        source.requireCalibration("Fisher pruning");
        yield () -> new GradientScorer(source).fisher(samples);
      }
      case Criterion.Grasp(int samples, double temperature) -> {
        source.requireCalibration("GraSP");
        yield () -> new GraspScorer(source, samples, temperature).score();
      }
      case Criterion.Lamp() -> () -> lamp(source);
      case Criterion.SynFlow _ -> {
        if (source.calibration == null) {
          throw new IllegalArgumentException(
              "SynFlow runs the network on a sample of ones, but here the weights are pruned by"
                  + " themselves; make it part of a training run, or prune by magnitude");
        }
        yield () -> new SynFlowScorer(source).score();
      }
      case Criterion.Wanda(int samples) -> {
        source.requireCalibration("Wanda");
        yield () -> new WandaScorer(source, samples).score();
      }
    };
  }

  private static WeightScores weights(Source source) {
    return new WeightScores(
        PruneOps.Key.ABS,
        source.layers.stream().map(layer -> source.site.weight(layer.parameter())).toList(),
        false);
  }

  private static WeightScores lamp(Source source) {
    Device device = source.site.device();
    return source.scores(
        (layer, scores) -> {
          Tensor weights = device.toHost(source.site.weight(layer.parameter()));
          device.upload(Tensor.of(layer.shape(), LampScores.of(layer, weights).toFloats()), scores);
        });
  }

  private static WeightScores random(Source source, long seed) {
    Device device = source.site.device();
    List<DeviceTensor> tensors = new ArrayList<>();
    try (DeviceTensor state = device.toDevice(Tensor.ofLongs(Shape.of(2), seed, 0))) {
      for (Layer layer : source.layers) {
        DeviceTensor scores = device.empty(DType.F32, layer.shape());
        tensors.add(scores);
        device.nn().uniform(state, tensors.size(), scores);
      }
      return new WeightScores(PruneOps.Key.SIGNED, tensors, true);
    } catch (RuntimeException e) {
      tensors.forEach(DeviceTensor::close);
      throw e;
    }
  }

  private static WeightScores given(Source source, Criterion.Given given) {
    List<DeviceTensor> tensors = new ArrayList<>();
    try {
      for (Layer layer : source.layers) {
        tensors.add(source.site.device().toDevice(given.scores().get(layer.parameter())));
      }
      return new WeightScores(PruneOps.Key.SIGNED, tensors, true);
    } catch (RuntimeException e) {
      tensors.forEach(DeviceTensor::close);
      throw e;
    }
  }

  private static void requireScores(Criterion.Given given, Layer layer) {
    Tensor scores = given.scores().get(layer.parameter());
    if (scores == null) {
      throw new IllegalArgumentException(
          "there are no scores for weight '%s' of layer '%s'; give an F32 tensor %s of that name"
              .formatted(layer.parameter(), layer.name(), layer.shape()));
    }
    if (scores.dtype() != DType.F32 || !scores.shape().equals(layer.shape())) {
      throw new IllegalArgumentException(
          "scores of weight '%s' should be F32 %s, got %s"
              .formatted(layer.parameter(), layer.shape(), scores));
    }
  }
}
