package io.github.secateur.prune;

import io.github.secateur.tensor.Mask;
import java.util.Map;

/** What is removed together. */
public sealed interface Pattern {
  /** Single weights. */
  record Unstructured() implements Pattern {}

  /** Whole neurons: incoming weights, bias and outgoing weights. */
  record Neuron() implements Pattern {}

  /** Masks made elsewhere, by parameter name. */
  record Given(Map<String, Mask> masks) implements Pattern {}
}
