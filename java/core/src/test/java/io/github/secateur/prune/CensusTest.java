package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class CensusTest {
  @Test
  void countsPrunedKeptZerosAndDeadUnits() {
    Shape shape = Shape.of(3, 2);
    Tensor weight = Tensor.of(shape, 0, 0, 1, -0f, 2, 0);
    Mask mask = Mask.ones(shape);
    mask.set(0, false);
    mask.set(1, false);
    mask.set(5, false);
    Layer rows = new Layer("fc", "w", shape, 0, 1);
    assertEquals(new LayerSparsity("fc", "w", shape, 3, 1, 3, 1), Census.of(rows, weight, mask));
    Layer columns = new Layer("fc", "w", shape, 1, 0);
    assertEquals(new LayerSparsity("fc", "w", shape, 3, 1, 2, 0), Census.of(columns, weight, mask));
    assertEquals(new LayerSparsity("fc", "w", shape, 0, 4, 3, 0), Census.of(rows, weight, null));
    List<LayerSparsity> layers = List.of(Census.of(rows, weight, mask));
    assertEquals(0.5, Census.sparsity(layers));
    assertEquals(4 / 6.0, Census.zeros(layers));
  }
}
