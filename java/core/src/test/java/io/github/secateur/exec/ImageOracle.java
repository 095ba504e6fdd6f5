package io.github.secateur.exec;

import io.github.secateur.exec.GraphOracle.Nd;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Convolution, pooling, normalization, boxes and reductions in double precision, place by place
 * from the definitions of ONNX. Signals are taken as images of height 1.
 */
final class ImageOracle {
  private ImageOracle() {}

  /** Whether it knows an operator. */
  static boolean knows(Node node) {
    return node.opType()
        .matches(
            "Conv|(Global)?(Max|Average)Pool|BatchNormalization|Concat|Slice|Pad|Clip|Reduce(Mean|Sum)|Sum");
  }

  static List<Nd> apply(Node node, List<Nd> in) {
    Nd x = in.getFirst();
    return List.of(
        switch (node.opType()) {
          case "Conv" -> conv(node, in);
          case "MaxPool", "AveragePool" -> pool(Slide.of(node, image(x), kernel(node)), node, x);
          case "GlobalMaxPool", "GlobalAveragePool" -> {
            Nd image = image(x);
            int[] all = {(int) image.shape().dim(2), (int) image.shape().dim(3)};
            yield pool(Slide.plain(image, all), node, x);
          }
          case "BatchNormalization" -> normalize(node, in);
          case "Concat" -> concat(node, in);
          case "Slice" -> slice(in);
          case "Pad" -> pad(in);
          case "Clip" -> clip(in);
          case "ReduceMean", "ReduceSum" -> reduce(node, in);
          case "Sum" -> sum(in);
          default -> throw new IllegalArgumentException("oracle: " + node);
        });
  }

  private static Nd image(Nd x) {
    Shape s = x.shape();
    return s.rank() == 3 ? x.as(s.dim(0), s.dim(1), 1, s.dim(2)) : x;
  }

  private static Nd like(Nd image, Nd x) {
    Shape s = image.shape();
    return x.shape().rank() == 3 ? image.as(s.dim(0), s.dim(1), s.dim(3)) : image;
  }

  private static int[] kernel(Node node) {
    List<Long> k = node.intsAttribute("kernel_shape", null);
    return k.size() == 1
        ? new int[] {1, k.get(0).intValue()}
        : new int[] {k.get(0).intValue(), k.get(1).intValue()};
  }

  /** A window along height (0) and width (1). */
  record Slide(int[] kernel, int[] stride, int[] dilation, int[] before, int[] after, int[] out) {
    static Slide plain(Nd image, int[] kernel) {
      int[] one = {1, 1};
      int[] none = {0, 0};
      int[] out = {
        (int) image.shape().dim(2) - kernel[0] + 1, (int) image.shape().dim(3) - kernel[1] + 1
      };
      return new Slide(kernel, one, one, none, none, out);
    }

    static Slide of(Node node, Nd image, int[] kernel) {
      int[] stride = two(node, "strides");
      int[] dilation = two(node, "dilations");
      List<Long> pads = node.intsAttribute("pads", List.of(0L, 0L, 0L, 0L));
      if (pads.size() == 2) {
        pads = List.of(0L, pads.get(0), 0L, pads.get(1));
      }
      int[] before = {pads.get(0).intValue(), pads.get(1).intValue()};
      int[] after = {pads.get(2).intValue(), pads.get(3).intValue()};
      int[] out = new int[2];
      for (int a = 0; a < 2; a++) {
        int size = (int) image.shape().dim(2 + a);
        int reach = dilation[a] * (kernel[a] - 1) + 1;
        String auto = node.textAttribute("auto_pad", "NOTSET");
        if (auto.startsWith("SAME")) {
          out[a] = (size + stride[a] - 1) / stride[a];
          int all = Math.max(0, (out[a] - 1) * stride[a] + reach - size);
          before[a] = auto.endsWith("UPPER") ? all / 2 : all - all / 2;
          after[a] = all - before[a];
        }
        double steps = (double) (size + before[a] + after[a] - reach) / stride[a];
        if (node.intAttribute("ceil_mode", 0) == 1) {
          out[a] = (int) Math.ceil(steps) + 1;
          if ((out[a] - 1) * stride[a] >= size + before[a]) {
            out[a]--;
          }
        } else {
          out[a] = (int) Math.floor(steps) + 1;
        }
      }
      return new Slide(kernel, stride, dilation, before, after, out);
    }

    private static int[] two(Node node, String attribute) {
      List<Long> v = node.intsAttribute(attribute, List.of(1L, 1L));
      return v.size() == 1
          ? new int[] {1, v.get(0).intValue()}
          : new int[] {v.get(0).intValue(), v.get(1).intValue()};
    }

    int place(int axis, int output, int k) {
      return output * stride[axis] + k * dilation[axis] - before[axis];
    }
  }

