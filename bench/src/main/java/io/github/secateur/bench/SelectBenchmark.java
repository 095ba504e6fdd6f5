package io.github.secateur.bench;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/** Threshold and mask of one tensor of normal weights, by magnitude. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class SelectBenchmark extends DeviceState {
  /** Logarithm of the number of weights. */
  @Param({"22", "26"})
  public int log2;

  /** Fraction pruned. */
  @Param({"0.5", "0.9"})
  public double sparsity;

  /** Element type. */
  @Param("F32")
  public DType type;

  private List<PruneOps.Segment> segments;
  private long[] pruned;

  @Override
  void fill() {
    Tensor weights = Data.normal(1, 1L << log2);
    DeviceTensor w = own(type == DType.F32 ? weights : Data.as(type, weights));
    DeviceMask mask = own(Mask.ones(Shape.of(1L << log2)));
    segments = List.of(new PruneOps.Segment(w, null, mask, 0));
    pruned = new long[] {Math.round(sparsity * w.shape().size())};
  }

  /** The exact threshold and the mask. */
  @Benchmark
  public List<PruneOps.Selection> select() {
    return device().prune().select(PruneOps.Key.ABS, segments, pruned);
  }
}
