/**
 * Runs graphs on devices: shape inference over a whole graph, reverse mode, memory planning,
 * execution.
 *
 * <p>In: a graph, input shapes, parameters in device memory. Out: output tensors, and graphs with
 * gradient nodes added.
 */
package io.github.secateur.exec;
