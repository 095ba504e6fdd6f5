package io.github.secateur.prune;

import io.github.secateur.device.PruneOps.Boxes;
import io.github.secateur.tensor.Shape;

/**
 * How patterns lie in stored weights. The weights of all layers are [lead, outputs, inputs, window]
 * or [lead, inputs, outputs, window], some of these of extent 1: [out, in] of Gemm, [in, out] of
 * MatMul, [out, in, window] of Conv, [in, out, window] of ConvTranspose, [directions, out, in] of
 * recurrent layers.
 */
final class Cuts {
  private Cuts() {}

  /**
   * The weight as matrices [matrices, along, across], groups running along the middle axis.
   *
   * @param axis OUTPUT or INPUT; of a convolution the channels at one place of its window
   */
  static Shape around(Layer layer, Pattern.Axis axis) {
    int d = axis == Pattern.Axis.OUTPUT ? layer.outputAxis() : layer.inputAxis();
    Shape shape = layer.shape();
    return Shape.of(product(shape, 0, d), shape.dim(d), product(shape, d + 1, shape.rank()));
  }

  /** Blocks of the layer's matrix. */
  static Boxes blocks(Layer layer, Pattern.Block block) {
    Stored s = Stored.of(layer);
    if (s.outputsFirst()) {
      Shape matrix = Shape.of(s.lead, s.outputs, s.inputs * s.window);
      return boxes(matrix, 1, block.outputs(), block.inputs());
    }
    if (s.window == 1) {
      return boxes(Shape.of(s.lead, s.inputs, s.outputs), 1, block.inputs(), block.outputs());
    }
    // The inputs of ConvTranspose lie apart: its blocks are of channels at one place of the window.
    Shape matrix = Shape.of(s.inputs, s.outputs, s.window);
    return boxes(matrix, block.inputs(), block.outputs(), 1);
  }

  /** Outputs (filters) or inputs (channels over the window). */
  static Boxes lines(Layer layer, Pattern.Axis axis) {
    Shape s = around(layer, axis);
    boolean eachLead = axis == Pattern.Axis.OUTPUT && Stored.of(layer).outputsFirst();
    return boxes(s, eachLead ? 1 : s.dim(0), 1, s.dim(2));
  }

  private static Boxes boxes(Shape tensor, long planes, long rows, long columns) {
    return new Boxes(
        tensor,
        Shape.of(
            Math.min(planes, tensor.dim(0)),
            Math.min(rows, tensor.dim(1)),
            Math.min(columns, tensor.dim(2))));
  }

  private static long product(Shape shape, int from, int to) {
    long product = 1;
    for (int d = from; d < to; d++) {
      product *= shape.dim(d);
    }
    return product;
  }

  /** Extents of a stored weight. */
  private record Stored(boolean outputsFirst, long lead, long outputs, long inputs, long window) {
    static Stored of(Layer layer) {
      Shape shape = layer.shape();
      int first = Math.min(layer.outputAxis(), layer.inputAxis());
      return new Stored(
          layer.outputAxis() == first,
          product(shape, 0, first),
          shape.dim(layer.outputAxis()),
          shape.dim(layer.inputAxis()),
          product(shape, first + 2, shape.rank()));
    }
  }
}
