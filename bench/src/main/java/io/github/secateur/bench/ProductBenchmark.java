package io.github.secateur.bench;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/**
 * y = x · Wᵀ for a pruned W [2048, 2048]: from each sparse layout, and dense; and packing, which
 * happens once a model. W has the pattern of its format: single weights, blocks of four outputs, or
 * 2:4, which is always half.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProductBenchmark extends DeviceState {
  private static final int SIZE = 2048;

  /** Layout, as {@link SparseFormat#parse} knows it. */
  @Param({"csr", "gather", "4x1", "2:4"})
  public String format;

  /** Fraction of zeros. */
  @Param({"0.8", "0.9"})
  public double sparsity;

  /** Activations at once. */
  @Param({"1", "64", "256"})
  public int batch;

  private SparseFormat layout;
  private DeviceTensor weight;
  private DeviceTensor x;
  private DeviceTensor y;
  private SparseOps.PackedWeight packed;
  private Buffer workspace;

  @Override
  void fill() {
    layout = SparseFormat.parse(format);
    Data.Pattern pattern =
        switch (layout) {
          case SparseFormat.Blocks b -> Data.Pattern.BLOCKS_4X1;
          case SparseFormat.NM nm -> Data.Pattern.N2M4;
          default -> Data.Pattern.UNSTRUCTURED;
        };
    Tensor w = pattern.weights(device(), SIZE, sparsity);
    weight = own(w);
    x = own(Data.normal(batch, batch, SIZE));
    y = empty(batch, SIZE);
    packed = device().sparse().pack(weight, false, null, layout);
    later(packed::close);
    workspace = device().allocate(Math.max(1, device().sparse().workspaceBytes(packed, batch)));
    later(workspace::close);
  }

  /** From the sparse layout, packing of activations included. */
  @Benchmark
  public void sparse() {
    device().sparse().matmul(packed, x, Epilogue.NONE, y, workspace);
  }

  /** Zeros multiplied like all others. */
  @Benchmark
  public void dense() {
    device().dense().gemm(DenseOps.Gemm.of(false, true), x, weight, y);
  }

  /** Lays out W. */
  @Benchmark
  public void pack() {
    device().sparse().pack(weight, false, null, layout).close();
  }
}
