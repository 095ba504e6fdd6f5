package io.github.secateur.prune;

/**
 * How many weights go, and which of equal ones. The rules of other tools are for comparing with
 * them; a rule other than Secateur's own takes unstructured or N:M masks of single weights, and all
 * but torch's prune each layer by itself, on the host.
 */
public enum MaskRule {
  /** round-half-even(s · n) pruned exactly; among equal scores the lower index is kept. */
  SECATEUR,
  /**
   * {@code torch.nn.utils.prune}: round-half-even(s · n) pruned exactly. Which of equal scores
   * {@code torch.topk} takes is unspecified and changes with k and n; here the lower index is kept.
   */
  TORCH,
  /** TensorFlow Model Optimization: max(round(n (1 − s)), 1) kept, and all that tie with them. */
  TFMOT,
  /**
   * JaxPruner: max(1, round(n (1 − s))) kept exactly, the lower index of equal scores; of N:M
   * groups the higher index, and M must divide the axis.
   */
  JAXPRUNER,
  /** Wanda: int(columns · s) pruned in each output by a stable sort, so the lower index goes. */
  WANDA,
  /**
   * SparseGPT: in each block of 128 inputs all weights whose score is at most the int(n · s)-th of
   * the block's sorted scores.
   */
  SPARSEGPT
}
