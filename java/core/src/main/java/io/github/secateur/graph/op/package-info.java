/**
 * The operators that the engine executes, one file each or one for a family that shares its rule.
 *
 * <p>In: node attributes and input types. Out: output types, gradient nodes, kernels on a device.
 * Standard operators follow the ONNX specification; those of the domain {@code secateur} (fused
 * losses, gradients, gates, sparse products) are defined by their class comments.
 */
package io.github.secateur.graph.op;
