package io.github.secateur.device.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

class ProcessorTest {
  private static final Set<String> AVX512 =
      Set.of("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl");
  private static final Set<String> AVX2 = Set.of("avx", "avx2", "fma");

  @Test
  void tellsWhenTheEnvironmentHoldsOpenBlasBack() {
    assertTrue(Processor.isHeldBack("Haswell", "Haswell", AVX512));
    assertTrue(Processor.isHeldBack("Sandybridge", "Sandybridge", AVX2));
    assertTrue(Processor.isHeldBack("Nehalem", "Nehalem", Set.of("avx")));
    assertFalse(Processor.isHeldBack("SkylakeX", "SkylakeX", AVX512));
    assertFalse(Processor.isHeldBack("Haswell", "Zen", AVX2));
    assertFalse(Processor.isHeldBack(null, "Haswell", AVX512), "its own choice");
    assertFalse(Processor.isHeldBack("", "Haswell", AVX512), "its own choice");
  }

  @Test
  void readsTheModel() {
    assertFalse(Processor.model().isBlank());
    assertFalse(Processor.flags().isEmpty());
  }
}
