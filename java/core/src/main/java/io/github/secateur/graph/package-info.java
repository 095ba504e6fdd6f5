/**
 * The one representation of a model: a graph of ONNX operators, and the operators' rules.
 *
 * <p>In: models from {@code io} and {@code nn}. Out: the same graphs, transformed. A {@link
 * io.github.secateur.graph.Model} holds a {@link io.github.secateur.graph.Graph} of {@link
 * io.github.secateur.graph.Node}s; any operator may stand in it, known or not. {@link
 * io.github.secateur.graph.Op} is what the engine knows of an operator: shapes, gradient,
 * execution.
 */
package io.github.secateur.graph;
