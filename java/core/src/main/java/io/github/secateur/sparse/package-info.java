/**
 * Sparse execution: which layers of a pruned model run from a packed sparse layout, and what that
 * buys.
 *
 * <p>In: a pruned model and a device. Out: the same model with some products replaced by sparse
 * ones, each choice with the two times it rests on ({@link io.github.secateur.sparse.Sparsify}),
 * and the latency of whole models by batch size ({@link io.github.secateur.sparse.Latency}).
 */
package io.github.secateur.sparse;
