/**
 * Files in and out: data sets (IDX, NPY), models (ONNX), weights (safetensors).
 *
 * <p>In: files of any origin. Out: {@link io.github.secateur.tensor.Tensor}s, {@link
 * io.github.secateur.graph.Model}s, and files. A file that is not what it should be gives a {@link
 * io.github.secateur.io.FormatException}; sizes that a header claims are checked against the bytes
 * that are there before memory is taken. Everything is written through {@link
 * io.github.secateur.io.AtomicFile}: nothing half-written is left under the final name.
 */
package io.github.secateur.io;
