package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.solver.Hessian;
import io.github.secateur.solver.LayerProblem;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;

/**
 * A layer's weight and mask as the matrix [outputs, inputs] that it multiplies by, whichever way
 * they are stored; of a convolution the inputs are channels of a group times the places of the
 * window, in this order (as the patterns but N:M count them), or place by place, at each the
 * channels.
 */
final class LayerMatrix {
  private final Layer layer;
  private final int outputs;
  private final int inputs;
  private final float[] weights;
  private final boolean[] kept;
  private final boolean byPlace;
  private final int[] order; // the input, as stored, of each column

  private LayerMatrix(Layer layer, Tensor weight, Mask mask, boolean byPlace) {
    this.layer = layer;
    this.outputs = Math.toIntExact(layer.units());
    this.inputs = Math.toIntExact(layer.size() / Math.max(1, layer.units()));
    this.byPlace = byPlace;
    this.order = new int[inputs];
    int channels = byPlace ? Math.toIntExact(layer.shape().dim(layer.inputAxis())) : inputs;
    for (int i = 0; i < inputs; i++) {
      order[i] = i % channels * (inputs / channels) + i / channels;
    }
    this.weights = new float[outputs * inputs];
    this.kept = new boolean[weights.length];
    for (int i = 0; i < weights.length; i++) {
      long at = stored(i);
      weights[i] = weight.getFloat(at);
      kept[i] = mask == null || mask.kept(at);
    }
  }

  /**
   * @param byPlace whether the channels at one place of a window lie side by side
   */
  static LayerMatrix of(Layer layer, Model model, boolean byPlace) {
    return new LayerMatrix(
        layer,
        model.graph().initializer(layer.parameter()),
        model.masks().get(layer.parameter()),
        byPlace);
  }

  /** Flat index in the tensor of an element of the matrix. */
  private long stored(int i) {
    int output = i / inputs;
    int input = order[i % inputs];
    return layer.outputAxis() == 0
        ? (long) output * inputs + input
        : (long) input * outputs + output;
  }

  /**
   * A part of the outputs as a problem of its own.
   *
   * @param hessian of its inputs as stored
   * @param group of as many as the Hessians that the layer has
   */
  LayerProblem problem(Hessian hessian, int group, int groups, double damping) {
    int from = from(group, groups);
    int to = from(group + 1, groups);
    return new LayerProblem(
        outputs / groups,
        Arrays.copyOfRange(weights, from, to),
        Arrays.copyOfRange(kept, from, to),
        byPlace ? hessian.inOrder(order) : hessian,
        damping);
  }

  /** Takes the solution of a part. */
  void take(LayerProblem.Solution solution, int group, int groups) {
    int from = from(group, groups);
    System.arraycopy(solution.weights(), 0, weights, from, solution.weights().length);
    System.arraycopy(solution.kept(), 0, kept, from, solution.kept().length);
  }

  private int from(int group, int groups) {
    return outputs / groups * group * inputs;
  }

  /** The weights as stored. */
  Tensor tensor() {
    Tensor tensor = Tensor.zeros(DType.F32, layer.shape());
    for (int i = 0; i < weights.length; i++) {
      tensor.setFloat(stored(i), weights[i]);
    }
    return tensor;
  }

  /** The mask as stored. */
  Mask mask() {
    Mask mask = Mask.zeros(layer.shape());
    for (int i = 0; i < kept.length; i++) {
      mask.set(stored(i), kept[i]);
    }
    return mask;
  }
}
