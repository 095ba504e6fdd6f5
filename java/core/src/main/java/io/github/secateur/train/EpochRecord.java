package io.github.secateur.train;

/**
 * One line of a training history.
 *
 * @param epoch from 1
 * @param trainLoss mean loss over the epoch's batches
 * @param validationLoss NaN without validation samples
 * @param validationAccuracy 0..1, NaN without validation samples
 * @param learningRate at the epoch's last step
 * @param sparsity pruned weights over all prunable weights at its end
 * @param seconds wall time, of this process; NaN on a simulated device
 */
public record EpochRecord(
    int epoch,
    double trainLoss,
    double validationLoss,
    double validationAccuracy,
    double learningRate,
    double sparsity,
    double seconds) {}
