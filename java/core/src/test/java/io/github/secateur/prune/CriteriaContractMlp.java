package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Activation;
import io.github.secateur.nn.MlpOptions;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A multilayer perceptron in double precision: its mean softmax cross-entropy, the gradients and
 * Hessian-vector products of its weights (Pearlmutter 1994: the derivative of each statement of
 * backpropagation along a direction), by plain loops.
 *
 * @param sizes features, hidden units, classes
 * @param relu ReLU, or else tanh
 */
record CriteriaContractMlp(List<Integer> sizes, boolean relu) {
  /** The network with random weights and biases. */
  Model model(long seed) {
    Model model =
        Networks.mlp(MlpOptions.of(sizes, seed).with(relu ? Activation.RELU : Activation.TANH));
    SplittableRandom random = new SplittableRandom(seed);
    model
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              for (long i = 0; i < tensor.size(); i++) {
                tensor.setFloat(i, (float) (random.nextGaussian() * 0.7));
              }
            });
    return model;
  }

  /** Random samples of every class. */
  Samples samples(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(count, sizes.getFirst()));
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextGaussian());
    }
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % sizes.getLast();
    }
    return new Samples(x, Tensor.ofInts(Shape.of(count), labels), sizes.getLast(), "", "random");
  }

  int layers() {
    return sizes.size() - 1;
  }

  private static double[] doubles(Tensor t) {
    double[] values = new double[(int) t.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = t.getFloat(i);
    }
    return values;
  }

  /**
   * What a pass over samples from .. to gives.
   *
   * @param gradients of the weights by layer
   * @param products Hessian times the direction, by layer
   */
  record Pass(double loss, List<double[]> gradients, List<double[]> products) {}

  /** The mean over samples, along a direction of the weights (by layer) or null. */
  Pass pass(List<double[]> weights, List<double[]> biases, Range range, List<double[]> direction) {
    int n = layers();
    List<double[]> gradients = new ArrayList<>();
    List<double[]> products = new ArrayList<>();
    for (int l = 0; l < n; l++) {
      gradients.add(new double[weights.get(l).length]);
      products.add(new double[weights.get(l).length]);
    }
    double loss = 0;
    double[] all = doubles(range.samples().x());
    for (int s = range.from(); s < range.to(); s++) {
      List<double[]> a = new ArrayList<>();
      List<double[]> ra = new ArrayList<>();
      double[] x = new double[sizes.getFirst()];
      System.arraycopy(all, s * x.length, x, 0, x.length);
      a.add(x);
      ra.add(new double[x.length]);
      for (int l = 0; l < n; l++) {
        double[] v = direction == null ? new double[weights.get(l).length] : direction.get(l);
        double[] z = biases.get(l).clone();
        double[] rz = new double[z.length];
        for (int o = 0; o < z.length; o++) {
          for (int i = 0; i < sizes.get(l); i++) {
            int w = o * sizes.get(l) + i;
            z[o] += weights.get(l)[w] * a.get(l)[i];
            rz[o] += v[w] * a.get(l)[i] + weights.get(l)[w] * ra.get(l)[i];
          }
          if (l < n - 1) {
            double y = relu ? Math.max(z[o], 0) : Math.tanh(z[o]);
            rz[o] *= slope(y);
            z[o] = y;
          }
        }
        a.add(z);
        ra.add(rz);
      }
      double[] delta = new double[sizes.getLast()];
      double[] rdelta = new double[delta.length];
      loss += output(range, s, a.getLast(), ra.getLast(), delta, rdelta);
      for (int l = n - 1; l >= 0; l--) {
        double[] v = direction == null ? new double[weights.get(l).length] : direction.get(l);
        int in = sizes.get(l);
        double[] back = new double[in];
        double[] rback = new double[in];
        for (int o = 0; o < delta.length; o++) {
          for (int i = 0; i < in; i++) {
            int w = o * in + i;
            gradients.get(l)[w] += delta[o] * a.get(l)[i];
            products.get(l)[w] += rdelta[o] * a.get(l)[i] + delta[o] * ra.get(l)[i];
            back[i] += weights.get(l)[w] * delta[o];
            rback[i] += v[w] * delta[o] + weights.get(l)[w] * rdelta[o];
          }
        }
        for (int i = 0; l > 0 && i < in; i++) {
          double y = a.get(l)[i];
          double curvature = relu ? 0 : -2 * y * ra.get(l)[i];
          rback[i] = rback[i] * slope(y) + back[i] * curvature;
          back[i] *= slope(y);
        }
        delta = back;
        rdelta = rback;
      }
    }
    return new Pass(loss, gradients, products);
  }

  /**
   * Samples of a mean.
   *
   * @param temperature divides the logits
   */
  record Range(Samples samples, int from, int to, double temperature) {}

  private static double output(
      Range range, int sample, double[] z, double[] rz, double[] delta, double[] rdelta) {
    double t = range.temperature();
    double n = range.to() - range.from();
    int label = range.samples().labels().getInt(sample);
    double sum = 0;
    for (double value : z) {
      sum += Math.exp(value / t);
    }
    double mean = 0;
    for (int c = 0; c < z.length; c++) {
      mean += Math.exp(z[c] / t) / sum * rz[c] / t;
    }
    for (int c = 0; c < z.length; c++) {
      double p = Math.exp(z[c] / t) / sum;
      delta[c] = (p - (c == label ? 1 : 0)) / (t * n);
      rdelta[c] = p * (rz[c] / t - mean) / (t * n);
    }
    return (Math.log(sum) - z[label] / t) / n;
  }

  /** Derivative of the nonlinearity by its value. */
  private double slope(double y) {
    return relu ? (y > 0 ? 1 : 0) : 1 - y * y;
  }

  /** Weights by layer, as doubles. */
  List<double[]> weights(Model model) {
    return all(model, "weight");
  }

  /** Biases by layer, as doubles. */
  List<double[]> biases(Model model) {
    return all(model, "bias");
  }

  private List<double[]> all(Model model, String what) {
    List<double[]> values = new ArrayList<>();
    for (int l = 1; l <= layers(); l++) {
      values.add(doubles(model.graph().initializer("fc" + l + "." + what)));
    }
    return values;
  }
}
