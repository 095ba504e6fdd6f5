/**
 * Pruning: what to score, what to remove together, how much from which layer, and when.
 *
 * <p>In: a model (and samples, for criteria that look at activations). Out: masks, and the model
 * fine-tuned under them. Four axes, each a sealed interface: {@link
 * io.github.secateur.prune.Criterion}, {@link io.github.secateur.prune.Pattern}, {@link
 * io.github.secateur.prune.Allocation}, {@link io.github.secateur.prune.Schedule}. Methods that
 * learn what to remove stand beside them in {@link io.github.secateur.prune.Strategy}.
 */
package io.github.secateur.prune;
