/**
 * The training loop: optimizers, learning-rate schedules, batches, metrics, checkpoints.
 *
 * <p>In: a model, samples, options, a device. Out: the trained model, its history, a resumable
 * checkpoint. Pruning takes part through {@link io.github.secateur.train.TrainHook}s.
 */
package io.github.secateur.train;
