package io.github.secateur.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RaceTest {
  @Test
  void takesMedianAndLeastOverAllRounds() {
    assertEquals(
        new Times(3, 1, 5), Times.of(List.of(new double[] {9, 1}, new double[] {3, 2, 4})));
    assertEquals(new Times(2.5, 2, 2), Times.of(List.of(new double[] {3}, new double[] {2})));
    assertThrows(IllegalArgumentException.class, () -> Times.of(List.of(new double[0])));
  }

  @Test
  void runsSidesInTurns() throws IOException {
    List<String> order = new ArrayList<>();
    Map<String, Times> times =
        new Race(2, 0.5)
            .run(
                List.of(
                    side("a", order, new double[] {4}, new double[] {6, 5}),
                    side("b", order, new double[] {1}, new double[] {2})));
    assertEquals(List.of("a", "b", "a", "b"), order);
    assertEquals(List.of("a", "b"), List.copyOf(times.keySet()));
    assertEquals(new Times(5, 4, 3), times.get("a"));
    assertEquals(new Times(1.5, 1, 2), times.get("b"));
  }

  @Test
  void countsEveryRunButTheFirstOfABlock() throws IOException {
    int[] runs = {0};
    Contestant side = Contestant.of("counter", 0, () -> runs[0]++);
    assertEquals(1, side.block(0).length);
    assertEquals(1, runs[0]);
    double[] micros = side.block(0.002);
    assertEquals(runs[0] - 2, micros.length);
    assertTrue(micros.length > 1);
    for (double m : micros) {
      assertTrue(m >= 0, "a run took " + m);
    }
  }

  @Test
  void refusesRacesOfNoRounds() {
    assertThrows(IllegalArgumentException.class, () -> new Race(0, 1));
    assertThrows(IllegalArgumentException.class, () -> new Race(1, Double.NaN));
  }

  private static Contestant side(String name, List<String> order, double[]... blocks) {
    Iterator<double[]> next = List.of(blocks).iterator();
    return new Contestant() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public double[] block(double seconds) {
        assertEquals(0.5, seconds);
        order.add(name);
        return next.next();
      }

      @Override
      public int settleMillis() {
        return 0;
      }
    };
  }
}
