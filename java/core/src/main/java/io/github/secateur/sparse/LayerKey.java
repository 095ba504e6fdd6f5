package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the time of a layer depends on beside the device: layers of equal keys are measured once.
 *
 * <p>Density, what formats store for a nonzero and how unequal rows are count by bands: 5 %, 10 %
 * and a factor 2 wide, each less than what would turn a decision that was not close.
 */
final class LayerKey {
  private LayerKey() {}

  /**
   * For example {@code 300x784 bias RELU @64 kept 0.0995 skew 1 [csr 4x1*1.10]}.
   *
   * @param rows of the product: activations at once
   * @param formats that are candidates
   * @param types of the model's values; of a convolution the images' size and the window count
   */
  static String of(SparseLayer layer, long rows, List<SparseFormat> formats, ShapeInference types) {
    WeightPattern p = layer.pattern();
    StringBuilder key = new StringBuilder();
    key.append(p.out()).append('x').append(p.in());
    if (layer.transposed()) {
      key.append(" input-major");
    }
    key.append(' ').append(layer.product().opType());
    if (layer.isConvolution()) {
      key.append(types.type(layer.product().input(0)).shape());
      layer.product().attributes().entrySet().stream()
          .filter(e -> !e.getKey().equals("group"))
          .sorted(Map.Entry.comparingByKey())
          .forEach(e -> key.append(' ').append(e.getKey()).append(text(e.getValue())));
    }
    if (!layer.sparse().input(2).isEmpty()) {
      key.append(" bias");
    }
    for (Node node : layer.tail()) {
      key.append(' ').append(Fusion.activation(node).map(Enum::name).orElse(node.opType()));
    }
    key.append(" @").append(rows);
    key.append(" kept ").append(band(1 - p.sparsity(), 1.05));
    key.append(" skew ").append(band(p.skew(), 2));
    return key.append(
            formats.stream().map(f -> format(p, f)).collect(Collectors.joining(" ", " [", "]")))
        .toString();
  }

  private static String text(Attribute attribute) {
    return switch (attribute) {
      case Attribute.Int(long value) -> Long.toString(value);
      case Attribute.Text(String value) -> value;
      case Attribute.Ints(List<Long> values) -> values.toString().replace(" ", "");
      default -> attribute.toString();
    };
  }

  private static String format(WeightPattern pattern, SparseFormat format) {
    boolean single = format instanceof SparseFormat.Rows || format instanceof SparseFormat.Gather;
    return single
        ? format.label()
        : format.label() + "*" + band(ratio(pattern.stored(format), pattern.nonzeros()), 1.1);
  }

  private static double ratio(long stored, long nonzeros) {
    return nonzeros == 0 ? 1 : (double) stored / nonzeros;
  }

  /** The middle of the band that a positive figure falls in; bands are a constant factor wide. */
  private static String band(double value, double width) {
    if (!(value > 0)) {
      return "0";
    }
    double middle = Math.pow(width, Math.rint(Math.log(value) / Math.log(width)));
    return String.format(Locale.ROOT, "%.3g", middle);
  }
}
