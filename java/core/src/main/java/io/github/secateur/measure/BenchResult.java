package io.github.secateur.measure;

import io.github.secateur.sparse.Spread;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What was measured of a weight matrix at a batch size.
 *
 * @param matrix name of the layer or shape
 * @param pattern where its zeros are
 * @param out rows of W [out, in]
 * @param in columns of W
 * @param nonzeros weights that are not ±0
 * @param sparsity zeros over all weights, 0..1
 * @param batch samples
 * @param columns columns of the activations
 * @param products dense first, then the sparse formats
 */
public record BenchResult(
    String matrix,
    String pattern,
    long out,
    long in,
    long nonzeros,
    double sparsity,
    long batch,
    long columns,
    List<Product> products) {
  /** Copies the list. */
  public BenchResult {
    products = List.copyOf(products);
  }

  /**
   * A way to compute it.
   *
   * @param format label of the format, or {@code dense}
   * @param micros time of one product, microseconds
   * @param bytes least memory traffic: the weights as laid out, activations read and written once
   * @param usefulGflops 2 · nonzeros · columns over the time
   * @param effectiveGflops 2 · out · in · columns over the time: what dense would need to keep up
   * @param intensity operations a byte: those on nonzeros, of the dense product all
   * @param ceilingGflops the most that the device could reach at this intensity
   * @param ofPeak operations over the time and the measured peak: 1 is the limit
   * @param ofBandwidth bytes over the time and the measured read bandwidth; above 1 where the data
   *     stays in caches
   * @param speedup dense over own median time
   */
  public record Product(
      String format,
      Spread micros,
      long bytes,
      double usefulGflops,
      double effectiveGflops,
      double intensity,
      double ceilingGflops,
      double ofPeak,
      double ofBandwidth,
      double speedup) {
    /** GFLOP/s of the operations it performs on weights that matter to it. */
    public double achievedGflops() {
      return dense() ? effectiveGflops : usefulGflops;
    }

    /** Whether it is the dense product. */
    public boolean dense() {
      return format.equals("dense");
    }
  }

  /** Derives the rates of a sample. */
  static BenchResult of(MatrixBench.Sample sample, Roofline roofline) {
    WeightMatrix m = sample.matrix();
    double dense = sample.times().getFirst().micros().median();
    List<Product> products =
        sample.times().stream().map(time -> product(sample, time, dense, roofline)).toList();
    return new BenchResult(
        m.name(),
        m.pattern(),
        m.out(),
        m.in(),
        sample.nonzeros(),
        1 - (double) sample.nonzeros() / (m.out() * m.in()),
        sample.batch(),
        sample.columns(),
        products);
  }

  private static Product product(
      MatrixBench.Sample sample, MatrixBench.Time time, double dense, Roofline roofline) {
    WeightMatrix m = sample.matrix();
    double nanos = 1e3 * time.micros().median();
    double all = 2.0 * m.out() * m.in() * sample.columns();
    double useful = 2.0 * sample.nonzeros() * sample.columns();
    double performed = time.format().equals("dense") ? all : useful;
    long bytes = time.bytes() + 4 * sample.columns() * (m.in() + m.out());
    return new Product(
        time.format(),
        time.micros(),
        bytes,
        useful / nanos,
        all / nanos,
        performed / bytes,
        roofline.ceiling(performed / bytes),
        performed / nanos / roofline.peakGflops(),
        bytes / nanos / roofline.bandwidthGBs(),
        dense / time.micros().median());
  }

  /** The dense product. */
  public Product dense() {
    return products.getFirst();
  }

  /** The fastest sparse product; empty when the device has no format for it. */
  public Optional<Product> best() {
    return products.stream()
        .skip(1)
        .min(Comparator.comparingDouble((Product p) -> p.micros().median()));
  }
}
