package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Coupling;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Sums over samples of a value [batch, ...], kept on the device: F64 [4, elements of a sample].
 * Elements of a unit, such as the places of a channel, are added up on the host at the end, in
 * order, so that no device needs to transpose images.
 */
final class UnitActivations implements AutoCloseable {
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int STATISTICS = 4;

  private final Device device;
  private final long[] dims;
  private final DeviceTensor sums;

  /** Zero sums for values of this shape; the first axis counts samples and may vary. */
  UnitActivations(Device device, Shape shape) {
    this.device = device;
    this.dims = shape.dims();
    this.dims[0] = 1;
    this.sums = device.empty(DType.F64, Shape.of(STATISTICS, Shape.of(dims).size()));
    device.zero(sums.buffer(), 0, sums.buffer().byteSize());
  }

  /** Adds a batch. */
  void add(DeviceTensor value) {
    long elements = Shape.of(dims).size();
    device
        .prune()
        .accumulateActivation(value.view(Shape.of(value.size() / elements, elements)), sums);
  }

  /** The statistic of each unit of a group over all values that it is read from. */
  static float[] scores(
      UnitGroup group,
      Map<String, UnitActivations> read,
      PruneOps.Statistic statistic,
      long samples) {
    Tensor folded = Tensor.zeros(DType.F64, Shape.of(STATISTICS, group.units()));
    long count = 0;
    Device device = null;
    for (Coupling.Slice slice : group.read()) {
      UnitActivations values = read.get(slice.parameter());
      device = values.device;
      count += samples * values.fold(slice, group.units(), folded);
    }
    try (DeviceTensor sums = device.toDevice(folded);
        DeviceTensor scores = device.empty(DType.F32, Shape.of(group.units()))) {
      device.prune().activationScores(statistic, count, sums, scores);
      return device.toHost(scores).toFloats();
    }
  }

  /**
   * Adds the sums of each unit's elements.
   *
   * @return elements a unit and sample
   */
  private long fold(Coupling.Slice slice, int units, Tensor into) {
    Tensor host = device.toHost(sums);
    int axis = dims.length - 1 - slice.axis();
    long inner = 1;
    for (int d = axis + 1; d < dims.length; d++) {
      inner *= dims[d];
    }
    long elements = Shape.of(dims).size();
    long outer = elements / inner / dims[axis];
    for (int statistic = 0; statistic < STATISTICS; statistic++) {
      for (int u = 0; u < units; u++) {
        double sum = into.data().get(F64, 8L * (statistic * units + u));
        for (long o = 0; o < outer; o++) {
          long first = (o * dims[axis] + slice.offset() + u * slice.expansion()) * inner;
          for (long i = first; i < first + slice.expansion() * inner; i++) {
            sum += host.data().get(F64, 8 * (statistic * elements + i));
          }
        }
        into.data().set(F64, 8L * (statistic * units + u), sum);
      }
    }
    return outer * slice.expansion() * inner;
  }

  @Override
  public void close() {
    sums.close();
  }
}
