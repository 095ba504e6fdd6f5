package io.github.secateur.nn;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Layers.Kernel;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A plain convolutional classifier, layer by layer, written {@code c16-m-c32k5s2b-g-64-10}:
 *
 * <ul>
 *   <li>{@code c16} a convolution with 16 outputs, 3×3, padded by half the kernel, then ReLU;
 *       {@code k5} makes it 5×5, {@code s2} gives it stride 2, {@code b} puts batch normalization
 *       before the ReLU and leaves the bias out, in this order
 *   <li>{@code m} max-pooling of 2×2
 *   <li>{@code g} the mean of each channel
 *   <li>{@code 64} a linear layer with 64 outputs, then ReLU; the last makes the logits
 * </ul>
 *
 * Layers are named conv1, bn1, pool1, fc1 and so on. Weights as {@link
 * Initialization#TORCH_UNIFORM}.
 */
final class LayerList {
  private static final Pattern CONVOLUTION =
      Pattern.compile("c([0-9]{1,6})(?:k([0-9]{1,3}))?(?:s([0-9]{1,3}))?(b)?");

  private static final String FORM =
      "use cnn:CxHxW:LAYERS such as cnn:1x28x28:c16-m-c32k5s2b-g-10; layers are c16 (convolution,"
          + " then k5, s2, b), m, g or a number of units";

  private final Layers layers;
  private String x;
  private long channels;
  private long height;
  private long width;
  private boolean flat;
  private int convolutions;
  private int pools;
  private int linears;

  private LayerList(Image image, long seed) {
    layers = new Layers(new Graph("cnn"), Initialization.TORCH_UNIFORM, seed);
    x = layers.input(image.channels(), image.height(), image.width());
    channels = image.channels();
    height = image.height();
    width = image.width();
  }

  /**
   * Builds the network.
   *
   * @param text layers joined by '-'
   * @throws IllegalArgumentException naming the layer that is none or does not fit
   */
  static Model parse(String text, Image image, long seed) {
    LayerList list = new LayerList(image, seed);
    List<String> parts = List.of(text.split("-", -1));
    for (int i = 0; i < parts.size(); i++) {
      list.append(parts.get(i), i == parts.size() - 1);
    }
    return list.layers.classifier(list.channels);
  }

  private void append(String part, boolean last) {
    Matcher convolution = CONVOLUTION.matcher(part);
    boolean linear = part.matches("[1-9][0-9]{0,6}");
    if (last && !linear) {
      throw wrong(part, "is no number of classes");
    }
    if (linear) {
      linear(Long.parseLong(part), last);
    } else if (flat) {
      throw wrong(part, "cannot follow a linear layer");
    } else if (part.equals("m") && height > 1 && width > 1) {
      pools++;
      x = layers.maxPool2("pool" + pools, x);
      height /= 2;
      width /= 2;
    } else if (part.equals("g")) {
      pools++;
      x = layers.apply("pool" + pools, "GlobalAveragePool", x);
      height = 1;
      width = 1;
    } else if (convolution.matches()) {
      convolution(part, convolution);
    } else {
      throw wrong(part, "is no layer of images of %d×%d".formatted(height, width));
    }
  }

  private void linear(long units, boolean last) {
    if (!flat) {
      x = layers.apply("flatten", "Flatten", x);
      channels *= height * width;
      flat = true;
    }
    linears++;
    String name = "fc" + linears;
    x = layers.linear(name, x, last ? "logits" : name + ".out", units, channels);
    x = last ? x : layers.apply(name + ".relu", "Relu", x);
    channels = units;
  }

  private void convolution(String part, Matcher given) {
    long out = Long.parseLong(given.group(1));
    long size = given.group(2) == null ? 3 : Long.parseLong(given.group(2));
    long stride = given.group(3) == null ? 1 : Long.parseLong(given.group(3));
    if (out < 1 || size < 1 || stride < 1) {
      throw wrong(part, "has a 0");
    }
    boolean norm = given.group(4) != null;
    convolutions++;
    String name = "conv" + convolutions;
    x = layers.convolution(name, x, new Kernel(out, channels, size, stride, size / 2, !norm));
    if (norm) {
      x = layers.normalization("bn" + convolutions, x, out);
    }
    x = layers.apply(name + ".relu", "Relu", x);
    channels = out;
    height = (height + 2 * (size / 2) - size) / stride + 1;
    width = (width + 2 * (size / 2) - size) / stride + 1;
  }

  private static IllegalArgumentException wrong(String part, String what) {
    return new IllegalArgumentException("'%s' %s; %s".formatted(part, what, FORM));
  }
}
