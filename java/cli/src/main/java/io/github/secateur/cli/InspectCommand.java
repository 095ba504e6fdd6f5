package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur inspect}. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Shows what is in a model file: operators, prunable weights, sparsity.",
    footer = {"", "Examples:", "  secateur inspect any.onnx", "  secateur inspect any.onnx --json"})
final class InspectCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(names = "--json", description = "Print as JSON.")
  boolean json;

  @Option(
      names = "--recipe",
      description =
          "Print the recipe by which 'secateur prune' made this network, to repeat it by.")
  boolean recipe;

  @Override
  public Integer call() throws Exception {
    Model model = ModelFiles.read(file);
    if (recipe) {
      String yaml = model.metadata().get(PruneCommand.RECIPE);
      if (yaml == null) {
        throw new UserException(
            file + " holds no recipe; 'secateur prune' of this version adds one.");
      }
      System.out.print(yaml);
      return 0;
    }
    List<Prunable> found = Prunables.find(model);
    Map<String, Integer> operators = new TreeMap<>();
    for (Node node : model.graph().nodes()) {
      operators.merge(node.op().toString(), 1, Integer::sum);
    }
    if (json) {
      System.out.println(toJson(model, found, operators).toPrettyString());
      return 0;
    }
    System.out.printf(
        "%s: %s, IR %d, opset %s%n",
        file, Outputs.bytes(Files.size(file)), model.irVersion(), model.opsets());
    System.out.println("operators  " + operators);
    TerminalTable table = TerminalTable.of("layer", "op", "weight", "shape", "zeros", "sparsity");
    long size = 0;
    long zeros = 0;
    for (Prunable p : found) {
      long z = zeros(model, p);
      size += p.shape().size();
      zeros += z;
      table.row(
          p.layer(),
          p.opType(),
          p.parameter(),
          p.shape().toString(),
          Long.toString(z),
          percent(z, p.shape().size()));
    }
    System.out.print(table);
    System.out.printf("%d prunable weights, %s zero%n", size, percent(zeros, size));
    for (Prunables.Left left : Prunables.left(model)) {
      System.out.printf("left: %s %s, %s%n", left.parameter(), left.shape(), left.reason());
    }
    return 0;
  }

  private ObjectNode toJson(Model model, List<Prunable> found, Map<String, Integer> operators) {
    ObjectNode out = JsonNodeFactory.instance.objectNode();
    out.put("file", file.toString()).put("irVersion", model.irVersion());
    out.set("opsets", Outputs.json(model.opsets()));
    out.set("operators", Outputs.json(operators));
    ArrayNode prunable = out.putArray("prunable");
    for (Prunable p : found) {
      prunable
          .addObject()
          .put("layer", p.layer())
          .put("op", p.opType())
          .put("parameter", p.parameter())
          .put("shape", p.shape().toString())
          .put("zeros", zeros(model, p));
    }
    Prunables.left(model).forEach(l -> out.withArray("left").addPOJO(Outputs.json(l)));
    return out;
  }

  private static long zeros(Model model, Prunable p) {
    Tensor weight = ParameterPath.read(model, p.parameter());
    int step = weight.dtype().byteSize();
    long zeros = 0;
    for (long offset = 0; offset < weight.byteSize(); offset += step) {
      zeros += isZero(weight, offset, step) ? 1 : 0;
    }
    return zeros;
  }

  /** Whether a floating-point number of any width is +0 or -0: all bits but the sign are clear. */
  private static boolean isZero(Tensor t, long offset, int bytes) {
    for (int b = 0; b < bytes - 1; b++) {
      if (t.data().get(ValueLayout.JAVA_BYTE, offset + b) != 0) {
        return false;
      }
    }
    return (t.data().get(ValueLayout.JAVA_BYTE, offset + bytes - 1) & 0x7f) == 0;
  }

  private static String percent(long part, long whole) {
    return String.format(Locale.ROOT, "%.2f %%", whole == 0 ? 0 : 100.0 * part / whole);
  }
}
