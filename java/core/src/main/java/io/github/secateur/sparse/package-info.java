/**
 * Sparse execution: which layers of a pruned model run from a packed sparse layout, and what that
 * buys.
 *
 * <p>In: a pruned model and a device. Out: the same model with some products replaced by sparse
 * ones, each choice with the times it rests on ({@link io.github.secateur.sparse.Sparsify}), the
 * sparsity from which a layer pays ({@link io.github.secateur.sparse.BreakEven}), and the latency
 * of whole models by batch size ({@link io.github.secateur.sparse.Latency}).
 *
 * <p>In reading order: {@code SparseLayer} finds a product and what follows it, {@code
 * WeightPattern} and {@link io.github.secateur.sparse.Candidates} say which formats may suit its
 * weight, {@code Fusion} puts bias and activation into the sparse product, {@code Tuner} times all
 * of them by {@link io.github.secateur.sparse.Stopwatch}, and {@link
 * io.github.secateur.sparse.TuneCache} names the folder where {@code TuneFile} keeps the times.
 */
package io.github.secateur.sparse;
