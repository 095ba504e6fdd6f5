package io.github.secateur.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Coupling.Group;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Coupling.Slice;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What goes together, in small graphs made by hand. */
class CouplingTest {
  private final Wiring net = new Wiring(1);
  private final String x = net.input("x", 3, 8, 8);

  private static Slice slice(Role role, String parameter, int axis, long offset, long expansion) {
    return new Slice(role, parameter, axis, offset, expansion);
  }

  private static Group of(Model model, String layer) {
    return Coupling.groups(model).stream()
        .filter(g -> g.layers().contains(layer))
        .findFirst()
        .orElseThrow();
  }

  private String head(String image, long channels) {
    String pooled = net.node("pool", "GlobalAveragePool", image);
    return net.gemm("fc", net.node("flat", "Flatten", pooled), 4, channels);
  }

  @Test
  void aChannelGoesWithItsNormalizationAndItsPlacesBehindAFlatten() {
    String c = net.conv("c", x, 6, 3, 1);
    String relu = net.node("r", "Relu", net.norm("n", c, 6));
    String pooled =
        net.node(
            "p",
            "MaxPool",
            List.of(relu),
            Map.of("kernel_shape", Wiring.ints(2, 2), "strides", Wiring.ints(2, 2)));
    net.gemm("fc", net.node("flat", "Flatten", pooled), 4, 6 * 16);
    Group group = of(net.model("fc"), "c");
    assertTrue(group.prunable(), group.obstacle());
    assertEquals(6, group.units());
    assertEquals(List.of(slice(Role.INCOMING, "c.weight", 0, 0, 1)), group.incoming());
    assertEquals(
        List.of(
            slice(Role.BIAS, "c.bias", 0, 0, 1),
            slice(Role.NORM_SCALE, "n.scale", 0, 0, 1),
            slice(Role.NORM_SHIFT, "n.shift", 0, 0, 1)),
        group.vectors());
    assertEquals(
        List.of(
            slice(Role.NORM_MEAN, "n.mean", 0, 0, 1),
            slice(Role.NORM_VARIANCE, "n.variance", 0, 0, 1)),
        group.statistics());
    assertEquals(List.of(slice(Role.OUTGOING, "fc.weight", 1, 0, 16)), group.consumers());
    assertEquals(List.of(slice(Role.READ, "flat", 0, 0, 16)), group.read());
    assertEquals(List.of("Relu"), group.activations());
    assertEquals(List.of("c", "n", "r", "p", "flat"), group.values());
  }

  @Test
  void residualAdditionsTieTheUnitsOfAllTheirLayers() {
    String a = net.node("ra", "Relu", net.conv("a", x, 5, 3, 1));
    String inner = net.node("rb", "Relu", net.conv("b", a, 7, 5, 1));
    String sum = net.node("add", "Add", a, net.conv("c", inner, 5, 7, 1));
    head(net.node("out", "Relu", sum), 5);
    Model model = net.model("fc");
    Group tied = of(model, "a");
    assertTrue(tied.prunable(), tied.obstacle());
    assertEquals(List.of("a", "c"), tied.layers());
    assertEquals(
        List.of(
            slice(Role.INCOMING, "a.weight", 0, 0, 1), slice(Role.INCOMING, "c.weight", 0, 0, 1)),
        tied.incoming());
    assertEquals(
        List.of(
            slice(Role.OUTGOING, "b.weight", 1, 0, 1), slice(Role.OUTGOING, "fc.weight", 1, 0, 1)),
        tied.consumers());
    Group between = of(model, "b");
    assertEquals(7, between.units());
    assertEquals(List.of(slice(Role.OUTGOING, "c.weight", 1, 0, 1)), between.consumers());
  }

  @Test
  void aConcatGivesItsReaderAPartForEachOfItsInputs() {
    String a = net.conv("a", x, 4, 3, 1);
    String b = net.conv("b", x, 6, 3, 1);
    String joined = net.concat("join", a, x, b);
    head(net.conv("c", joined, 5, 13, 1), 5);
    Model model = net.model("fc");
    assertEquals(List.of(slice(Role.OUTGOING, "c.weight", 1, 0, 1)), of(model, "a").consumers());
    assertEquals(List.of(slice(Role.OUTGOING, "c.weight", 1, 7, 1)), of(model, "b").consumers());
    assertEquals(List.of(slice(Role.READ, "join", 2, 7, 1)), of(model, "b").read());
  }

