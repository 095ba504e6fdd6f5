package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.PruneOps;
import java.util.ArrayList;
import java.util.List;

/** Prunes exactly as many single weights of each group of layers as its quota says. */
record UnstructuredMasker(Masker.Work work) implements Masker {
  @Override
  public void mask(Step step) {
    List<PruneOps.Segment> segments = new ArrayList<>();
    for (int i = 0; i < work.layers().size(); i++) {
      DeviceMask mask = work.site().mask(work.layers().get(i).parameter());
      segments.add(
          new PruneOps.Segment(
              step.scores().tensors().get(i), mask, mask, step.quotas().group()[i]));
    }
    try {
      work.site().device().prune().select(step.scores().key(), segments, step.quotas().k());
    } catch (PruneOps.NanScoreException e) {
      throw work.nan(e);
    }
  }
}
