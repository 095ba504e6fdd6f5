package io.github.secateur.cli;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Ops;
import io.github.secateur.measure.Bench;
import io.github.secateur.measure.MatrixBench;
import io.github.secateur.measure.MatrixSources;
import io.github.secateur.measure.Suite;
import io.github.secateur.measure.WeightMatrix;
import io.github.secateur.measure.WeightMatrix.Layer;
import io.github.secateur.measure.ZeroPattern;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.sparse.Stopwatch;
import io.github.secateur.train.Progress;
import io.github.secateur.train.StoppedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code secateur bench} measures: the matrices of one source, and the batch sizes. */
final class BenchInputs {
  private static final List<Long> BATCHES = List.of(1L, 16L, 64L, 256L);
  private static final List<Double> SPARSITIES = List.of(0.3, 0.5, 0.7, 0.8, 0.9, 0.95);
  private static final List<Double> QUICK_SPARSITIES = List.of(0.5, 0.9);
  private static final Pattern SHAPE = Pattern.compile("(\\d{1,9})x(\\d{1,9})");

  /** Of F32 products, and of those whose dense factors may be rounded to TF32. */
  private static final double TOLERANCE = 1e-4;

  private static final double TF32_TOLERANCE = 5e-3;

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..1",
      description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(
      names = "--shape",
      paramLabel = "OUTxIN",
      split = ",",
      description = "Weight matrices of these shapes, such as 2048x512.")
  List<String> shapes;

  @Option(
      names = "--suite",
      paramLabel = "NAME",
      description = "Built-in shapes: transformer or resnet50, as in the DLMC.")
  Suite suite;

  @Option(
      names = "--smtx",
      paramLabel = "PATH",
      split = ",",
      description = "Sparsity patterns of the DLMC: .smtx files, or folders searched for them.")
  List<Path> smtx;

  @Option(
      names = "--sparsity",
      paramLabel = "S",
      split = ",",
      description = "Fractions of zeros (default: 0.3,0.5,0.7,0.8,0.9,0.95; with --quick 0.5,0.9).")
  List<Double> sparsities;

