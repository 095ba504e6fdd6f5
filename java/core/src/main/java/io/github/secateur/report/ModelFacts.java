package io.github.secateur.report;

import java.util.List;

/**
 * What a network is.
 *
 * @param name such as {@code lenet-300-100} or a file's name
 * @param layers one line a layer, such as {@code fc1 Gemm [784, 300]}
 * @param parameters number of trained numbers, biases included
 * @param prunableWeights number of weights that sparsity counts over
 */
public record ModelFacts(String name, List<String> layers, long parameters, long prunableWeights) {
  /** Copies the list. */
  public ModelFacts {
    layers = Lists.copy(layers);
  }
}
