package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Times from a table by format, {@code dense} being one too; a model's are those of its layers. */
final class Table implements Trial {
  private final Map<String, Double> micros;
  private final List<String> absent;

  /** What was raced: the formats of each model of each race. */
  final List<List<List<String>>> races = new ArrayList<>();

  /** Added to a model of several layers where any of them is sparse. */
  double surcharge;

  /** Formats that stop early. */
  List<String> stopped = List.of();

  /**
   * A device.
   *
   * @param absent formats that it says to have and then has not
   */
  Table(Map<String, Double> micros, String... absent) {
    this.micros = micros;
    this.absent = List.of(absent);
  }

  @Override
  public boolean supports(SparseFormat format) {
    return micros.containsKey(format.label());
  }

  @Override
  public OptionalLong pack(Tensor weight, boolean transposed, SparseFormat format) {
    return absent.contains(format.label()) ? OptionalLong.empty() : OptionalLong.of(17);
  }

  @Override
  public OptionalLong packFilters(Node convolution, Shape images, Tensor weight) {
    return absent.contains("csr") ? OptionalLong.empty() : OptionalLong.of(17);
  }

  @Override
  public List<Spread> race(List<Model> models, long batch, int repeats) {
    List<List<String>> formats = models.stream().map(Table::formats).toList();
    races.add(formats);
    return formats.stream().map(this::time).toList();
  }

  private Spread time(List<String> layers) {
    double time = layers.stream().mapToDouble(micros::get).sum();
    boolean mixed = layers.size() > 1 && layers.stream().anyMatch(f -> !f.equals("dense"));
    time += mixed ? surcharge : 0;
    int repeats = layers.size() == 1 && stopped.contains(layers.getFirst()) ? 2 : 9;
    return new Spread(time, 0.99 * time, 1.01 * time, repeats);
  }

  /** Formats of the products of a model, in order. */
  static List<String> formats(Model model) {
    List<String> formats = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      if (node.op().equals(SparseGemm.ID)) {
        formats.add(node.textAttribute("format", "csr"));
      } else if (node.is("Gemm") || node.is("MatMul")) {
        formats.add("dense");
      }
    }
    return formats;
  }
}
