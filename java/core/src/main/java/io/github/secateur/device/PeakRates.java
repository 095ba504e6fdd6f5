package io.github.secateur.device;

/**
 * What a device can do at most, measured on the spot.
 *
 * @param flops F32 operations a second, a multiply-add counting two: on the CPU multiply-adds in
 *     registers, elsewhere the dense product of the device's library
 * @param readBandwidth bytes a second read from memory past the caches
 */
public record PeakRates(double flops, double readBandwidth) {}
