package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.invoke.MethodHandle;

/**
 * Scores, selection, masks and sparsifying steps of secateur.h, one to one. Each returns a status.
 */
public final class AbiPrune {
  private static final MethodHandle SCORE_MAGNITUDE =
      Abi.operation("secateur_score_magnitude", INT, INT, LONG, LONG, LONG);
  private static final MethodHandle SCORE_GRADIENT =
      Abi.operation("secateur_score_gradient", INT, INT, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SCORE_UNITS =
      Abi.operation("secateur_score_units", INT, INT, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle ACTIVATION_ACCUMULATE =
      Abi.operation("secateur_activation_accumulate", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle ACTIVATION_SCORES =
      Abi.operation("secateur_activation_scores", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SELECT =
      Abi.operation("secateur_select", INT, INT, INT, LONG, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SELECT_NM =
      Abi.operation(
          "secateur_select_nm", INT, INT, INT, INT, INT, LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MASK_APPLY =
      Abi.operation("secateur_mask_apply", LONG, LONG, LONG);
  private static final MethodHandle MASK_APPLY_MANY =
      Abi.operation("secateur_mask_apply_many", INT, LONG);
  private static final MethodHandle MASK_COUNT =
      Abi.operation("secateur_mask_count", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MASK_UNITS =
      Abi.operation("secateur_mask_units", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SCORE_BOXES =
      Abi.operation("secateur_score_boxes", INT, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MASK_BOXES =
      Abi.operation("secateur_mask_boxes", LONG, LONG, LONG);
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

  public static int scoreMagnitude(
      long device, long stream, int norm, int dtype, long n, long w, long scores) {
    try {
      return (int) SCORE_MAGNITUDE.invokeExact(device, stream, norm, dtype, n, w, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int scoreGradient(
      long device,
      long stream,
      int kind,
      int accumulate,
      int dtype,
      long n,
      long w,
      long g,
      long scores) {
    try {
      return (int)
          SCORE_GRADIENT.invokeExact(device, stream, kind, accumulate, dtype, n, w, g, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int scoreUnits(
      long device,
      long stream,
      int norm,
      int axis,
      int dtype,
      long rows,
      long cols,
      long w,
      long scores) {
    try {
      return (int)
          SCORE_UNITS.invokeExact(device, stream, norm, axis, dtype, rows, cols, w, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int activationAccumulate(
      long device, long stream, int dtype, long rows, long units, long x, long accumulators) {
    try {
      return (int)
          ACTIVATION_ACCUMULATE.invokeExact(device, stream, dtype, rows, units, x, accumulators);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int activationScores(
      long device,
      long stream,
      int statistic,
      long count,
      long units,
      long accumulators,
      long scores) {
    try {
      return (int)
          ACTIVATION_SCORES.invokeExact(
              device, stream, statistic, count, units, accumulators, scores);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int select(
      long device,
      long stream,
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
              stream,
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

  public static int selectNm(
      long device,
      long stream,
      int dtype,
      int key,
      int n,
      int m,
      int axis,
      long outer,
      long rows,
      long cols,
      long scores,
      long previous,
      long mask,
      long nan) {
    try {
      return (int)
          SELECT_NM.invokeExact(
              device, stream, dtype, key, n, m, axis, outer, rows, cols, scores, previous, mask,
              nan);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maskApply(long device, long stream, long n, long mask, long w) {
    try {
      return (int) MASK_APPLY.invokeExact(device, stream, n, mask, w);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maskApplyMany(long device, long stream, int count, long tensors) {
    try {
      return (int) MASK_APPLY_MANY.invokeExact(device, stream, count, tensors);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maskCount(
      long device, long stream, long n, long mask, long w, long kept, long keptZeros) {
    try {
      return (int) MASK_COUNT.invokeExact(device, stream, n, mask, w, kept, keptZeros);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maskUnits(
      long device, long stream, int axis, long rows, long cols, long units, long mask) {
    try {
      return (int) MASK_UNITS.invokeExact(device, stream, axis, rows, cols, units, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int scoreBoxes(
      long device,
      long stream,
      int pooling,
      long boxes,
      long scores,
      long mask,
      long pooled,
      long live) {
    try {
      return (int)
          SCORE_BOXES.invokeExact(device, stream, pooling, boxes, scores, mask, pooled, live);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maskBoxes(long device, long stream, long boxes, long kept, long mask) {
    try {
      return (int) MASK_BOXES.invokeExact(device, stream, boxes, kept, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softThreshold(
      long device, long stream, long n, long threshold, long w, long mask) {
    try {
      return (int) SOFT_THRESHOLD.invokeExact(device, stream, n, threshold, w, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softThresholdAdam(
      long device, long stream, long n, long params, long lambda, long v, long w, long mask) {
    try {
      return (int) SOFT_THRESHOLD_ADAM.invokeExact(device, stream, n, params, lambda, v, w, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int hardConcrete(
      long device, long stream, long state, long salt, long n, long logAlpha, long z) {
    try {
      return (int) HARD_CONCRETE.invokeExact(device, stream, state, salt, n, logAlpha, z);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int hardConcreteGrad(
      long device,
      long stream,
      long state,
      long salt,
      long n,
      long logAlpha,
      long dz,
      long dLogAlpha) {
    try {
      return (int)
          HARD_CONCRETE_GRAD.invokeExact(device, stream, state, salt, n, logAlpha, dz, dLogAlpha);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int hardConcreteEval(long device, long stream, long n, long logAlpha, long z) {
    try {
      return (int) HARD_CONCRETE_EVAL.invokeExact(device, stream, n, logAlpha, z);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int hardConcreteL0(
      long device, long stream, long n, long logAlpha, long scale, long expected, long dLogAlpha) {
    try {
      return (int)
          HARD_CONCRETE_L0.invokeExact(device, stream, n, logAlpha, scale, expected, dLogAlpha);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
