package io.github.secateur.sparse;

import io.github.secateur.device.CacheFolder;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where measured times are kept between runs, and whether they are used. There is one file for each
 * device as it is set up (processor or GPU, instruction set, threads, libraries and their builds),
 * so that a time is only ever used where it was taken.
 *
 * @param folder made when absent
 * @param use what to do with it
 */
public record TuneCache(Path folder, Use use) {
  /** What to do with times that are kept. */
  public enum Use {
    /** Take times that are there; measure and keep the others. */
    KEEP,
    /** Measure all anew and keep what was measured. */
    RENEW,
    /** Neither read nor write. */
    OFF
  }

  /** Checks that both are there. */
  public TuneCache {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(use, "use");
  }

  /** Kept in {@code tuning} in the folder of {@link CacheFolder#standard}. */
  public static TuneCache standard() {
    return new TuneCache(CacheFolder.standard().resolve("tuning"), Use.KEEP);
  }

  /** The same place, used otherwise. */
  public TuneCache with(Use other) {
    return new TuneCache(folder, other);
  }

  /** No times are kept. */
  public static TuneCache off() {
    return standard().with(Use.OFF);
  }
}
