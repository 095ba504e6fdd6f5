package io.github.secateur.cuda.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.Pointer;

/**
 * Host scalars of library calls, in memory outside the heap: JCuda copies Java arrays at each call.
 * The libraries read them during the call, so one place serves all calls.
 */
final class Scalars {
  private final MemorySegment memory;
  final Pointer alpha;
  final Pointer beta;

  Scalars(Arena arena) {
    memory = arena.allocate(8, 8);
    alpha = Context.host(alphaAddress());
    beta = Context.host(betaAddress());
  }

  long alphaAddress() {
    return memory.address();
  }

  long betaAddress() {
    return memory.address() + 4;
  }

  void set(float newAlpha, float newBeta) {
    memory.set(ValueLayout.JAVA_FLOAT, 0, newAlpha);
    memory.set(ValueLayout.JAVA_FLOAT, 4, newBeta);
  }
}
