package io.github.secateur.prune;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.op.StraightThrough;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights that training does not multiply by as they are: before every use of a weight stand nodes
 * that make the effective one, so that the weight itself stays a trained parameter with all its
 * values.
 *
 * <ul>
 *   <li>Masked: w ⊙ M by {@link StraightThrough}, M an F32 tensor of zeros and ones that a hook
 *       writes. Being nodes, they are recorded with the rest of a step.
 *   <li>Shrunk: sign(w) · max(|w| − sigmoid(s), 0) = relu(w − σ(s)) − relu(−w − σ(s)), by ONNX
 *       operators and their gradients, s a trained parameter [1].
 * </ul>
 */
final class LatentWeights {
  /** End of the names of M. */
  static final String FORWARD = ".forward";

  /** End of the names of other tensors that hooks keep in the model, and so in checkpoints. */
  static final String KEPT = ".kept";

  /** End of the names of s. */
  static final String THRESHOLD = ".threshold";

  private LatentWeights() {}

  /**
   * The model with masked weights, each with a tensor M and one more of its shape.
   *
   * @param kept value of the other tensor's elements
   */
  static Model masked(Model model, List<Layer> layers, float kept) {
    Graph graph = model.graph().copy();
    List<Node> nodes = new ArrayList<>();
    Map<String, String> effective = new HashMap<>();
    for (Layer layer : layers) {
      String weight = layer.parameter();
      Mask mask = model.masks().get(weight);
      Tensor ones = full(layer.shape(), 1);
      graph.initializers().put(weight + FORWARD, mask == null ? ones : Masks.apply(mask, ones));
      graph.initializers().put(weight + KEPT, full(layer.shape(), kept));
      effective.put(
          weight, emit(graph, nodes, StraightThrough.ID, "masked", weight, weight + FORWARD));
    }
    return substitute(model, graph, nodes, effective);
  }

  /** Rules that keep hands off the tensors that hooks write; they come before others. */
  static TrainOptions freezing(TrainOptions options) {
    List<TrainOptions.Rule> rules = new ArrayList<>();
    rules.add(new TrainOptions.Rule(FORWARD, 0, false));
    rules.add(new TrainOptions.Rule(KEPT, 0, false));
    rules.addAll(options.rules());
    return options.withRules(rules);
  }

  /** The model with shrunk weights. */
  static Model shrunk(Model model, List<Layer> layers, float firstS) {
    Graph graph = model.graph().copy();
    List<Node> nodes = new ArrayList<>();
    Map<String, String> effective = new HashMap<>();
    OpId relu = OpId.onnx("Relu");
    OpId sub = OpId.onnx("Sub");
    for (Layer layer : layers) {
      String w = layer.parameter();
      graph.initializers().put(w + THRESHOLD, full(Shape.of(1), firstS));
      String t = emit(graph, nodes, OpId.onnx("Sigmoid"), "t", w + THRESHOLD);
      String negated = emit(graph, nodes, OpId.onnx("Neg"), "neg", w);
      String above = emit(graph, nodes, sub, "above", w, t);
      String below = emit(graph, nodes, sub, "below", negated, t);
      String positive = emit(graph, nodes, relu, "positive", above);
      String negative = emit(graph, nodes, relu, "negative", below);
      effective.put(w, emit(graph, nodes, sub, "shrunk", positive, negative));
    }
    return substitute(model, graph, nodes, effective);
  }

  private static Tensor full(Shape shape, float value) {
    float[] values = new float[Math.toIntExact(shape.size())];
    Arrays.fill(values, value);
    return Tensor.of(shape, values);
  }

  private static String emit(
      Graph graph, List<Node> nodes, OpId op, String what, String... inputs) {
    String output = graph.freshName(inputs[0] + "/" + what);
    nodes.add(Node.of(output, op, List.of(inputs), List.of(output), Map.of()));
    return output;
  }

  private static Model substitute(
      Model model, Graph graph, List<Node> nodes, Map<String, String> effective) {
    graph
        .nodes()
        .replaceAll(
            node -> {
              Node changed = node;
              for (int i = 0; i < node.inputs().size(); i++) {
                String to = effective.get(node.input(i));
                changed = to == null ? changed : changed.withInput(i, to);
              }
              return changed;
            });
    graph.nodes().addAll(0, nodes);
    Model latent = model.withGraph(graph);
    latent.opsets().putIfAbsent(Node.SECATEUR, 1L);
    return latent;
  }

  /** The trained model in its original form; its weights are still the latent ones. */
  static Model restored(Model trained, Model original) {
    Graph graph = original.graph().copy();
    graph.initializers().replaceAll((name, old) -> trained.graph().initializer(name));
    Model model = original.withGraph(graph);
    model.masks().clear();
    model.masks().putAll(trained.masks());
    return model;
  }

  /** The trained model in its original form, pruned to the sets M. */
  static Model pruned(Model trained, Model original, List<Layer> layers) {
    Model model = restored(trained, original);
    for (Layer layer : layers) {
      Tensor forward = trained.graph().initializer(layer.parameter() + FORWARD);
      Mask mask = Mask.zeros(layer.shape());
      for (long i = 0; i < mask.size(); i++) {
        mask.set(i, forward.getFloat(i) != 0);
      }
      model.masks().put(layer.parameter(), mask);
      model
          .graph()
          .initializers()
          .computeIfPresent(layer.parameter(), (name, w) -> Masks.apply(mask, w));
    }
    return model;
  }
}
