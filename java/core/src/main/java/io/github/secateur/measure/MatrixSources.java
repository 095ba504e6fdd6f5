package io.github.secateur.measure;

import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.io.SmtxReader;
import io.github.secateur.measure.WeightMatrix.Layer;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Weight matrices of real networks: of a model's layers, and of pattern files. */
public final class MatrixSources {
  private MatrixSources() {}

  /** The F32 weight matrices of a model's MatMul and Gemm layers, with their zeros. */
  public static List<WeightMatrix> of(Model model) {
    List<WeightMatrix> matrices = new ArrayList<>();
    for (Prunable p : Prunables.find(model)) {
      if (p.shape().rank() == 2 && p.dtype() == DType.F32 && p.size() > 0) {
        Tensor stored = ParameterPath.read(model, p.parameter());
        Tensor weight = p.outAxis() == 0 ? stored : transpose(stored);
        matrices.add(
            new WeightMatrix(
                p.layer(),
                "pruned",
                weight.shape().dim(0),
                weight.shape().dim(1),
                1 - (double) MatrixBench.nonzeros(weight) / p.size(),
                1,
                () -> weight));
      }
    }
    return matrices;
  }

  /** The shapes of a model's layers, each once, whatever their zeros. */
  public static List<Layer> layers(Model model) {
    Map<List<Long>, List<String>> names = new LinkedHashMap<>();
    for (WeightMatrix m : of(model)) {
      names.computeIfAbsent(List.of(m.out(), m.in()), shape -> new ArrayList<>()).add(m.name());
    }
    List<Layer> layers = new ArrayList<>();
    names.forEach(
        (shape, alike) -> {
          Layer layer = Layer.of(shape.getFirst(), shape.getLast());
          String name =
              alike.size() == 1
                  ? alike.getFirst()
                  : "%s, %d layers".formatted(layer.name(), alike.size());
          layers.add(new Layer(name, layer.out(), layer.in(), 1));
        });
    return layers;
  }

  /**
   * The pattern of a file with random weights. The name is the file's; the folders that the
   * collection puts it in, {@code method/sparsity/}, give the pattern's name, so that the
   * sparsities of a layer are one curve.
   *
   * @throws IOException when the file cannot be read or is no {@code .smtx}
   */
  public static WeightMatrix of(Path smtx, long seed) throws IOException {
    SmtxReader.Pattern read = SmtxReader.read(smtx);
    long size = read.shape().size();
    if (size == 0) {
      throw new IllegalArgumentException(smtx + ": a matrix without elements; leave it out");
    }
    return new WeightMatrix(
        smtx.getFileName().toString().replaceFirst("\\.smtx$", ""),
        method(smtx.toAbsolutePath()),
        read.shape().dim(0),
        read.shape().dim(1),
        1 - (double) read.nonzeros() / size,
        1,
        () -> weights(SmtxReader.read(smtx), seed));
  }

  private static String method(Path smtx) {
    Path folder = smtx.getParent();
    boolean sparsity =
        folder != null
            && folder.getFileName() != null
            && folder.getFileName().toString().matches("0?\\.\\d+");
    Path method = sparsity ? folder.getParent() : null;
    return method == null || method.getFileName() == null
        ? "smtx"
        : method.getFileName().toString().replaceFirst("_pruning$", "");
  }

  private static Tensor weights(SmtxReader.Pattern pattern, long seed) {
    int columns = (int) pattern.shape().dim(1);
    boolean[] kept = new boolean[Math.toIntExact(pattern.shape().size())];
    for (int row = 0; row + 1 < pattern.offsets().length; row++) {
      for (int i = pattern.offsets()[row]; i < pattern.offsets()[row + 1]; i++) {
        kept[row * columns + pattern.columns()[i]] = true;
      }
    }
    return ZeroPattern.values(pattern.shape(), kept, new SplittableRandom(seed));
  }

  private static Tensor transpose(Tensor stored) {
    long in = stored.shape().dim(0);
    long out = stored.shape().dim(1);
    Tensor weight = Tensor.zeros(DType.F32, Shape.of(out, in));
    for (long i = 0; i < in; i++) {
      for (long o = 0; o < out; o++) {
        weight.setFloat(o * in + i, stored.getFloat(i * out + o));
      }
    }
    return weight;
  }
}
