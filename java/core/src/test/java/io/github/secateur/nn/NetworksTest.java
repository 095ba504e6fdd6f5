package io.github.secateur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworksTest {
  @Test
  void namedNetworksHaveTheirShapes() {
    Graph lenet = Networks.parse("lenet-300-100", 1).graph();
    assertEquals(Shape.of(300, 784), lenet.initializer("fc1.weight").shape());
    assertEquals(Shape.of(100, 300), lenet.initializer("fc2.weight").shape());
    assertEquals(Shape.of(10, 100), lenet.initializer("fc3.weight").shape());
    assertEquals(Shape.of(10), lenet.initializer("fc3.bias").shape());
    assertEquals(
        List.of("logits", "probabilities"), lenet.outputs().stream().map(ValueInfo::name).toList());
    Graph simple = Networks.parse("simple-net", 1).graph();
    assertEquals(Shape.of(64, 784), simple.initializer("fc1.weight").shape());
    assertEquals(Shape.of(10, 32), simple.initializer("fc3.weight").shape());
  }

  @Test
  void sizesAndActivationAreRead() {
    MlpOptions options = Networks.options("mlp:784-512-256-10:leaky-relu", 3);
    assertEquals(List.of(784, 512, 256, 10), options.sizes());
    assertEquals(Activation.LEAKY_RELU, options.activation());
    assertEquals(Activation.RELU, Networks.options("mlp:4-2", 3).activation());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "resnet",
        "mlp",
        "mlp:",
        "mlp:784",
        "mlp:784-0-10",
        "mlp:784--10",
        "mlp:a-b",
        "mlp:4-2:swish",
        "mlp:4-2:relu:x",
        "",
        "mlp:99999999999-10",
        "lenet-5",
        "resnet-9",
        "resnet-2",
        "resnet-8:28x28",
        "resnet-8:0x28x28",
        "resnet-8:",
        "cnn:1x28x28",
        "cnn:1x28x28:c8",
        "cnn:1x28x28:c0-10",
        "cnn:1x28x28:10-c8-10",
        "cnn:1x28x28:c8--10",
        "cnn:1x3x3:m-m-10",
        "cnn:28x28:c8-10"
      })
  void wrongSpecificationsNameTheCure(String specification) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Networks.parse(specification, 1))
            .getMessage();
    assertTrue(message.contains("; use "), message);
  }

  @Test
  void convolutionalNetworksHaveTheirShapes() {
    Graph lenet = Networks.parse("lenet-5-caffe", 1).graph();
    assertEquals(Shape.of(5, 1, 28, 28), lenet.requiredInputs().getFirst().shape(5));
    assertEquals(Shape.of(50, 20, 5, 5), lenet.initializer("conv2.weight").shape());
    assertEquals(Shape.of(500, 800), lenet.initializer("fc1.weight").shape());
    assertEquals(431_080, parameters(lenet));
    Graph resnet = Networks.parse("resnet-20:3x32x32", 1).graph();
    assertEquals(19, resnet.nodes().stream().filter(n -> n.name().matches(".*conv[12]")).count());
    assertEquals(
        Shape.of(32, 16, 1, 1), resnet.initializer("stage2.block1.project.weight").shape());
    assertEquals(Shape.of(10, 64), resnet.initializer("fc.weight").shape());
    assertEquals(Shape.of(2, 3, 32, 32), resnet.requiredInputs().getFirst().shape(2));
    assertEquals(
        List.of("logits", "probabilities"),
        resnet.outputs().stream().map(ValueInfo::name).toList());
    Graph small = Networks.parse("resnet-8", 1).graph();
    assertEquals(Shape.of(16, 1, 3, 3), small.initializer("conv1.weight").shape());
  }

  @Test
  void layersAreReadOneByOne() {
    Graph graph = Networks.parse("cnn:3x9x8:c4k5s2b-c6k2-m-20-7", 1).graph();
    assertEquals(Shape.of(4, 3, 5, 5), graph.initializer("conv1.weight").shape());
    assertFalse(graph.initializers().containsKey("conv1.bias"));
    assertEquals(Shape.of(4), graph.initializer("bn1.scale").shape());
    assertEquals(Shape.of(6), graph.initializer("conv2.bias").shape());
    assertEquals(Shape.of(20, 6 * 3 * 2), graph.initializer("fc1.weight").shape());
    assertEquals(Shape.of(7, 20), graph.initializer("fc2.weight").shape());
    Graph mean = Networks.parse("cnn:1x28x28:c16-m-c32s2b-g-10", 1).graph();
    assertEquals(Shape.of(10, 32), mean.initializer("fc1.weight").shape());
  }

  private static long parameters(Graph graph) {
    return graph.initializers().values().stream().mapToLong(Tensor::size).sum();
  }

  @Test
  void convolutionsAreInitializedByTheirFanIn() {
    float[] torch =
        Networks.parse("lenet-5-caffe", 1).graph().initializer("conv2.weight").toFloats();
    double bound = 1 / Math.sqrt(20 * 25);
    double largest = 0;
    for (float w : torch) {
      largest = Math.max(largest, Math.abs(w));
    }
    assertTrue(largest <= bound && largest > 0.99 * bound, "largest " + largest);
    float[] he =
        Networks.parse("resnet-8", 1).graph().initializer("stage3.block1.conv2.weight").toFloats();
    double squares = 0;
    for (float w : he) {
      squares += (double) w * w;
    }
    double deviation = Math.sqrt(2.0 / (64 * 9));
    assertEquals(deviation, Math.sqrt(squares / he.length), 0.02 * deviation);
  }

  @ParameterizedTest
  @EnumSource
  void aSeedGivesTheSameBitsAndAnotherOthers(Initialization initialization) {
    MlpOptions options = MlpOptions.of(List.of(50, 40, 10), 5).with(initialization);
    Tensor first = Networks.mlp(options).graph().initializer("fc1.weight");
    assertTrue(first.bitEquals(Networks.mlp(options).graph().initializer("fc1.weight")));
    MlpOptions other = MlpOptions.of(List.of(50, 40, 10), 6).with(initialization);
    assertFalse(first.bitEquals(Networks.mlp(other).graph().initializer("fc1.weight")));
  }

  @Test
  void initialWeightsHaveTheirSpread() {
    for (Initialization initialization : Initialization.values()) {
      MlpOptions options = MlpOptions.of(List.of(400, 200, 10), 5).with(initialization);
      float[] w = Networks.mlp(options).graph().initializer("fc1.weight").toFloats();
      double sum = 0;
      double squares = 0;
      double largest = 0;
      for (float v : w) {
        sum += v;
        squares += (double) v * v;
        largest = Math.max(largest, Math.abs(v));
      }
      double bound =
          switch (initialization) {
            case GLOROT_UNIFORM -> 0.1; // sqrt(6 / 600)
            case TORCH_UNIFORM -> 0.05; // 1 / sqrt(400)
            case HE_NORMAL -> 1;
          };
      double deviation =
          initialization == Initialization.HE_NORMAL ? Math.sqrt(2.0 / 400) : bound / Math.sqrt(3);
      assertTrue(largest <= bound, initialization + " largest " + largest);
      assertEquals(deviation, Math.sqrt(squares / w.length), 0.01 * deviation);
      assertEquals(0, sum / w.length, 0.02 * deviation);
    }
  }

  @Test
  void crossEntropyReadsTheInputOfTheSoftmaxAndTakesItsPlace() {
    Model model = Networks.parse("mlp:4-3-2", 1);
    Graph graph = Losses.withSoftmaxCrossEntropy(model).graph();
    Node loss = graph.producer("loss").orElseThrow();
    assertEquals(List.of("logits", "labels"), loss.inputs());
    assertEquals(List.of("loss", "probabilities"), loss.outputs());
    assertTrue(graph.nodes().stream().noneMatch(n -> n.is("Softmax")));
    assertTrue(model.graph().nodes().stream().anyMatch(n -> n.is("Softmax")), "a copy");
    assertThrows(
        IllegalArgumentException.class,
        () -> Losses.withSoftmaxCrossEntropy(Losses.withSoftmaxCrossEntropy(model)));
  }

  @Test
  void meanSquaredErrorTakesTheShapeOfTheOutput() {
    Graph graph = Losses.withMeanSquaredError(Networks.parse("mlp:4-3-2", 1)).graph();
    assertEquals(List.of("logits", "target"), graph.producer("loss").orElseThrow().inputs());
    assertEquals(Shape.of(7, 2), graph.inputs().getLast().shape(7));
  }
}
