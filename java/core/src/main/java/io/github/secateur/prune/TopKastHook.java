package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.List;

/**
 * Top-KAST (Jayakumar et al., arXiv 2106.03517): before every {@code every}-th step the forward set
 * A and the backward set B ⊇ A become the largest latent weights by magnitude. The gradient, dense
 * by the straight-through rule, is cut to B, and the exploration penalty's is added (their eq. 3,
 * with D the density of A):
 *
 * <pre>
 *   g ← B ⊙ g + c ⊙ w,   c = 2λ (A + (B − A) / D)
 * </pre>
 *
 * A weight that leaves B keeps its value, but for what the optimizer's momentum still moves it.
 */
final class TopKastHook implements TrainHook {
  private final List<Layer> layers;
  private final Strategy.TopKast how;
  private final Sets sets;
  private final List<DeviceTensor> factors = new ArrayList<>();
  private final List<DeviceTensor> products = new ArrayList<>();
  private final List<DeviceTensor> constants = new ArrayList<>();
  private LatentSite forward;
  private LatentSite backward;
  private Pruner<?> choosesForward;
  private Pruner<?> choosesBackward;

  /**
   * How the sets are chosen.
   *
   * @param density of the forward set
   */
  record Sets(Pruners forward, Pruners backward, double density) {}

  TopKastHook(List<Layer> layers, Strategy.TopKast how, Sets sets) {
    this.layers = layers;
    this.how = how;
    this.sets = sets;
  }

  @Override
  public String name() {
    return "topkast";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void start(Training training) {
    Device device = training.device();
    forward = new LatentSite(training, LatentWeights.FORWARD);
    backward = new LatentSite(training, LatentWeights.KEPT);
    choosesForward = sets.forward().of(forward, null);
    choosesBackward = sets.backward().of(backward, null);
    if (how.penalty() > 0) {
      double rest = 2 * how.penalty() / Math.max(1e-4, sets.density());
      constants.add(device.toDevice(Tensor.of(Shape.of(), (float) (2 * how.penalty() - rest))));
      constants.add(device.toDevice(Tensor.of(Shape.of(), (float) rest)));
      for (Layer layer : layers) {
        factors.add(device.empty(DType.F32, layer.shape()));
        products.add(device.empty(DType.F32, layer.shape()));
      }
      weighPenalty(training);
    }
  }

  @Override
  public void beforeStep(Training training) {
    if (training.step() % how.every() == 0) {
      forward.lift();
      backward.lift();
      choosesForward.step(0, 1);
      choosesBackward.step(0, 1);
      weighPenalty(training);
    }
  }

  /** c = (2λ − 2λ/D) A + 2λ/D B. */
  private void weighPenalty(Training training) {
    NnOps nn = training.device().nn();
    for (int i = 0; i < factors.size(); i++) {
      String name = layers.get(i).parameter();
      nn.binary(NnOps.Binary.MUL, forward.set(name), constants.get(0), factors.get(i));
      nn.binary(NnOps.Binary.MUL, backward.set(name), constants.get(1), products.get(i));
      nn.binary(NnOps.Binary.ADD, factors.get(i), products.get(i), factors.get(i));
    }
  }

  @Override
  public void afterGradients(Training training) {
    NnOps nn = training.device().nn();
    for (int i = 0; i < layers.size(); i++) {
      String name = layers.get(i).parameter();
      DeviceTensor g = training.gradient(name);
      nn.binary(NnOps.Binary.MUL, g, backward.set(name), g);
      if (!factors.isEmpty()) {
        DeviceTensor product = products.get(i);
        nn.binary(NnOps.Binary.MUL, factors.get(i), training.parameters().get(name), product);
        nn.binary(NnOps.Binary.ADD, g, product, g);
      }
    }
  }

  @Override
  public void finish() {
    if (forward != null) {
      forward.close();
      backward.close();
    }
    List.of(factors, products, constants).forEach(all -> all.forEach(DeviceTensor::close));
    factors.clear();
    products.clear();
    constants.clear();
  }
}
