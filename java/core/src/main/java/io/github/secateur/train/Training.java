package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import java.util.Collection;
import java.util.Set;

/** A training run in progress, as hooks see it. */
public interface Training {
  /** Where it runs. */
  Device device();

  /**
   * The model as given, without loss and gradient nodes; its initializers are those of the start.
   */
  Model model();

  /** Current parameters, on the device. */
  Parameters parameters();

  /** Parameters that are trained, in graph order. */
  Set<String> trained();

  /**
   * Gradient of a trained parameter, valid from {@link TrainHook#afterGradients} to the step's end.
   */
  DeviceTensor gradient(String parameter);

  /** Whether a parameter has a mask. */
  boolean hasMask(String parameter);

  /**
   * The mask of a parameter, made on first use (all kept). Written in place by pruning, which then
   * calls {@link #maskChanged}; every optimizer step then keeps masked weights and their optimizer
   * state at exactly +0.
   */
  DeviceMask mask(String parameter);

  /**
   * To be told whenever a mask was written: layers that run sparse are then packed anew before the
   * next step. Without it, weights that a mask keeps again would stay out of their products.
   */
  void maskChanged(String parameter);

  /**
   * Proximal step of the penalty λ · Σ|w| after the optimizer's own step, in the optimizer's metric
   * (ProxGen: Yun, Lozano &amp; Yang, arXiv 2003.07336, section 4): w ← sign(w) · max(|w| − t, 0)
   * with t = lr · λ for SGD and t = lr · λ / (√v̂ + ε) for Adam, v̂ the bias-corrected second
   * moment of the weight. Decoupled, as weight decay is in AdamW: no moment sees it. Masked weights
   * stay +0. Call it from {@link TrainHook#afterUpdate}; λ is that of {@link #setPenalty}.
   *
   * @param parameters trained parameters
   */
  void softThreshold(Collection<String> parameters);

  /**
   * Uploads λ for {@link #softThreshold}, from {@link TrainHook#beforeStep}.
   *
   * @param lambda 0 or more, in units of the gradient
   */
  void setPenalty(float lambda);

  /**
   * Fresh optimizer state, as before the first step: the moments of all parameters become +0, and
   * the count of steps that bias correction goes by starts anew. Call it from {@link
   * TrainHook#beforeStep}.
   */
  void resetOptimizer();

  /**
   * Adam's second moment of a trained parameter, of which the optimizer divides steps by the root,
   * not yet divided by {@link #momentCorrection}; null under SGD, which divides by nothing.
   */
  DeviceTensor secondMoment(String parameter);

  /** The bias correction 1 − β2^n of {@link #secondMoment} in the current step; 1 under SGD. */
  double momentCorrection();

  /** I64 [2] {seed, counter} of random draws on the device. */
  DeviceTensor randomState();

  /** The current step, counted from 0 over the whole run. */
  long step();

  /** Steps of the whole run. */
  long totalSteps();

  /** Steps of one epoch. */
  long stepsPerEpoch();

  /** The current epoch, from 0. */
  int epoch();

  /** Learning rate of the current step. */
  float learningRate();
}
