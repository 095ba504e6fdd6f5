package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.OptionalLong;

/** What a decision is measured by: a device and a stopwatch, or a table of times in a test. */
interface Trial {
  /** Whether the device says that it has a format. */
  boolean supports(SparseFormat format);

  /**
   * Bytes that a weight takes packed, or empty when the device cannot pack it so after all.
   *
   * @param transposed whether the weight is stored [in, out]
   */
  OptionalLong pack(Tensor weight, boolean transposed, SparseFormat format);

  /**
   * Bytes that the filters of a convolution take packed, or empty when the device cannot run it
   * sparse.
   *
   * @param images shape of what is convolved, as the node has it
   */
  OptionalLong packFilters(Node convolution, Shape images, Tensor weight);

  /**
   * Times of one run of each model, in order. The first is the one to beat; of the others those
   * that are clearly slower may have fewer samples.
   *
   * @param batch size of open dimensions of the models' inputs
   */
  List<Spread> race(List<Model> models, long batch, int repeats);
}
