package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.exec.MemoryPlan.Lifetime;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
  @Test
  void valuesThatNeverMeetShare() {
    MemoryPlan plan =
        MemoryPlan.of(List.of(new Lifetime("a", 1000, 0, 1), new Lifetime("b", 1000, 2, 3)));
    assertEquals(0, plan.offset("a"));
    assertEquals(0, plan.offset("b"));
    assertEquals(1024, plan.byteSize());
  }

  @Test
  void aValueReadWhileAnotherIsWrittenIsNotOverwritten() {
    MemoryPlan plan =
        MemoryPlan.of(List.of(new Lifetime("a", 128, 0, 1), new Lifetime("b", 128, 1, 2)));
    assertEquals(256, plan.byteSize());
  }

  @Test
  void noTwoLivingValuesOverlap() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 200; round++) {
      List<Lifetime> values = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        int first = random.nextInt(20);
        values.add(
            new Lifetime("v" + i, random.nextInt(1, 2000), first, first + random.nextInt(6)));
      }
      MemoryPlan plan = MemoryPlan.of(values);
      for (Lifetime a : values) {
        assertEquals(0, plan.offset(a.name()) % 128);
        assertTrue(plan.offset(a.name()) + a.byteSize() <= plan.byteSize());
        for (Lifetime b : values) {
          boolean apart =
              a.last() < b.first()
                  || b.last() < a.first()
                  || plan.offset(a.name()) + a.byteSize() <= plan.offset(b.name())
                  || plan.offset(b.name()) + b.byteSize() <= plan.offset(a.name());
          assertTrue(apart || a.name().equals(b.name()), a + " and " + b);
        }
      }
    }
  }
}