  @Option(
      names = "--pattern",
      paramLabel = "P",
      split = ",",
      description =
          "Where the zeros are: random (default), skewed (rows and columns of unequal density, as"
              + " magnitude pruning leaves them), RxC blocks such as 4x1, N:M such as 2:4 (which"
              + " fixes the sparsity).")
  List<String> patterns;

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      description =
          "Batch sizes (default: 1,16,64,256; transformer 1,64,256 tokens; resnet50 1,8 images).")
  List<Long> batches;

  @Option(
      names = "--format",
      paramLabel = "F",
      split = ",",
      description =
          "Sparse formats to time: csr, gather, RxC, N:M (default: all that suit the zeros).")
  List<String> formats;

  /** The model, read; null when another source was named. */
  Model model() throws IOException {
    long sources = Stream.of(file, shapes, suite, smtx).filter(Objects::nonNull).count();
    if (sources == 0) {
      throw new UserException(
          "nothing to measure; name a MODEL, --shape OUTxIN, --suite NAME or --smtx PATH.");
    }
    if (sources > 1) {
      throw new UserException("MODEL, --shape, --suite and --smtx exclude each other; name one.");
    }
    if (smtx != null && synthetic()) {
      throw new UserException(
          "--smtx files have zeros of their own; leave out --sparsity, --pattern.");
    }
    return file == null ? null : ModelFiles.read(file);
  }

  /** Whether zeros are made, rather than those of the model or the files taken. */
  private boolean synthetic() {
    return sparsities != null || patterns != null;
  }

  /** Whether the model is measured with the zeros that it has. */
  private boolean wholeModel() {
    return file != null && !synthetic();
  }

  /** Whether the model itself is to be run, beside its layers' products. */
  boolean runs(Model model) {
    return wholeModel() && obstacle(model).isEmpty();
  }

  private static Optional<Node> obstacle(Model model) {
    return model.graph().nodes().stream().filter(node -> Ops.find(node).isEmpty()).findFirst();
  }

  private static String notRun(Model model) {
    return "the network as a whole was not run, as %s cannot be executed by Secateur; its layers were taken as products of one row a sample."
        .formatted(obstacle(model).orElseThrow());
  }

  /** Ends the work when the user asked for it. */
  static void checkStop(Progress progress) {
    if (progress.stopRequested()) {
      throw new StoppedException("stopped; nothing was written.");
    }
  }

  /** Checks everything and says what to measure. */
  Bench.Plan plan(Model model, int repeats, boolean quick, CommonOptions common)
      throws IOException {
    List<SparseFormat> wanted =
        formats == null ? List.of() : formats.stream().map(SparseFormat::parse).toList();
    return new Bench.Plan(
        title(),
        file == null ? null : file.toString(),
        matrices(model, quick, common.seed),
        batchSizes(quick),
        new MatrixBench.Options(
            new Stopwatch.Options(repeats, quick ? 500 : 1000),
            common.tf32 ? TF32_TOLERANCE : TOLERANCE,
            wanted),
        wholeModel() && !runs(model) ? List.of(notRun(model)) : List.of());
  }

  private String title() {
    if (file != null) {
      return ModelFiles.title(file);
    }
    if (suite != null) {
      return suite == Suite.RESNET50 ? "ResNet-50" : "Transformer";
    }
    List<?> named = shapes != null ? shapes : smtx;
    return named.getFirst() + (named.size() > 1 ? " and " + (named.size() - 1) + " more" : "");
  }

  private List<Long> batchSizes(boolean quick) {
    List<Long> usual = suite == null ? BATCHES : suite.batches();
    if (batches == null) {
      return quick ? List.of(usual.getFirst(), usual.getLast()) : usual;
    }
    for (long batch : batches) {
      if (batch < 1) {
        throw new UserException("--batch takes numbers of 1 or more, not " + batch + ".");
      }
    }
    return List.copyOf(new LinkedHashSet<>(batches));
  }

  private List<WeightMatrix> matrices(Model model, boolean quick, long seed) throws IOException {
    if (wholeModel()) {
      double least = Sparsify.Options.defaults().minimalSparsity();
      return MatrixSources.of(model).stream().filter(m -> m.sparsity() >= least).toList();
    }
    if (smtx != null) {
      return smtxMatrices(seed);
    }
    List<Layer> layers =
        model != null ? MatrixSources.layers(model) : suite != null ? suite.layers() : shapes();
    if (layers.isEmpty()) {
      throw new UserException(file + " has no MatMul or Gemm layer with F32 weights to measure.");
    }
    Set<ZeroPattern> wanted = new LinkedHashSet<>();
    for (String label : patterns == null ? List.of("random") : patterns) {
      wanted.add(ZeroPattern.parse(label));
    }
    List<Double> levels = sparsities != null ? sparsities : quick ? QUICK_SPARSITIES : SPARSITIES;
    levels.forEach(WeightMatrix::checkSparsity);
    List<WeightMatrix> matrices = new ArrayList<>();
    for (Layer layer : layers) {
      for (ZeroPattern pattern : wanted) {
        levels.stream()
            .map(pattern::sparsity)
            .distinct()
            .sorted()
            .forEach(level -> matrices.add(WeightMatrix.of(layer, pattern, level, seed)));
      }
    }
    return matrices;
  }

  private List<Layer> shapes() {
    Set<Layer> layers = new LinkedHashSet<>();
    for (String shape : shapes) {
      Matcher m = SHAPE.matcher(shape);
      if (!m.matches()) {
        throw new UserException(
            "--shape %s is no shape; write OUTxIN, such as 2048x512.".formatted(shape));
      }
      layers.add(Layer.of(Long.parseLong(m.group(1)), Long.parseLong(m.group(2))));
    }
    return List.copyOf(layers);
  }

  private List<WeightMatrix> smtxMatrices(long seed) throws IOException {
    List<WeightMatrix> matrices = new ArrayList<>();
    for (Path path : smtx) {
      if (!Files.exists(path)) {
        throw new UserException("--smtx " + path + " does not exist.");
      }
      List<Path> files;
      try (Stream<Path> found = Files.walk(path)) {
        files =
            found
                .filter(f -> f.equals(path) || f.toString().endsWith(".smtx"))
                .filter(Files::isRegularFile)
                .sorted()
                .toList();
      }
      if (files.isEmpty()) {
        throw new UserException("--smtx " + path + ": no .smtx file in this folder.");
      }
      for (Path f : files) {
        matrices.add(MatrixSources.of(f, seed));
      }
    }
    return matrices;
  }
}
