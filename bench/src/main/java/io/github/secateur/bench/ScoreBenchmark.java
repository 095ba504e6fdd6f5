package io.github.secateur.bench;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** Scores, N:M masks and masking of weights [2048, 2048]. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class ScoreBenchmark extends DeviceState {
  private static final int SIZE = 2048;

  private DeviceTensor weights;
  private DeviceTensor gradient;
  private DeviceTensor scores;
  private DeviceTensor unitScores;
  private DeviceMask mask;
  private DeviceMask half;

  @Override
  void fill() {
    weights = own(Data.normal(1, SIZE, SIZE));
    gradient = own(Data.normal(2, SIZE, SIZE));
    scores = empty(SIZE, SIZE);
    unitScores = empty(SIZE);
    mask = own(Mask.ones(Shape.of(SIZE, SIZE)));
    half = own(Mask.ones(Shape.of(SIZE, SIZE)));
    device()
        .prune()
        .select(
            PruneOps.Key.ABS,
            List.of(new PruneOps.Segment(weights, null, half, 0)),
            new long[] {(long) SIZE * SIZE / 2});
  }

  /** |w|. */
  @Benchmark
  public void magnitude() {
    device().prune().scoreMagnitude(PruneOps.Norm.L1, weights, scores);
  }

  /** |w · g|. */
  @Benchmark
  public void taylor() {
    device().prune().scoreGradient(PruneOps.GradientScore.TAYLOR, false, weights, gradient, scores);
  }

  /** Norms of outputs. */
  @Benchmark
  public void rowNorms() {
    device().prune().scoreUnits(PruneOps.Norm.L2, 0, weights, unitScores);
  }

  /** Norms of inputs. */
  @Benchmark
  public void columnNorms() {
    device().prune().scoreUnits(PruneOps.Norm.L2, 1, weights, unitScores);
  }

  /** The two largest of every four. */
  @Benchmark
  public void select2of4() {
    device().prune().selectNM(PruneOps.Key.ABS, new PruneOps.NM(2, 4, 1), weights, null, mask);
  }

  /** The four largest of every sixteen. */
  @Benchmark
  public void select4of16() {
    device().prune().selectNM(PruneOps.Key.ABS, new PruneOps.NM(4, 16, 1), weights, null, mask);
  }

  /** Zeros where half of the weights are pruned. */
  @Benchmark
  public void applyMask() {
    device().prune().applyMask(half, gradient);
  }
}
