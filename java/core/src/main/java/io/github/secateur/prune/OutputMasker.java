package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Prunes the same number of weights in every output of a layer (Wanda, Sun et al., arXiv
 * 2306.11695, section 3): of k weights of a layer with r outputs each loses k / r rounded down, and
 * the first k mod r one more. The rule is that of all selections: what is pruned already counts
 * first, the lowest scores go, of equal scores the lower index is kept.
 *
 * <p>On the host, as outputs may be many and lie across the words of a mask: n floats are
 * downloaded and sorted by output, O(n log(n / r)), and the masks uploaded. So every device masks
 * alike.
 */
record OutputMasker(Masker.Work work) implements Masker {
  @Override
  public void mask(Step step) {
    Device device = work.site().device();
    List<Mask> masks = new ArrayList<>();
    for (int i = 0; i < work.layers().size(); i++) {
      Layer layer = work.layers().get(i);
      Tensor values = device.toHost(step.scores().tensors().get(i));
      long nan = firstNan(values);
      if (nan >= 0) {
        throw work.nan(layer, nan, null);
      }
      Mask mask = device.toHost(work.site().mask(layer.parameter()));
      prune(layer, step.scores().key(), values, mask, step.quotas().k()[i]);
      masks.add(mask);
    }
    for (int i = 0; i < masks.size(); i++) {
      device.upload(
          masks.get(i).words(), work.site().mask(work.layers().get(i).parameter()).words(), 0);
    }
  }

  private static long firstNan(Tensor scores) {
    for (long i = 0; i < scores.size(); i++) {
      if (Float.isNaN(scores.getFloat(i))) {
        return i;
      }
    }
    return -1;
  }

  /** Prunes one layer's mask on the host. */
  static void prune(Layer layer, PruneOps.Key key, Tensor scores, Mask mask, long k) {
    int outputs = Math.toIntExact(layer.units());
    if (outputs == 0) {
      return;
    }
    int inputs = Math.toIntExact(layer.size() / outputs);
    long inner = 1;
    for (int axis = layer.outputAxis() + 1; axis < layer.shape().rank(); axis++) {
      inner *= layer.shape().dim(axis);
    }
    long[] order = new long[inputs];
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        long at = (i / inner * outputs + o) * inner + i % inner;
        long rank = mask.kept(at) ? key(key, scores.getFloat(at)) : Integer.MIN_VALUE;
        order[i] = rank << 32 | (inputs - 1 - i);
      }
      Arrays.sort(order);
      long pruned = k / outputs + (o < k % outputs ? 1 : 0);
      for (int rank = 0; rank < pruned; rank++) {
        int i = inputs - 1 - (int) order[rank];
        mask.set((i / inner * outputs + o) * inner + i % inner, false);
      }
    }
  }

  /** As {@code kernels/common/keys.h} has it: in the order of the scores, −0 equal to +0. */
  private static long key(PruneOps.Key key, float score) {
    int magnitude = Float.floatToRawIntBits(score) & 0x7fffffff;
    return key == PruneOps.Key.SIGNED && score < 0 ? -magnitude : magnitude;
  }
}
