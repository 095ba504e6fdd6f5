package io.github.secateur.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An operator applied to named values. Immutable.
 *
 * @param name unique within the graph, or empty
 * @param domain operator domain; empty for the standard ONNX domain, {@code secateur} for ours
 * @param opType operator, such as {@code Gemm}
 * @param inputs value names; an empty name is an absent optional input
 * @param outputs value names; an empty name is an absent optional output
 * @param attributes by name, in file order
 * @param unmodelled serialized rest of the ONNX NodeProto, empty when there is none
 */
public record Node(
    String name,
    String domain,
    String opType,
    List<String> inputs,
    List<String> outputs,
    Map<String, Attribute> attributes,
    byte[] unmodelled) {
  private static final byte[] NOTHING = {};

  /** Domain of Secateur's own operators. */
  public static final String SECATEUR = "secateur";

  /** Copies the collections. */
  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
  }

  /** A node of the standard domain without attributes. */
  public static Node of(String name, String opType, List<String> inputs, List<String> outputs) {
    return new Node(name, "", opType, inputs, outputs, Map.of(), NOTHING);
  }

  /** A node of any domain. */
  public static Node of(
      String name,
      OpId op,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes) {
    return new Node(name, op.domain(), op.type(), inputs, outputs, attributes, NOTHING);
  }

  /** The same node with an attribute added or replaced. */
  public Node with(String attribute, Attribute value) {
    Map<String, Attribute> changed = new LinkedHashMap<>(attributes);
    changed.put(attribute, value);
    return new Node(name, domain, opType, inputs, outputs, changed, unmodelled);
  }

  /** The same node with an input replaced. */
  public Node withInput(int index, String value) {
    List<String> changed = new ArrayList<>(inputs);
    changed.set(index, value);
    return new Node(name, domain, opType, changed, outputs, attributes, unmodelled);
  }

  /** Domain and type. */
  public OpId op() {
    return new OpId(domain, opType);
  }

  /** Whether it is this operator of the standard ONNX domain. */
  public boolean is(String standardOpType) {
    return (domain.isEmpty() || domain.equals("ai.onnx")) && opType.equals(standardOpType);
  }

  /** Name of an input, or empty when it is absent. */
  public String input(int index) {
    return index < inputs.size() ? inputs.get(index) : "";
  }

  /** Name of the first output. */
  public String output() {
    return outputs.getFirst();
  }

  /** An INT attribute, or its default. */
  public long intAttribute(String attribute, long otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Attribute.Int a -> a.value();
      default -> throw wrongKind(attribute, "an integer");
    };
  }

  /** A FLOAT attribute, or its default. */
  public float realAttribute(String attribute, float otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Attribute.Real a -> a.value();
      default -> throw wrongKind(attribute, "a float");
    };
  }

  /** A STRING attribute, or its default. */
  public String textAttribute(String attribute, String otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Attribute.Text a -> a.value();
      default -> throw wrongKind(attribute, "a string");
    };
  }

  /** An INTS attribute, or its default. */
  public List<Long> intsAttribute(String attribute, List<Long> otherwise) {
    return switch (attributes.get(attribute)) {
      case null -> otherwise;
      case Attribute.Ints a -> a.values();
      default -> throw wrongKind(attribute, "a list of integers");
    };
  }

  private IllegalArgumentException wrongKind(String attribute, String wanted) {
    return new IllegalArgumentException(
        "attribute '%s' of %s should be %s".formatted(attribute, this, wanted));
  }

  /** For example {@code Gemm 'fc1'}. */
  @Override
  public String toString() {
    return (domain.isEmpty() ? opType : domain + "." + opType)
        + (name.isEmpty() ? " -> " + outputs : " '" + name + "'");
  }
}