  private static Nd conv(Node node, List<Nd> in) {
    Nd x = image(in.get(0));
    Nd w = image(in.get(1));
    int[] kernel = {(int) w.shape().dim(2), (int) w.shape().dim(3)};
    Slide s = Slide.of(node, x, kernel);
    int batch = (int) x.shape().dim(0);
    int channels = (int) x.shape().dim(1);
    int height = (int) x.shape().dim(2);
    int width = (int) x.shape().dim(3);
    int outputs = (int) w.shape().dim(0);
    int inner = (int) w.shape().dim(1);
    int perGroup = outputs / (int) node.intAttribute("group", 1);
    double[] y = new double[batch * outputs * s.out[0] * s.out[1]];
    int at = 0;
    for (int n = 0; n < batch; n++) {
      for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < s.out[0]; i++) {
          for (int j = 0; j < s.out[1]; j++, at++) {
            y[at] = in.size() > 2 ? in.get(2).data()[o] : 0;
            for (int c = 0; c < inner; c++) {
              for (int k = 0; k < kernel[0]; k++) {
                for (int l = 0; l < kernel[1]; l++) {
                  int r = s.place(0, i, k);
                  int q = s.place(1, j, l);
                  if (r >= 0 && r < height && q >= 0 && q < width) {
                    int channel = o / perGroup * inner + c;
                    y[at] +=
                        w.data()[((o * inner + c) * kernel[0] + k) * kernel[1] + l]
                            * x.data()[((n * channels + channel) * height + r) * width + q];
                  }
                }
              }
            }
          }
        }
      }
    }
    return like(new Nd(Shape.of(batch, outputs, s.out[0], s.out[1]), y), in.get(0));
  }

  private static Nd pool(Slide s, Node node, Nd given) {
    Nd x = image(given);
    boolean max = node.opType().contains("Max");
    boolean countPads = node.intAttribute("count_include_pad", 0) == 1;
    int planes = (int) (x.shape().dim(0) * x.shape().dim(1));
    int height = (int) x.shape().dim(2);
    int width = (int) x.shape().dim(3);
    double[] y = new double[planes * s.out[0] * s.out[1]];
    int at = 0;
    for (int p = 0; p < planes; p++) {
      for (int i = 0; i < s.out[0]; i++) {
        for (int j = 0; j < s.out[1]; j++, at++) {
          double largest = Double.NEGATIVE_INFINITY;
          double sum = 0;
          int count = 0;
          for (int k = 0; k < s.kernel[0]; k++) {
            for (int l = 0; l < s.kernel[1]; l++) {
              int r = s.place(0, i, k);
              int q = s.place(1, j, l);
              if (r >= 0 && r < height && q >= 0 && q < width) {
                double v = x.data()[(p * height + r) * width + q];
                largest = Math.max(largest, v);
                sum += v;
                count++;
              } else if (countPads && r < height + s.after[0] && q < width + s.after[1]) {
                count++;
              }
            }
          }
          y[at] = max ? largest : sum / count;
        }
      }
    }
    Shape shape = x.shape();
    return like(new Nd(Shape.of(shape.dim(0), shape.dim(1), s.out[0], s.out[1]), y), given);
  }

  /** By the statistics of the batch in training_mode, else by inputs 3 and 4. */
  private static Nd normalize(Node node, List<Nd> in) {
    Nd x = in.getFirst();
    int batch = (int) x.shape().dim(0);
    int channels = (int) x.shape().dim(1);
    int places = x.data().length / batch / channels;
    double[] y = new double[x.data().length];
    boolean training = node.intAttribute("training_mode", 0) == 1;
    for (int c = 0; c < channels; c++) {
      double mean = training ? 0 : in.get(3).data()[c];
      double variance = training ? 0 : in.get(4).data()[c];
      for (int i = 0; training && i < y.length; i++) {
        mean += i / places % channels == c ? x.data()[i] / batch / places : 0;
      }
      for (int i = 0; training && i < y.length; i++) {
        double d = x.data()[i] - mean;
        variance += i / places % channels == c ? d * d / batch / places : 0;
      }
      double deviation = Math.sqrt(variance + node.realAttribute("epsilon", 1e-5f));
      for (int i = 0; i < y.length; i++) {
        if (i / places % channels == c) {
          y[i] = in.get(1).data()[c] * (x.data()[i] - mean) / deviation + in.get(2).data()[c];
        }
      }
    }
    return new Nd(x.shape(), y);
  }

  /** Copies every place of x whose position, moved, lies in y. */
  private static void move(Nd x, long[] by, Shape shape, double[] y) {
    for (int i = 0; i < x.data().length; i++) {
      long rest = i;
      long target = 0;
      long stride = 1;
      boolean inside = true;
      for (int d = shape.rank() - 1; d >= 0; d--) {
        long position = rest % x.shape().dim(d) + by[d];
        rest /= x.shape().dim(d);
        inside &= position >= 0 && position < shape.dim(d);
        target += position * stride;
        stride *= shape.dim(d);
      }
      if (inside) {
        y[(int) target] = x.data()[i];
      }
    }
  }

  private static Nd concat(Node node, List<Nd> in) {
    int rank = in.getFirst().shape().rank();
    int axis = Math.floorMod((int) node.intAttribute("axis", 1), rank);
    long[] dims = in.getFirst().shape().dims();
    dims[axis] = in.stream().mapToLong(x -> x.shape().dim(axis)).sum();
    Shape shape = Shape.of(dims);
    double[] y = new double[(int) shape.size()];
    long[] by = new long[rank];
    for (Nd x : in) {
      move(x, by, shape, y);
      by[axis] += x.shape().dim(axis);
    }
    return new Nd(shape, y);
  }

  private static long[] axes(List<Nd> in, int input, int count) {
    if (in.size() <= input) {
      return LongStream.range(0, count).toArray();
    }
    return Arrays.stream(in.get(input).data()).mapToLong(v -> (long) v).toArray();
  }

  private static Nd slice(List<Nd> in) {
    Nd x = in.getFirst();
    long[] dims = x.shape().dims();
    long[] by = new long[dims.length];
    long[] axes = axes(in, 3, in.get(1).data().length);
    for (int i = 0; i < axes.length; i++) {
      int d = Math.floorMod((int) axes[i], dims.length);
      long size = x.shape().dim(d);
      double start = in.get(1).data()[i];
      double end = Math.min(in.get(2).data()[i], size);
      by[d] = -(long) (start < 0 ? start + size : start);
      dims[d] = (long) (end < 0 ? end + size : end) + by[d];
    }
    Shape shape = Shape.of(dims);
    double[] y = new double[(int) shape.size()];
    move(x, by, shape, y);
    return new Nd(shape, y);
  }

  private static Nd pad(List<Nd> in) {
    Nd x = in.getFirst();
    long[] dims = x.shape().dims();
    long[] by = new long[dims.length];
    double[] pads = in.get(1).data();
    long[] axes = axes(in, 3, pads.length / 2);
    for (int i = 0; i < axes.length; i++) {
      int d = Math.floorMod((int) axes[i], dims.length);
      by[d] = (long) pads[i];
      dims[d] += (long) (pads[i] + pads[axes.length + i]);
    }
    Shape shape = Shape.of(dims);
    double[] y = new double[(int) shape.size()];
    Arrays.fill(y, in.size() > 2 ? in.get(2).data()[0] : 0);
    move(x, by, shape, y);
    return new Nd(shape, y);
  }

  private static Nd clip(List<Nd> in) {
    double low = in.get(1).data()[0];
    double high = in.get(2).data()[0];
    double[] y = Arrays.stream(in.getFirst().data()).map(v -> Math.clamp(v, low, high)).toArray();
    return new Nd(in.getFirst().shape(), y);
  }

  private static Nd reduce(Node node, List<Nd> in) {
    Nd x = in.getFirst();
    int rank = x.shape().rank();
    List<Long> given = node.intsAttribute("axes", null);
    long[] axes =
        given == null ? axes(in, 1, rank) : given.stream().mapToLong(Long::longValue).toArray();
    long[] kept = x.shape().dims();
    boolean[] gone = new boolean[rank];
    for (long axis : axes) {
      gone[Math.floorMod((int) axis, rank)] = true;
      kept[Math.floorMod((int) axis, rank)] = 1;
    }
    List<Long> left = new ArrayList<>();
    for (int d = 0; d < rank; d++) {
      if (!gone[d] || node.intAttribute("keepdims", 1) == 1) {
        left.add(kept[d]);
      }
    }
    Shape target = Shape.of(kept);
    double[] y = new double[(int) target.size()];
    double share = node.opType().equals("ReduceMean") ? (double) y.length / x.data().length : 1;
    for (int i = 0; i < x.data().length; i++) {
      long rest = i;
      long at = 0;
      long stride = 1;
      for (int d = rank - 1; d >= 0; d--) {
        at += gone[d] ? 0 : rest % x.shape().dim(d) * stride;
        rest /= x.shape().dim(d);
        stride *= kept[d];
      }
      y[(int) at] += x.data()[i] * share;
    }
    return new Nd(target, y).as(left.stream().mapToLong(Long::longValue).toArray());
  }

  private static Nd sum(List<Nd> in) {
    double[] y = new double[in.getFirst().data().length];
    for (Nd x : in) {
      for (int i = 0; i < y.length; i++) {
        y[i] += x.data()[x.data().length == 1 ? 0 : i];
      }
    }
    return new Nd(in.getFirst().shape(), y);
  }
}
