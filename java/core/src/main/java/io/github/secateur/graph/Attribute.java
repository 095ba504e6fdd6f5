package io.github.secateur.graph;

import io.github.secateur.tensor.Tensor;
import java.util.List;

/**
 * Value of a node's attribute. What has no variant here is kept as it was read, in {@link Opaque}.
 */
public sealed interface Attribute {
  /** An integer (ONNX INT). */
  record Int(long value) implements Attribute {}

  /** A float (ONNX FLOAT). */
  record Real(float value) implements Attribute {}

  /** UTF-8 text (ONNX STRING). */
  record Text(String value) implements Attribute {}

  /** Integers (ONNX INTS). */
  record Ints(List<Long> values) implements Attribute {}

  /** Floats (ONNX FLOATS). */
  record Reals(List<Float> values) implements Attribute {}

  /** Texts (ONNX STRINGS). */
  record Texts(List<String> values) implements Attribute {}

  /** A tensor (ONNX TENSOR). */
  record Data(Tensor value) implements Attribute {}

  /** A subgraph (ONNX GRAPH), as in If and Loop. */
  record Subgraph(Graph value) implements Attribute {}

  /** Anything else: the serialized ONNX AttributeProto. */
  record Opaque(byte[] serialized) implements Attribute {}
}
