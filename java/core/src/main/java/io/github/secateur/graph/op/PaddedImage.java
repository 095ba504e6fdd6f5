package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Op;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/**
 * An image with its padding written out, for means that count the padding but not what lies beyond.
 *
 * @param image in scratch memory
 * @param inner shape of the image within
 * @param from first place of the image within
 * @param window the window over the padded image
 */
record PaddedImage(DeviceTensor image, Shape inner, long[] from, Window window) {
  static PaddedImage of(Sliding sliding, Op.Run run) {
    Shape inner = sliding.image();
    Pads pads = sliding.declared().pads();
    Shape shape =
        Shape.of(
            inner.dim(0),
            inner.dim(1),
            pads.top() + inner.dim(2) + pads.bottom(),
            pads.left() + inner.dim(3) + pads.right());
    Pads all = sliding.window().pads();
    Pads beyond = new Pads(0, 0, all.bottom() - pads.bottom(), all.right() - pads.right());
    Window w = sliding.window();
    return new PaddedImage(
        new DeviceTensor(run.scratch(shape.size() * 4), 0, DType.F32, shape),
        inner,
        new long[] {0, 0, pads.top(), pads.left()},
        new Window(w.kernel(), w.stride(), w.dilation(), beyond));
  }

  /** Copies an image into the middle of zeros. */
  void fill(NnOps nn, DeviceTensor x) {
    nn.fill(0, image);
    nn.copyBox(inner.dims(), new long[4], x, from, image);
  }

  /** Copies the middle out. */
  void take(NnOps nn, DeviceTensor x) {
    nn.copyBox(inner.dims(), from, image, new long[4], x);
  }
}
