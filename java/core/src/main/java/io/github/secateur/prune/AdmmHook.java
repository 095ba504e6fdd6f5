package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ADMM (Zhang et al., arXiv 1804.03294, section 3): training with the penalty ρ/2 · ‖w − z + u‖₂²,
 *
 * <pre>
 *   each step             g ← g + ρ (w − z + u)
 *   every so many epochs  z ← Π(w + u),  u ← w + u − z
 * </pre>
 *
 * Π keeps the largest and sets the rest to 0, exactly as pruning would: the same pattern,
 * allocation, limits and ties. It begins with z = Π(w) and u = 0. Takes three numbers a weight: z,
 * u, and what weights are pulled to, z − u.
 */
final class AdmmHook implements TrainHook {
  private final Stages stages;
  private final Strategy.Admm how;
  private final Strategy.Scored projection;
  private final List<Layer> layers;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final List<AutoCloseable> owned = new ArrayList<>();
  private Map<String, Tensor> saved = Map.of();
  private Device device;
  private DeviceTensor rho;
  private DeviceTensor scratch; // of the largest layer
  private Pruner<?> projector;

  /**
   * What a layer has on the device.
   *
   * @param base what was pruned before ADMM, and stays so
   * @param mask of z
   */
  private record Slot(
      DeviceTensor z, DeviceTensor u, DeviceTensor pull, DeviceMask base, DeviceMask mask) {}

  AdmmHook(Stages stages, Strategy.Admm how, Strategy.Scored projection) {
    this.stages = stages;
    this.how = how;
    this.projection = projection;
    this.layers = stages.layers();
  }

  @Override
  public String name() {
    return "admm";
  }

  @Override
  public void start(Training training) {
    device = training.device();
    rho = own(device.toDevice(Tensor.of(Shape.of(), (float) how.rho())));
    long largest = 0;
    for (Layer layer : layers) {
      String p = layer.parameter();
      slots.put(
          p,
          new Slot(
              own(device.empty(DType.F32, layer.shape())),
              own(device.empty(DType.F32, layer.shape())),
              own(device.empty(DType.F32, layer.shape())),
              own(device.toDevice(Mask.ones(layer.shape()))),
              own(device.toDevice(Mask.ones(layer.shape())))));
      if (training.hasMask(p)) {
        copy(training.mask(p), slots.get(p).base());
      }
      largest = Math.max(largest, layer.size());
    }
    scratch = own(device.empty(DType.F32, Shape.of(largest)));
    projector =
        new Pruners(training.model(), layers, projection, stages.sparsity(), stages.options())
            .of(new Projection(), null);
    if (saved.isEmpty()) {
      slots.values().forEach(s -> device.nn().fill(0, s.u()));
      update(training);
      // The first u is 0, not what the first projection took.
      slots.values().forEach(s -> device.nn().fill(0, s.u()));
    } else {
      slots.forEach(
          (p, s) -> {
            device.upload(saved.get("z/" + p), s.z());
            device.upload(saved.get("u/" + p), s.u());
          });
    }
    pull();
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void afterGradients(Training training) {
    NnOps nn = device.nn();
    slots.forEach(
        (p, s) -> {
          DeviceTensor g = training.gradient(p);
          DeviceTensor part = new DeviceTensor(scratch.buffer(), 0, DType.F32, s.pull().shape());
          nn.binary(NnOps.Binary.SUB, training.parameters().get(p), s.pull(), part);
          nn.binary(NnOps.Binary.MUL, part, rho, part);
          nn.binary(NnOps.Binary.ADD, g, part, g);
        });
  }

  @Override
  public void afterEpoch(Training training) {
    if ((training.epoch() + 1) % how.everyEpochs() == 0) {
      update(training);
      pull();
    }
  }

  /** z ← Π(w + u), u ← w + u − z. */
  private void update(Training training) {
    NnOps nn = device.nn();
    slots.forEach(
        (p, s) -> {
          nn.binary(NnOps.Binary.ADD, training.parameters().get(p), s.u(), s.u());
          long bytes = s.u().size() * Float.BYTES;
          device.copy(s.u().buffer(), s.u().byteOffset(), s.z().buffer(), 0, bytes);
          copy(s.base(), s.mask());
        });
    projector.step(0, 1);
    slots.values().forEach(s -> nn.binary(NnOps.Binary.SUB, s.u(), s.z(), s.u()));
  }

  private void pull() {
    slots.values().forEach(s -> device.nn().binary(NnOps.Binary.SUB, s.z(), s.u(), s.pull()));
  }

  private void copy(DeviceMask from, DeviceMask to) {
    device.copy(from.words(), 0, to.words(), 0, Mask.byteSize(to.shape()));
  }

  private <T extends AutoCloseable> T own(T closeable) {
    owned.add(closeable);
    return closeable;
  }

  /** Where the projection works: on z. */
  private final class Projection implements Site {
    @Override
    public Device device() {
      return device;
    }

    @Override
    public DeviceTensor weight(String parameter) {
      return slots.get(parameter).z();
    }

    @Override
    public DeviceMask mask(String parameter) {
      return slots.get(parameter).mask();
    }
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    slots.forEach(
        (p, s) -> {
          state.put("z/" + p, device.toHost(s.z()));
          state.put("u/" + p, device.toHost(s.u()));
        });
    return state;
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    saved = state;
  }

  @Override
  public void finish() {
    for (AutoCloseable closeable : owned) {
      try {
        closeable.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    owned.clear();
    slots.clear();
  }
}
