/**
 * Plain data: element types, shapes, host tensors and bit-packed masks.
 *
 * <p>In: arrays and memory segments. Out: immutable descriptions and host memory that every other
 * package passes on. Nothing here computes on devices or reads files.
 */
package io.github.secateur.tensor;
