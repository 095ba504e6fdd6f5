package io.github.secateur.report;

/**
 * Repeated timing of one thing.
 *
 * @param medianMicros median, microseconds a batch
 * @param minMicros shortest, microseconds a batch
 * @param maxMicros longest, microseconds a batch
 * @param samples number of timings
 */
public record Timing(double medianMicros, double minMicros, double maxMicros, int samples) {}