  @Test
  void aConcatThatIsAddedToOneLayerCutsThatLayerInParts() {
    String joined = net.concat("join", net.conv("a", x, 4, 3, 1), net.conv("b", x, 6, 3, 1));
    head(net.node("add", "Add", joined, net.conv("c", x, 10, 3, 1)), 10);
    List<Group> groups = Coupling.groups(net.model("fc"));
    assertEquals(List.of("a", "c"), groups.get(0).layers());
    assertEquals(List.of("b", "c"), groups.get(1).layers());
    assertEquals(slice(Role.INCOMING, "c.weight", 0, 4, 1), groups.get(1).incoming().get(1));
    assertEquals(slice(Role.OUTGOING, "fc.weight", 1, 4, 1), groups.get(1).consumers().getFirst());
  }

  @Test
  void aDepthwiseConvolutionHandsItsUnitsOn() {
    String a = net.conv("a", x, 4, 3, 1);
    String d = net.conv("d", a, 8, 1, 4);
    head(d, 8);
    Group group = of(net.model("fc"), "a");
    assertEquals(List.of("a", "d"), group.layers());
    assertEquals(4, group.units());
    assertEquals(slice(Role.INCOMING, "d.weight", 0, 0, 2), group.incoming().get(1));
    assertEquals(slice(Role.BIAS, "d.bias", 0, 0, 2), group.vectors().get(1));
    assertEquals(List.of(slice(Role.GROUPS, "d", 0, 0, 1)), group.sizes());
    assertEquals(List.of(slice(Role.OUTGOING, "fc.weight", 1, 0, 2)), group.consumers());
  }

  @Test
  void channelsOfAnInputThatADepthwiseConvolutionReadsStay() {
    head(net.conv("d", x, 3, 1, 3), 3);
    List<Group> groups = Coupling.groups(net.model("fc"));
    assertEquals(List.of(List.of("fc")), groups.stream().map(Group::layers).toList());
  }

  @Test
  void unitsOfAGroupedConvolutionGoInSetsWithOneInEachGroup() {
    String a = net.conv("a", x, 6, 3, 1);
    String g = net.conv("g", a, 4, 3, 2);
    head(g, 4);
    Model model = net.model("fc");
    Group before = of(model, "a");
    assertEquals(3, before.units());
    assertEquals(
        List.of(
            slice(Role.INCOMING, "a.weight", 0, 0, 1), slice(Role.INCOMING, "a.weight", 0, 3, 1)),
        before.incoming());
    assertEquals(List.of(slice(Role.OUTGOING, "g.weight", 1, 0, 1)), before.consumers());
    Group own = of(model, "g");
    assertEquals(2, own.units());
    assertEquals(
        List.of(
            slice(Role.OUTGOING, "fc.weight", 1, 0, 1), slice(Role.OUTGOING, "fc.weight", 1, 2, 1)),
        own.consumers());
  }

  @Test
  void aReshapeThatNamesItsSizeIsAFlatten() {
    String c = net.conv("c", x, 6, 3, 1);
    String flat = net.node("flat", "Reshape", c, net.sizes("shape", -1, 6 * 64));
    net.gemm("fc", flat, 4, 6 * 64);
    Group group = of(net.model("fc"), "c");
    assertTrue(group.prunable(), group.obstacle());
    assertEquals(List.of(slice(Role.SIZE, "flat", 1, 0, 64)), group.sizes());
    assertEquals(List.of(slice(Role.OUTGOING, "fc.weight", 1, 0, 64)), group.consumers());
  }

  @Test
  void aReshapeToImagesTiesTheUnitsOfAChannel() {
    String z = net.input("z", 5);
    String fc = net.gemm("g", z, 12, 5);
    String image = net.node("image", "Reshape", fc, net.sizes("shape", 0, 3, 2, 2));
    net.conv("c", image, 2, 3, 1);
    Group group = of(net.model("c"), "g");
    assertEquals(3, group.units());
    assertEquals(List.of(slice(Role.INCOMING, "g.weight", 0, 0, 4)), group.incoming());
    assertEquals(List.of(slice(Role.SIZE, "image", 1, 0, 1)), group.sizes());
  }

  @Test
  void aReshapeThatMixesSamplesIsAnObstacle() {
    String c = net.conv("c", x, 6, 3, 1);
    String flat = net.node("flat", "Reshape", c, net.sizes("shape", -1, 3 * 64));
    net.gemm("fc", flat, 4, 3 * 64);
    assertEquals(
        "Reshape 'flat' does not keep the units apart", of(net.model("fc"), "c").obstacle());
  }

