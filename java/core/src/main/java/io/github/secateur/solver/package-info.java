/**
 * Layer-wise pruning with weight update, as mathematics on host matrices: no graph, no device.
 *
 * <p>In: the weights W [outputs, inputs] of a layer, which of them live, and the {@link
 * io.github.secateur.solver.Hessian} X Xᵀ of its inputs ({@link
 * io.github.secateur.solver.LayerProblem}); what is to go ({@link
 * io.github.secateur.solver.Target}). Out: masks and weights Ŵ that keep ‖W X − Ŵ X‖² small, by
 * {@link io.github.secateur.solver.SparseGpt} or {@link io.github.secateur.solver.Obc}. Everything
 * is double; rows are worked on in parallel, and no result depends on how many at once.
 */
package io.github.secateur.solver;
