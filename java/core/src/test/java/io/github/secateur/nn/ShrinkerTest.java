package io.github.secateur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ShrinkerTest {
  private static Coupling.Slice slice(Role role, String parameter, int axis) {
    return new Coupling.Slice(role, parameter, axis, 0, 1);
  }

  private static Model network(Activation activation) {
    return Networks.mlp(MlpOptions.of(List.of(6, 8, 5, 3), 1).with(activation).withDropout(0.25));
  }

  /** Masks some units of a group in all its parameters, zeroing what is masked. */
  private static void prune(Model model, Coupling.Group group, List<Integer> units) {
    for (Coupling.Slice slice : group.masked()) {
      Tensor old = model.graph().initializer(slice.parameter());
      Tensor tensor = old.copy();
      Mask mask = model.masks().computeIfAbsent(slice.parameter(), p -> Mask.ones(old.shape()));
      long columns = old.shape().rank() == 2 ? old.shape().dim(1) : 1;
      for (long i = 0; i < tensor.size(); i++) {
        if (units.contains((int) (slice.axis() == 0 ? i / columns : i % columns))) {
          mask.set(i, false);
          tensor.setFloat(i, 0);
        }
      }
      model.graph().initializers().put(slice.parameter(), tensor);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shrunkNetworkComputesTheSame(Activation activation) {
    Model model = network(activation);
    List<Coupling.Group> groups = Coupling.groups(model);
    prune(model, groups.get(0), List.of(0, 3, 7));
    prune(model, groups.get(1), List.of(2));
    Model small = Shrinker.shrink(model);
    assertEquals(Shape.of(5, 6), small.graph().initializer("fc1.weight").shape());
    assertEquals(Shape.of(5), small.graph().initializer("fc1.bias").shape());
    assertEquals(Shape.of(4, 5), small.graph().initializer("fc2.weight").shape());
    assertEquals(Shape.of(3, 4), small.graph().initializer("fc3.weight").shape());
    assertEquals(Shape.of(3), small.graph().initializer("fc3.bias").shape());
    assertEquals(0, small.masks().get("fc1.weight").prunedCount());
    assertEquals(
        model.graph().initializer("fc2.weight").getFloat(1),
        small.graph().initializer("fc2.weight").getFloat(0),
        "unit 1 of fc1 is now unit 0");
    assertEquals(Shape.of(8, 6), model.graph().initializer("fc1.weight").shape());
    float[] masked = logits(model);
    float[] shrunk = logits(small);
    for (int i = 0; i < masked.length; i++) {
      assertEquals(masked[i], shrunk[i], 1e-5, "logit " + i);
    }
  }

  private static float[] logits(Model model) {
    SplittableRandom random = new SplittableRandom(3);
    float[] x = new float[4 * 6];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextDouble(-2, 2);
    }
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of("x", Shape.of(4, 6)), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(Map.of("x", Tensor.of(Shape.of(4, 6), x))).get("logits").toFloats();
    }
  }

  @Test
  void unitsWithAnUnmaskedPartStay() {
    Model model = network(Activation.TANH);
    prune(model, Coupling.groups(model).getFirst(), List.of(2));
    model.masks().remove("fc1.bias");
    Tensor bias = model.graph().initializer("fc1.bias").copy();
    bias.setFloat(2, 0.5f);
    model.graph().initializers().put("fc1.bias", bias);
    assertEquals(Shape.of(8, 6), Shrinker.shrink(model).graph().initializer("fc1.weight").shape());
  }

  @Test
  void aLayerKeepsOneUnit() {
    Model model = network(Activation.SIGMOID);
    prune(model, Coupling.groups(model).getFirst(), List.of(0, 1, 2, 3, 4, 5, 6, 7));
    Model small = Shrinker.shrink(model);
    assertEquals(Shape.of(1, 6), small.graph().initializer("fc1.weight").shape());
    float[] masked = logits(model);
    float[] shrunk = logits(small);
    for (int i = 0; i < masked.length; i++) {
      assertEquals(masked[i], shrunk[i], 1e-5);
    }
  }

  @ParameterizedTest
  @EnumSource
  void groupsNameWhatBelongsToAUnit(Activation activation) {
    List<Coupling.Group> groups = Coupling.groups(network(activation));
    assertEquals(3, groups.size());
    Coupling.Group first = groups.getFirst();
    assertEquals("fc1", first.layer());
    assertEquals(8, first.units());
    assertTrue(first.prunable(), first.obstacle());
    assertEquals(slice(Role.INCOMING, "fc1.weight", 0), first.incoming().getFirst());
    assertEquals(List.of(slice(Role.BIAS, "fc1.bias", 0)), first.vectors());
    assertEquals(List.of(slice(Role.OUTGOING, "fc2.weight", 1)), first.consumers());
    assertEquals(List.of(slice(Role.READ, "fc1.dropout", 0)), first.read());
    assertTrue(first.values().contains("fc1.activation"));
    assertTrue(groups.getLast().reachesOutput());
    assertFalse(groups.getLast().prunable());
  }

  @Test
  void obstaclesAreNamed() {
    Model model = network(Activation.RELU);
    Graph graph = model.graph();
    graph.nodes().add(Node.of("mix", "Add", List.of("fc1.activation", "x"), List.of("mixed")));
    assertEquals(
        "Add 'mix' combines the units with 'x'", Coupling.groups(model).getFirst().obstacle());
    graph.nodes().removeLast();
    graph.nodes().add(Node.of("sm", "Softmax", List.of("fc2.linear"), List.of("p2")));
    assertEquals(
        "Softmax 'sm' does not keep the units apart", Coupling.groups(model).get(1).obstacle());
  }

  @Test
  void matMulWithBiasBehindAndScale() {
    Graph graph = new Graph("test");
    graph.initializers().put("w", Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6));
    graph.initializers().put("b", Tensor.of(Shape.of(1, 3), 1, 2, 3));
    graph.initializers().put("v", Tensor.of(Shape.of(3, 2), 1, 2, 3, 4, 5, 6));
    graph.nodes().add(Node.of("m", "MatMul", List.of("x", "w"), List.of("h")));
    graph.nodes().add(Node.of("a", "Add", List.of("b", "h"), List.of("h2")));
    graph.nodes().add(Node.of("n", "MatMul", List.of("h2", "v"), List.of("y")));
    graph.outputs().add(ValueInfo.of("y", null));
    Coupling.Group group = Coupling.groups(new Model(graph)).getFirst();
    assertTrue(group.prunable(), group.obstacle());
    assertEquals(slice(Role.INCOMING, "w", 1), group.incoming().getFirst());
    assertEquals(List.of(slice(Role.BIAS, "b", 1)), group.vectors());
    assertEquals(List.of(slice(Role.OUTGOING, "v", 0)), group.consumers());
  }
}
