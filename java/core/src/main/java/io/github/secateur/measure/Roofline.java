package io.github.secateur.measure;

import io.github.secateur.device.Device;
import io.github.secateur.device.PeakRates;

/**
 * The most that a product can reach: min(peak, intensity · bandwidth), intensity being operations a
 * byte of memory. A product whose data stays in caches may stand above the sloping part.
 *
 * <p>Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model",
 * 2009.
 *
 * @param peakGflops F32 operations a nanosecond, a multiply-add counting two
 * @param bandwidthGBs bytes read from memory a nanosecond
 */
public record Roofline(double peakGflops, double bandwidthGBs) {
  /** Measured now. */
  public static Roofline measure(Device device) {
    PeakRates rates = device.measurePeak();
    return new Roofline(rates.flops() / 1e9, rates.readBandwidth() / 1e9);
  }

  /** The better of both, figure by figure: a busy machine makes either too low, never too high. */
  public Roofline max(Roofline other) {
    return new Roofline(
        Math.max(peakGflops, other.peakGflops), Math.max(bandwidthGBs, other.bandwidthGBs));
  }

  /** The ceiling at this intensity, GFLOP/s. */
  public double ceiling(double intensity) {
    return Math.min(peakGflops, intensity * bandwidthGBs);
  }
}
