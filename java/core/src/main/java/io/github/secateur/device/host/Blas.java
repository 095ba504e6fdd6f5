package io.github.secateur.device.host;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import io.github.secateur.device.abi.AbiDevice;
import io.github.secateur.device.abi.NativeLibraries;
import java.nio.file.Path;
import java.util.Map;

/**
 * The BLAS library behind dense products. Without one the device still scores, masks and counts, so
 * its absence is an error of the first product, not of opening the device.
 *
 * @param path its file, or null
 * @param failure the sentence that says why there is none, or null
 */
record Blas(Path path, String failure) {
  /** The one of this process, loaded when first asked for. */
  static Blas get() {
    return Loaded.BLAS;
  }

  private static final class Loaded {
    static final Blas BLAS = load();
  }

  private static Blas load() {
    try {
      Path path = NativeLibraries.blas();
      AbiDevice.loadBlas(path);
      return new Blas(path, null);
    } catch (DeviceException e) {
      return new Blas(null, e.getMessage());
    }
  }

  /** Throws the sentence when there is none. */
  void require(String operation) {
    if (failure != null) {
      throw new DeviceException(operation, Status.UNAVAILABLE, failure);
    }
  }

  /** Adds version, core and path to a device's facts. */
  void describe(Map<String, String> details) {
    if (failure != null) {
      details.put("blas", "none (" + failure + ")");
      return;
    }
    String core = AbiDevice.blasCore();
    boolean heldBack =
        Processor.isHeldBack(System.getenv("OPENBLAS_CORETYPE"), core, Processor.flags());
    details.put("blas", AbiDevice.blasConfig());
    details.put("blas-core", core);
    details.put("blas-held-back", heldBack ? "yes" : "no");
    details.put("blas-library", path.toString());
  }
}
