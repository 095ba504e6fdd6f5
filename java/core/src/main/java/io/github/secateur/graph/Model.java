package io.github.secateur.graph;

import io.github.secateur.tensor.Mask;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A graph with what belongs to it: operator-set versions, metadata, and the masks of pruned
 * weights. The rule that masks stand for: where a mask prunes, the weight is exactly +0, through
 * training, saving and export.
 */
public final class Model {
  /** Operator-set version of models built here. */
  public static final long OPSET = 17;

  /** ONNX IR version of models built here. */
  public static final long IR_VERSION = 8;

  private final Graph graph;
  private long irVersion = IR_VERSION;
  private final Map<String, Long> opsets = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Mask> masks = new LinkedHashMap<>();
  private byte[] unmodelled = {};

  /** A model of a graph in the standard operator set. */
  public Model(Graph graph) {
    this.graph = graph;
    opsets.put("", OPSET);
  }

  /** The graph. */
  public Graph graph() {
    return graph;
  }

  /** ONNX IR version. */
  public long irVersion() {
    return irVersion;
  }

  /** Sets the ONNX IR version. */
  public void setIrVersion(long version) {
    this.irVersion = version;
  }

  /** Operator-set version by domain (empty: standard), modifiable. */
  public Map<String, Long> opsets() {
    return opsets;
  }

  /** Metadata properties, modifiable. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Masks by initializer name, modifiable. */
  public Map<String, Mask> masks() {
    return masks;
  }

  /** Serialized rest of the ONNX ModelProto (producer, functions, ...). */
  public byte[] unmodelled() {
    return unmodelled;
  }

  /** Keeps the rest of a ModelProto. */
  public void setUnmodelled(byte[] rest) {
    this.unmodelled = rest;
  }

  /** A copy with the same graph contents, masks and metadata, that can be changed by itself. */
  public Model copy() {
    return withGraph(graph.copy());
  }

  /** A model with this one's metadata and masks around another graph. */
  public Model withGraph(Graph other) {
    Model m = new Model(other);
    m.irVersion = irVersion;
    m.opsets.clear();
    m.opsets.putAll(opsets);
    m.metadata.putAll(metadata);
    m.masks.putAll(masks);
    m.unmodelled = unmodelled;
    return m;
  }
}
