package io.github.secateur.device.contract;

import io.github.secateur.device.Device;

/** A topic of the contract. */
public interface Contract {
  /** Empty, one, primes, and the sizes round vectors, mask words and work splits. */
  int[] SIZES = {0, 1, 2, 3, 7, 13, 31, 32, 33, 63, 64, 65, 127, 251, 1000, 1009, 100_003};

  /** The device under test, open. */
  Device device();
}
