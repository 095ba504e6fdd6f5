/**
 * Builders of networks: graphs of standard ONNX operators with initial weights, and the losses that
 * turn a network into a graph to train.
 *
 * <p>In: a specification and a seed. Out: a {@link io.github.secateur.graph.Model}.
 */
package io.github.secateur.nn;
