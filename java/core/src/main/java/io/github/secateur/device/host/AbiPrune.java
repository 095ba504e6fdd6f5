package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.INT;
import static io.github.secateur.device.host.Abi.LONG;

import java.lang.invoke.MethodHandle;

/**
 * Scores, selection, masks and sparsifying steps of secateur.h, one to one. Each returns a status.
 */
final class AbiPrune {
  private static final MethodHandle SCORE_MAGNITUDE =
      Abi.operation("secateur_score_magnitude", INT, LONG, LONG, LONG);
  private static final MethodHandle SCORE_UNITS =
      Abi.operation("secateur_score_units", INT, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle ACTIVATION_ACCUMULATE =
      Abi.operation("secateur_activation_accumulate", LONG, LONG, LONG, LONG);
  private static final MethodHandle ACTIVATION_SCORES =
      Abi.operation("secateur_activation_scores", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SELECT =
      Abi.operation("secateur_select", INT, INT, INT, LONG, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle MASK_APPLY =
      Abi.operation("secateur_mask_apply", LONG, LONG, LONG);
  private static final MethodHandle MASK_COUNT =
      Abi.operation("secateur_mask_count", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MASK_UNITS =
      Abi.operation("secateur_mask_units", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFT_THRESHOLD =
      Abi.operation("secateur_soft_threshold", LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFT_THRESHOLD_ADAM =
      Abi.operation("secateur_soft_threshold_adam", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle HARD_CONCRETE =
      Abi.operation("secateur_hard_concrete", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle HARD_CONCRETE_GRAD =
      Abi.operation("secateur_hard_concrete_grad", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle HARD_CONCRETE_EVAL =
      Abi.operation("secateur_hard_concrete_eval", LONG, LONG, LONG);
  private static final MethodHandle HARD_CONCRETE_L0 =
      Abi.operation("secateur_hard_concrete_l0", LONG, LONG, LONG, LONG, LONG);

  private AbiPrune() {}

  static int scoreMagnitude(long device, int norm, long n, long w, long scores) {
    try {
      return (int) SCORE_MAGNITUDE.invokeExact(device, Abi.DEFAULT_STREAM, norm, n, w, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int scoreUnits(
      long device, int norm, int axis, long rows, long cols, long w, long scores) {
    try {
      return (int)
          SCORE_UNITS.invokeExact(device, Abi.DEFAULT_STREAM, norm, axis, rows, cols, w, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int activationAccumulate(long device, long rows, long units, long x, long accumulators) {
    try {
      return (int)
          ACTIVATION_ACCUMULATE.invokeExact(
              device, Abi.DEFAULT_STREAM, rows, units, x, accumulators);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int activationScores(
      long device, int statistic, long count, long units, long accumulators, long scores) {
    try {
      return (int)
          ACTIVATION_SCORES.invokeExact(
              device, Abi.DEFAULT_STREAM, statistic, count, units, accumulators, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int select(
      long device,
      int dtype,
      int key,
      int segmentCount,
      long segments,
      int groupCount,
      long k,
      long results,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SELECT.invokeExact(
              device,
              Abi.DEFAULT_STREAM,
              dtype,
              key,
              segmentCount,
              segments,
              groupCount,
              k,
              results,
              workspace,
              workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int maskApply(long device, long n, long mask, long w) {
    try {
      return (int) MASK_APPLY.invokeExact(device, Abi.DEFAULT_STREAM, n, mask, w);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int maskCount(long device, long n, long mask, long w, long kept, long keptZeros) {
    try {
      return (int) MASK_COUNT.invokeExact(device, Abi.DEFAULT_STREAM, n, mask, w, kept, keptZeros);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int maskUnits(long device, int axis, long rows, long cols, long units, long mask) {
    try {
      return (int)
          MASK_UNITS.invokeExact(device, Abi.DEFAULT_STREAM, axis, rows, cols, units, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softThreshold(long device, long n, long threshold, long w, long mask) {
    try {
      return (int) SOFT_THRESHOLD.invokeExact(device, Abi.DEFAULT_STREAM, n, threshold, w, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softThresholdAdam(
      long device, long n, long params, long lambda, long v, long w, long mask) {
    try {
      return (int)
          SOFT_THRESHOLD_ADAM.invokeExact(
              device, Abi.DEFAULT_STREAM, n, params, lambda, v, w, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int hardConcrete(long device, long state, long salt, long n, long logAlpha, long z) {
    try {
      return (int)
          HARD_CONCRETE.invokeExact(device, Abi.DEFAULT_STREAM, state, salt, n, logAlpha, z);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int hardConcreteGrad(
      long device, long state, long salt, long n, long logAlpha, long dz, long dLogAlpha) {
    try {
      return (int)
          HARD_CONCRETE_GRAD.invokeExact(
              device, Abi.DEFAULT_STREAM, state, salt, n, logAlpha, dz, dLogAlpha);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int hardConcreteEval(long device, long n, long logAlpha, long z) {
    try {
      return (int) HARD_CONCRETE_EVAL.invokeExact(device, Abi.DEFAULT_STREAM, n, logAlpha, z);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int hardConcreteL0(
      long device, long n, long logAlpha, long scale, long expected, long dLogAlpha) {
    try {
      return (int)
          HARD_CONCRETE_L0.invokeExact(
              device, Abi.DEFAULT_STREAM, n, logAlpha, scale, expected, dLogAlpha);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
