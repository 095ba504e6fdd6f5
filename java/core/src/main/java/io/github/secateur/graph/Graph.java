package io.github.secateur.graph;

import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A graph of ONNX operators: nodes in topological order over named values. Mutable; passes copy
 * first ({@link #copy}) and return the copy. Tensors are shared by copies and must not be written
 * in place.
 */
public final class Graph {
  private final String name;
  private final List<ValueInfo> inputs = new ArrayList<>();
  private final List<ValueInfo> outputs = new ArrayList<>();
  private final List<ValueInfo> values = new ArrayList<>();
  private final Map<String, Tensor> initializers = new LinkedHashMap<>();
  private final List<Node> nodes = new ArrayList<>();
  private byte[] unmodelled = {};

  /** An empty graph. */
  public Graph(String name) {
    this.name = name;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Declared inputs, modifiable. Old files also list initializers here. */
  public List<ValueInfo> inputs() {
    return inputs;
  }

  /** Inputs that are not initializers: what a run must be given. */
  public List<ValueInfo> requiredInputs() {
    return inputs.stream().filter(i -> !initializers.containsKey(i.name())).toList();
  }

  /** Declared outputs, modifiable. */
  public List<ValueInfo> outputs() {
    return outputs;
  }

  /** Declared types of inner values, modifiable; may be incomplete. */
  public List<ValueInfo> values() {
    return values;
  }

  /** Weights and constants by name, modifiable, in file order. */
  public Map<String, Tensor> initializers() {
    return initializers;
  }

  /** Nodes in topological order, modifiable. */
  public List<Node> nodes() {
    return nodes;
  }

  /**
   * Serialized rest of the ONNX GraphProto, such as initializers of types that Tensor does not
   * hold.
   */
  public byte[] unmodelled() {
    return unmodelled;
  }

  /** Keeps the rest of a GraphProto. */
  public void setUnmodelled(byte[] rest) {
    this.unmodelled = rest;
  }

  /** The node that makes a value. */
  public Optional<Node> producer(String value) {
    return nodes.stream().filter(n -> n.outputs().contains(value)).findFirst();
  }

  /** The nodes that read a value directly (subgraphs not searched), in order. */
  public List<Node> consumers(String value) {
    return nodes.stream().filter(n -> n.inputs().contains(value)).toList();
  }

  /** The node of this name. */
  public Optional<Node> node(String nodeName) {
    return nodes.stream().filter(n -> n.name().equals(nodeName)).findFirst();
  }

  /**
   * The weights and constants by this name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Tensor initializer(String value) {
    Tensor t = initializers.get(value);
    if (t == null) {
      throw new IllegalArgumentException(
          "graph '%s' has no initializer '%s'".formatted(name, value));
    }
    return t;
  }

  /** Puts a node in the place of another. */
  public void replace(Node old, Node replacement) {
    nodes.set(nodes.indexOf(old), replacement);
  }

  /** A value name that is not used yet: {@code prefix}, or with a number appended. */
  public String freshName(String prefix) {
    String candidate = prefix;
    for (int i = 1; uses(candidate); i++) {
      candidate = prefix + "_" + i;
    }
    return candidate;
  }

  private boolean uses(String value) {
    return initializers.containsKey(value)
        || inputs.stream().anyMatch(i -> i.name().equals(value))
        || nodes.stream().anyMatch(n -> n.outputs().contains(value) || n.name().equals(value));
  }

  /** A copy whose lists and maps can be changed; nodes and tensors are shared. */
  public Graph copy() {
    Graph g = new Graph(name);
    g.inputs.addAll(inputs);
    g.outputs.addAll(outputs);
    g.values.addAll(values);
    g.initializers.putAll(initializers);
    g.nodes.addAll(nodes);
    g.unmodelled = unmodelled;
    return g;
  }
}
