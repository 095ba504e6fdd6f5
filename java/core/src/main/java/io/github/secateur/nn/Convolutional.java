package io.github.secateur.nn;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Layers.Kernel;

/**
 * Builds convolutional classifiers of images {@code x} [batch, channels, height, width]; outputs
 * {@code logits} and {@code probabilities} [batch, 10].
 */
public final class Convolutional {
  private static final int CLASSES = 10;

  private Convolutional() {}

  /**
   * LeNet-5 as Caffe's MNIST example has it and SNIP prunes it (Lee et al. 2019, arXiv 1810.02340,
   * LeNet-5-Caffe): conv 20 of 5×5, max-pool 2, conv 50 of 5×5, max-pool 2, 800-500-10, 431,080
   * parameters. The only nonlinearity beside the pools is the ReLU between the two linear layers.
   * Weights as {@link Initialization#TORCH_UNIFORM}.
   *
   * @param seed of the initial weights
   */
  public static Model lenet5(long seed) {
    Layers layers = new Layers(new Graph("lenet-5-caffe"), Initialization.TORCH_UNIFORM, seed);
    String x = layers.input(1, 28, 28);
    x = layers.convolution("conv1", x, new Kernel(20, 1, 5, 1, 0, true));
    x = layers.maxPool2("pool1", x);
    x = layers.convolution("conv2", x, new Kernel(50, 20, 5, 1, 0, true));
    x = layers.maxPool2("pool2", x);
    x = layers.apply("flatten", "Flatten", x);
    x = layers.linear("fc1", x, "fc1.out", 500, 800);
    x = layers.apply("fc1.relu", "Relu", x);
    layers.linear("fc2", x, "logits", CLASSES, 500);
    return layers.classifier(CLASSES);
  }

  /**
   * A residual network for small images (He et al. 2016, arXiv 1512.03385, section 4.2): conv 16 of
   * 3×3, then three stages of (depth − 2) / 6 blocks with 16, 32 and 64 channels, the second and
   * third beginning with stride 2, the mean of each channel, and one linear layer. A block is conv,
   * norm, ReLU, conv, norm, plus its input, ReLU. Where a block changes the shape, its input passes
   * a 1×1 convolution and a norm (option B of the paper, which itself takes option A here).
   * Convolutions have no bias. Weights as {@link Initialization#HE_NORMAL}.
   *
   * @param depth 6 n + 2: 8, 14, 20, 32, ...
   * @param seed of the initial weights
   */
  public static Model resnet(int depth, Image image, long seed) {
    if (depth < 8 || depth % 6 != 2) {
      throw new IllegalArgumentException(
          "there is no resnet-%d; use a depth of 6 n + 2, such as 8, 14, 20 or 32"
              .formatted(depth));
    }
    Layers layers = new Layers(new Graph("resnet-" + depth), Initialization.HE_NORMAL, seed);
    String x = layers.input(image.channels(), image.height(), image.width());
    x = layers.convolution("conv1", x, Kernel.same(16, image.channels(), 3, 1));
    x = layers.normalization("bn1", x, 16);
    x = layers.apply("relu1", "Relu", x);
    long in = 16;
    for (int stage = 1; stage <= 3; stage++) {
      for (int block = 1; block <= (depth - 2) / 6; block++) {
        long out = 8L << stage;
        x = block(layers, "stage%d.block%d".formatted(stage, block), x, out, in);
        in = out;
      }
    }
    x = layers.apply("pool", "GlobalAveragePool", x);
    x = layers.apply("flatten", "Flatten", x);
    layers.linear("fc", x, "logits", CLASSES, in);
    return layers.classifier(CLASSES);
  }

  private static String block(Layers layers, String name, String x, long out, long in) {
    long stride = out == in ? 1 : 2;
    String y = layers.convolution(name + ".conv1", x, Kernel.same(out, in, 3, stride));
    y = layers.normalization(name + ".bn1", y, out);
    y = layers.apply(name + ".relu1", "Relu", y);
    y = layers.convolution(name + ".conv2", y, Kernel.same(out, out, 3, 1));
    y = layers.normalization(name + ".bn2", y, out);
    String shortcut = x;
    if (out != in) {
      shortcut = layers.convolution(name + ".project", x, Kernel.same(out, in, 1, stride));
      shortcut = layers.normalization(name + ".project.bn", shortcut, out);
    }
    y = layers.apply(name + ".add", "Add", y, shortcut);
    return layers.apply(name + ".relu2", "Relu", y);
  }
}