  @Test
  void squeezeAndExciteTiesNothingButItsGates() {
    String c = net.conv("c", x, 6, 3, 1);
    String pooled =
        net.node(
            "mean",
            "ReduceMean",
            List.of(c),
            Map.of("axes", Wiring.ints(2, 3), "keepdims", new Attribute.Int(1)));
    String gate = net.node("s", "Sigmoid", net.conv("g", pooled, 6, 6, 1));
    head(net.node("scaled", "Mul", c, gate), 6);
    Group group = of(net.model("fc"), "c");
    assertTrue(group.prunable(), group.obstacle());
    assertEquals(List.of("c", "g"), group.layers());
    assertTrue(group.consumers().contains(slice(Role.OUTGOING, "g.weight", 1, 0, 1)));
  }

  @Test
  void vectorsAndPadsAndClips() {
    String c = net.conv("c", x, 6, 3, 1);
    net.parameter("scale", 6, 1, 1);
    net.parameter("map", 1, 1, 8, 8);
    String scaled = net.node("mul", "Mul", net.node("add", "Add", "map", c), "scale");
    String padded = net.node("pad", "Pad", scaled, net.sizes("pads", 0, 0, 1, 1, 0, 0, 1, 1));
    head(net.node("clip", "Clip", padded), 6);
    Group group = of(net.model("fc"), "c");
    assertTrue(group.prunable(), group.obstacle());
    assertTrue(group.vectors().contains(slice(Role.SCALE, "scale", 0, 0, 1)));
    assertFalse(group.slices().stream().anyMatch(s -> s.parameter().equals("map")));
  }

  @Test
  void transposedConvolutionsCountUnitsAlongTheirOtherAxis() {
    String c = net.conv("c", x, 6, 3, 1);
    net.parameter("t.weight", 6, 4, 2, 2);
    String t = net.node("t", "ConvTranspose", c, "t.weight");
    head(t, 4);
    Model model = net.model("fc");
    assertEquals(List.of(slice(Role.OUTGOING, "t.weight", 0, 0, 1)), of(model, "c").consumers());
    assertEquals(List.of(slice(Role.INCOMING, "t.weight", 1, 0, 1)), of(model, "t").incoming());
  }

  private String obstacle(String readsC) {
    head(net.conv("d", "c", 5, 6, 1), 5);
    net.node("reader", readsC, "c");
    return of(net.model("fc"), "c").obstacle();
  }

  @Test
  void operatorsThatMixUnitsAreNamed() {
    net.conv("c", x, 6, 3, 1);
    assertEquals("Split 'reader' does not keep the units apart", obstacle("Split"));
  }

  @Test
  void logarithmsOfZeroAreRefused() {
    net.conv("c", x, 6, 3, 1);
    assertEquals("Log 'reader' does not keep the units apart", obstacle("Log"));
  }

  @Test
  void whatTheGraphShowsOrAddsToItsInputStays() {
    String c = net.conv("c", x, 3, 3, 1);
    head(net.node("add", "Add", x, c), 3);
    Model model = net.model("fc");
    assertEquals("Add 'add' combines the units with 'x'", of(model, "c").obstacle());
    assertTrue(of(model, "fc").reachesOutput());
  }

  @Test
  void sharedParametersStay() {
    net.conv("c", x, 6, 3, 1);
    net.node("n", "Conv", List.of(x, "c.weight"), Map.of("pads", Wiring.ints(1, 1, 1, 1)));
    head(net.node("add", "Add", "c", "n"), 6);
    assertEquals(
        "parameter 'c.weight' is used more than once", of(net.model("fc"), "c").obstacle());
  }

  @Test
  void paddedChannelsAndReducedChannelsAreObstacles() {
    String c = net.conv("c", x, 6, 3, 1);
    net.node("pad", "Pad", c, net.sizes("pads", 0, 1, 0, 0, 0, 0, 0, 0));
    head(net.conv("d", c, 5, 6, 1), 5);
    assertEquals("Pad 'pad' does not keep the units apart", of(net.model("fc"), "c").obstacle());
  }

  @Test
  void broadcastingLaysUnitsAlongTheAxesOfTheLargerValue() {
    // [batch, 6] + [batch, 5, 6]: behind it a Flatten does not keep the units apart.
    Wiring w = new Wiring(7);
    String x = w.input("x", 4);
    String z = w.input("z", 5, 4);
    String a = w.gemm("a", x, 6, 4);
    w.parameter("m.w", 4, 6);
    String sum = w.node("add", "Add", a, w.node("m", "MatMul", z, "m.w"));
    Model model = w.model(w.gemm("b", w.node("flat", "Flatten", sum), 2, 30));
    Coupling.Group group = Coupling.groups(model).getFirst();
    assertEquals(List.of("a", "m"), group.layers());
    assertEquals("Flatten 'flat' does not keep the units apart", group.obstacle());
  }
}
