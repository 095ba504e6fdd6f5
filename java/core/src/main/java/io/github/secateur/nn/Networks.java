package io.github.secateur.nn;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Builds networks of standard ONNX operators, with initial weights. */
public final class Networks {
  private static final Map<String, List<Integer>> NAMED =
      Map.of(
          "simple-net", List.of(784, 64, 32, 10),
          "lenet-300-100", List.of(784, 300, 100, 10));

  private static final String FORMS =
      "simple-net, lenet-300-100, mlp:SIZES[:ACTIVATION] such as mlp:784-512-256-10:tanh,"
          + " lenet-5-caffe, resnet-DEPTH[:CxHxW] such as resnet-20:3x32x32, or cnn:CxHxW:LAYERS"
          + " such as cnn:1x28x28:c16-m-c32s2b-g-10";

  private static final Pattern CNN = Pattern.compile("cnn:([^:]*):([^:]*)");
  private static final Pattern RESNET = Pattern.compile("resnet-([0-9]{1,4})(?::(.*))?");

  private Networks() {}

  /**
   * The network that a specification names: {@code simple-net} (784-64-32-10), {@code
   * lenet-300-100} (LeCun et al. 1998), {@code mlp:784-512-256-10[:activation]} with ReLU unless
   * given, {@code lenet-5-caffe}, {@code resnet-20[:3x32x32]} for images of 1×28×28 unless given
   * (see {@link Convolutional}), or {@code cnn:1x28x28:c16-m-c32k5s2b-g-10} (see LayerList).
   *
   * @param seed of the initial weights
   * @throws IllegalArgumentException naming what is wrong and the forms that are understood
   */
  public static Model parse(String specification, long seed) {
    if (specification.equals("lenet-5-caffe")) {
      return Convolutional.lenet5(seed);
    }
    Matcher resnet = RESNET.matcher(specification);
    if (resnet.matches()) {
      Image image = resnet.group(2) == null ? Image.GRAY_28 : Image.parse(resnet.group(2));
      return Convolutional.resnet(Integer.parseInt(resnet.group(1)), image, seed);
    }
    Matcher cnn = CNN.matcher(specification);
    if (cnn.matches()) {
      return LayerList.parse(cnn.group(2), Image.parse(cnn.group(1)), seed);
    }
    return mlp(options(specification, seed));
  }

  /** The options that the specification of a multilayer perceptron stands for. */
  public static MlpOptions options(String specification, long seed) {
    List<Integer> named = NAMED.get(specification);
    if (named != null) {
      return MlpOptions.of(named, seed);
    }
    String[] parts = specification.split(":", -1);
    if (!parts[0].equals("mlp") || parts.length < 2 || parts.length > 3) {
      throw new IllegalArgumentException(
          "there is no network '%s'; use %s".formatted(specification, FORMS));
    }
    List<Integer> sizes = new ArrayList<>();
    for (String size : parts[1].split("-", -1)) {
      sizes.add(size(specification, size));
    }
    if (sizes.size() < 2) {
      throw new IllegalArgumentException(
          "network '%s' needs at least two sizes, features and classes; use %s"
              .formatted(specification, FORMS));
    }
    MlpOptions options = MlpOptions.of(sizes, seed);
    return parts.length == 3 ? options.with(Activation.parse(parts[2])) : options;
  }

  private static int size(String specification, String text) {
    try {
      int size = Integer.parseInt(text);
      if (size >= 1) {
        return size;
      }
    } catch (NumberFormatException e) {
      // falls through to the sentence below
    }
    throw new IllegalArgumentException(
        "'%s' in network '%s' is no layer size of 1 or more; use %s"
            .formatted(text, specification, FORMS));
  }

  /**
   * A multilayer perceptron. Input {@code x} [batch, features]; layers {@code fc1}, {@code fc2}, …
   * with {@code fc1.weight} [out, in] and {@code fc1.bias} [out]; outputs {@code logits} and {@code
   * probabilities} [batch, classes].
   */
  public static Model mlp(MlpOptions options) {
    Graph graph = new Graph("mlp");
    Layers builder = new Layers(graph, options.initialization(), options.seed());
    List<Integer> sizes = options.sizes();
    String x = builder.input(sizes.getFirst());
    int layers = sizes.size() - 1;
    for (int layer = 1; layer <= layers; layer++) {
      String name = "fc" + layer;
      String y = layer == layers ? "logits" : name + ".linear";
      builder.linear(name, x, y, sizes.get(layer), sizes.get(layer - 1));
      if (layer < layers) {
        options.activation().append(graph, name, y, name + ".activation");
        x = dropout(graph, options.dropout(), name, name + ".activation");
      }
    }
    return builder.classifier(sizes.getLast());
  }

  private static String dropout(Graph graph, double ratio, String prefix, String x) {
    if (ratio == 0) {
      return x;
    }
    String name = prefix + ".dropout";
    Activation.constant(graph, name + ".ratio", (float) ratio);
    graph.nodes().add(Node.of(name, "Dropout", List.of(x, name + ".ratio"), List.of(name)));
    return name;
  }
}
