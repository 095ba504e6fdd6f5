/**
 * The benchmark: what pruning buys on a device.
 *
 * <p>In: weight matrices, synthetic ({@link io.github.secateur.measure.ZeroPattern}, {@link
 * io.github.secateur.measure.Suite}), of a model or of files, and batch sizes. Out: times of the
 * dense product and of every sparse format that the device has, and what they say beside the
 * device's measured peak ({@link io.github.secateur.measure.BenchReport}).
 */
package io.github.secateur.measure;
