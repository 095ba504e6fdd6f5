package io.github.secateur.exec;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Op;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The weights of masked products, shared by the executables of a training run: which of them are
 * packed now, so that their products run sparse. Kernels ask at every run; packing, unpacking and
 * {@link #fit} replace what they are given, so that work recorded before must be recorded again.
 */
public final class SparseWeights implements AutoCloseable {
  private final Parameters parameters;
  private final Map<String, Weight> weights = new LinkedHashMap<>();
  private Buffer workspace;
  private boolean fits = true;

  /** Nothing is packed yet. */
  public SparseWeights(Parameters parameters) {
    this.parameters = parameters;
  }

  /** One of them, and what its products need. */
  private final class Weight implements Op.SparseWeight {
    private final boolean transposed;
    private final Set<Long> rows = new TreeSet<>();
    private final Set<Use> uses = EnumSet.noneOf(Use.class);
    private SparseOps.PackedWeight packed;

    Weight(boolean transposed) {
      this.transposed = transposed;
    }

    @Override
    public SparseOps.PackedWeight packed() {
      return packed;
    }

    @Override
    public Buffer workspace() {
      return workspace;
    }

    void close() {
      if (packed != null) {
        packed.close();
        packed = null;
      }
    }
  }

  /** The weight as a kernel sees it; see {@link Op.Run#sparseWeight}. */
  Op.SparseWeight use(String parameter, boolean transposed, long rows, Op.SparseWeight.Use use) {
    Weight weight = weights.computeIfAbsent(parameter, name -> new Weight(transposed));
    if (weight.transposed != transposed) {
      throw new IllegalArgumentException(
          "'%s' is multiplied as stored and transposed; only one of them can be masked"
              .formatted(parameter));
    }
    weight.uses.add(use);
    fits &= !weight.rows.add(rows);
    return weight;
  }

  private Device device() {
    return parameters.device();
  }

  /** Parameters that may be packed. */
  public Set<String> names() {
    return weights.keySet();
  }

  /** Whether a weight is stored input-major. */
  public boolean isTransposed(String name) {
    return weights.get(name).transposed;
  }

  /** The most activations that a product with this weight takes. */
  public long rows(String name) {
    return weights.get(name).rows.stream().mapToLong(Long::longValue).max().orElse(0);
  }

  /** Whether the gradient of the products' activations is asked for. */
  public boolean hasInputGradient(String name) {
    return weights.get(name).uses.contains(Op.SparseWeight.Use.INPUT_GRADIENT);
  }

  /** Whether its products run sparse now. */
  public boolean isPacked(String name) {
    return weights.get(name).packed != null;
  }

  /** Packs a weight, or packs it anew, under its mask. {@link #fit} must follow. */
  public void pack(String name, DeviceMask mask) {
    Weight weight = weights.get(name);
    weight.close();
    weight.packed = device().sparse().packTrainable(parameters.get(name), weight.transposed, mask);
    fits = false;
  }

  /** Lets products with a weight run dense. */
  public void unpack(String name) {
    weights.get(name).close();
  }

  /** Whether nothing was packed and no executable was added since {@link #fit}. */
  public boolean fits() {
    return fits;
  }

  /** Makes the workspace large enough for the weights packed now in all executables. */
  public void fit() {
    long needed = neededBytes();
    if (workspace == null || workspace.byteSize() < needed) {
      if (workspace != null) {
        workspace.close();
        workspace = null;
      }
      workspace = device().allocate(needed);
    }
    fits = true;
  }

  private long neededBytes() {
    long bytes = 0;
    for (Weight weight : weights.values()) {
      for (long rows : weight.rows) {
        if (weight.packed != null) {
          bytes = Math.max(bytes, device().sparse().workspaceBytes(weight.packed, rows));
        }
      }
    }
    return bytes;
  }

  /** Takes the current values of all packed weights; enqueued, and may be recorded. */
  public void refresh() {
    weights.forEach(
        (name, weight) -> {
          if (weight.packed != null) {
            device().sparse().refresh(weight.packed, parameters.get(name));
          }
        });
  }

  @Override
  public void close() {
    weights.values().forEach(Weight::close);
    if (workspace != null) {
      workspace.close();
      workspace = null;
    }
  }
}
