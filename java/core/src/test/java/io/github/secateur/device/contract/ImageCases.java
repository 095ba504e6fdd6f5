package io.github.secateur.device.contract;

import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Windows over images, and what they compute in plain loops of double precision. */
final class ImageCases {
  private ImageCases() {}

  /** A window over images x [batch, channels, height, width]. */
  record Case(Window window, Shape x) {
    Shape y() {
      return y(x.dim(1));
    }

    Shape y(long channels) {
      return Shape.of(x.dim(0), channels, window.outHeight(x.dim(2)), window.outWidth(x.dim(3)));
    }

    Shape columns() {
      return Shape.of(x.dim(1) * window.kernel().h() * window.kernel().w(), y(1).size());
    }
  }

  /** A convolution to a number of output channels. */
  record Conv(Case over, int groups, long outputs) {
    Convolution convolution() {
      return new Convolution(over.window(), groups);
    }

    Shape w() {
      Extent kernel = over.window().kernel();
      return Shape.of(outputs, over.x().dim(1) / groups, kernel.h(), kernel.w());
    }

    Shape y() {
      return over.y(outputs);
    }
  }

  private static Window window(int kernel, int stride, int dilation, int pad) {
    return new Window(
        new Extent(kernel, kernel),
        new Extent(stride, stride),
        new Extent(dilation, dilation),
        new Pads(pad, pad, pad, pad));
  }

  /** Square and oblong, padded on one side, strided, dilated, of one place, and an empty batch. */
  static final List<Case> WINDOWS =
      List.of(
          new Case(window(1, 1, 1, 0), Shape.of(1, 1, 1, 1)),
          new Case(window(1, 1, 1, 0), Shape.of(2, 3, 5, 7)),
          new Case(window(2, 2, 1, 0), Shape.of(2, 3, 8, 8)),
          new Case(window(2, 2, 1, 0), Shape.of(1, 2, 7, 9)),
          new Case(window(3, 1, 1, 1), Shape.of(2, 3, 6, 5)),
          new Case(window(3, 2, 1, 1), Shape.of(2, 2, 9, 8)),
          new Case(window(3, 1, 2, 2), Shape.of(1, 2, 8, 11)),
          new Case(window(3, 3, 3, 1), Shape.of(1, 1, 13, 12)),
          new Case(window(5, 1, 1, 0), Shape.of(3, 1, 28, 28)),
          new Case(window(4, 4, 1, 0), Shape.of(2, 5, 4, 4)),
          new Case(window(2, 3, 1, 0), Shape.of(2, 1, 8, 7)),
          new Case(window(3, 1, 1, 1), Shape.of(3, 4, 1, 1)),
          new Case(
              new Window(
                  new Extent(1, 5), new Extent(1, 2), new Extent(1, 1), new Pads(0, 3, 0, 1)),
              Shape.of(2, 3, 1, 33)),
          new Case(
              new Window(
                  new Extent(2, 3), new Extent(3, 1), new Extent(2, 1), new Pads(1, 0, 2, 2)),
              Shape.of(2, 2, 7, 6)),
          new Case(window(3, 1, 1, 1), Shape.of(0, 2, 4, 4)));

  /** Dense, grouped and depthwise convolutions over those windows and some larger ones. */
  static List<Conv> convolutions() {
    List<Conv> all = new ArrayList<>();
    for (Case over : WINDOWS) {
      int channels = (int) over.x().dim(1);
      all.add(new Conv(over, 1, 1));
      all.add(new Conv(over, 1, 7));
      all.add(new Conv(over, channels, 2L * channels));
    }
    all.add(new Conv(new Case(window(3, 1, 1, 1), Shape.of(2, 6, 7, 7)), 2, 10));
    all.add(new Conv(new Case(window(3, 2, 1, 1), Shape.of(3, 16, 8, 8)), 1, 33));
    all.add(new Conv(new Case(window(5, 1, 1, 0), Shape.of(5, 20, 12, 12)), 1, 50));
    all.add(new Conv(new Case(window(3, 1, 1, 1), Shape.of(2, 64, 8, 8)), 64, 64));
    return all;
  }

  /** What meets at place (k, l) of the window and output (i, j): an element of a plane, or −1. */
  static int meeting(Case over, int i, int j, int k, int l) {
    Window w = over.window();
    int row = i * w.stride().h() + k * w.dilation().h() - w.pads().top();
    int col = j * w.stride().w() + l * w.dilation().w() - w.pads().left();
    int height = (int) over.x().dim(2);
    int width = (int) over.x().dim(3);
    return row < 0 || row >= height || col < 0 || col >= width ? -1 : row * width + col;
  }

  /** Takes the pairs of elements of an input plane and an output plane at one place. */
  interface Meeting {
    void at(int k, int l, int in, int out);
  }

  /** Every pair of elements of a plane that meets, outputs in order, then places in order. */
  static void forAll(Case over, Meeting meeting) {
    Shape y = over.y();
    Extent kernel = over.window().kernel();
    for (int i = 0; i < y.dim(2); i++) {
      for (int j = 0; j < y.dim(3); j++) {
        for (int k = 0; k < kernel.h(); k++) {
          for (int l = 0; l < kernel.w(); l++) {
            int in = meeting(over, i, j, k, l);
            if (in >= 0) {
              meeting.at(k, l, in, i * (int) y.dim(3) + j);
            }
          }
        }
      }
    }
  }

  /** Takes the elements of x, w and y that are multiplied and added. */
  interface Product {
    void of(int x, int w, int y);
  }

  /** Every product of a convolution. */
  static void forProducts(Conv conv, Product product) {
    Case over = conv.over();
    int plane = (int) (over.x().dim(2) * over.x().dim(3));
    int outPlane = (int) (conv.y().dim(2) * conv.y().dim(3));
    int channels = (int) over.x().dim(1);
    int seen = (int) conv.w().dim(1);
    int perGroup = (int) conv.outputs() / conv.groups();
    Extent kernel = over.window().kernel();
    for (int n = 0; n < over.x().dim(0); n++) {
      for (int o = 0; o < conv.outputs(); o++) {
        for (int c = 0; c < seen; c++) {
          int from = (n * channels + o / perGroup * seen + c) * plane;
          int weights = (o * seen + c) * kernel.h() * kernel.w();
          int to = (n * (int) conv.outputs() + o) * outPlane;
          forAll(
              over,
              (k, l, in, out) -> product.of(from + in, weights + k * kernel.w() + l, to + out));
        }
      }
    }
  }
}
