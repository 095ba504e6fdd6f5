package io.github.secateur.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** What the simulated driver tells tests: counters, faults on order (native/sim/simulator.h). */
@SuppressWarnings("restricted")
final class Simulator {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final int COUNTERS = 18;

  /** Faults on order. */
  static final int ALLOCATION = 0;

  static final int LAUNCH = 1;
  static final int LOST = 2;

  private Simulator() {}

  /** secateur_sim_counters. */
  record Counters(
      long launches,
      long graphLaunches,
      long kernels,
      long libraryCalls,
      long synchronizations,
      long allocations,
      long uploads,
      long uploadBytes,
      long downloads,
      long downloadBytes,
      long liveBytes,
      long peakBytes) {}

  static Counters counters() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = arena.allocate(LONG, COUNTERS);
      var _ = call("secateur_sim_counters_get", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), c);
      return new Counters(
          c.getAtIndex(LONG, 0),
          c.getAtIndex(LONG, 1),
          c.getAtIndex(LONG, 2),
          c.getAtIndex(LONG, 3),
          c.getAtIndex(LONG, 4),
          c.getAtIndex(LONG, 5),
          c.getAtIndex(LONG, 6),
          c.getAtIndex(LONG, 7),
          c.getAtIndex(LONG, 8),
          c.getAtIndex(LONG, 9),
          c.getAtIndex(LONG, 16),
          c.getAtIndex(LONG, 17));
    }
  }

  static void reset() {
    var _ = call("secateur_sim_counters_reset", FunctionDescriptor.ofVoid());
  }

  /** Lets the nth from now fail; 0 takes an order back. */
  static void fail(int what, long nth) {
    var _ =
        call("secateur_sim_fail", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, LONG), what, nth);
  }

  /** Whether the fault last ordered has come. */
  static boolean met(int what) {
    FunctionDescriptor type = FunctionDescriptor.of(LONG, ValueLayout.JAVA_INT);
    return (long) call("secateur_sim_pending", type, what) == 0;
  }

  /** As if the process had restarted: faults, leaks and orders are forgotten, every handle dies. */
  static void restart() {
    var _ = call("secateur_sim_restart", FunctionDescriptor.ofVoid());
  }

  static void seed(long seed) {
    var _ = call("secateur_sim_seed", FunctionDescriptor.ofVoid(LONG), seed);
  }

  /** What is not destroyed yet, in one sentence; "" if nothing. */
  static String leaks() {
    MemorySegment text =
        (MemorySegment)
            call(
                "secateur_sim_leaks",
                FunctionDescriptor.of(
                    ValueLayout.ADDRESS.withTargetLayout(
                        MemoryLayout.sequenceLayout(1 << 16, ValueLayout.JAVA_BYTE))));
    return text.getString(0);
  }

  private static Object call(String name, FunctionDescriptor type, Object... arguments) {
    SymbolLookup driver = SymbolLookup.libraryLookup("libcuda.so.1", Arena.global());
    MethodHandle handle = Linker.nativeLinker().downcallHandle(driver.findOrThrow(name), type);
    try {
      return handle.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw new AssertionError(name, t);
    }
  }
}
