package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.invoke.MethodHandle;

/**
 * Elementwise operations, reductions, losses and random numbers of secateur.h, one to one. Each
 * returns a status.
 */
public final class AbiNn {
  private static final MethodHandle FILL = Abi.operation("secateur_fill", FLOAT, LONG, LONG);
  private static final MethodHandle UNARY =
      Abi.operation("secateur_unary", INT, FLOAT, LONG, LONG, LONG);
  private static final MethodHandle UNARY_GRAD =
      Abi.operation("secateur_unary_grad", INT, FLOAT, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle BINARY =
      Abi.operation("secateur_binary", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle REDUCE_SUM =
      Abi.operation("secateur_reduce_sum", INT, LONG, INT, LONG, LONG);
  private static final MethodHandle TRANSPOSE =
      Abi.operation("secateur_transpose", INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFTMAX =
      Abi.operation("secateur_softmax", LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFTMAX_GRAD =
      Abi.operation("secateur_softmax_grad", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFTMAX_CROSS_ENTROPY =
      Abi.operation("secateur_softmax_cross_entropy", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SOFTMAX_CROSS_ENTROPY_GRAD =
      Abi.operation("secateur_softmax_cross_entropy_grad", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MSE = Abi.operation("secateur_mse", LONG, LONG, LONG, LONG);
  private static final MethodHandle MSE_GRAD =
      Abi.operation("secateur_mse_grad", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle UNIFORM =
      Abi.operation("secateur_uniform", LONG, LONG, LONG, LONG);
  private static final MethodHandle DROPOUT =
      Abi.operation("secateur_dropout", LONG, LONG, FLOAT, LONG, LONG, LONG);
  private static final MethodHandle GATHER_ROWS =
      Abi.operation("secateur_gather_rows", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SGD_STEP =
      Abi.operation("secateur_sgd_step", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle ADAM_STEP =
      Abi.operation("secateur_adam_step", LONG, LONG, LONG, LONG, LONG, LONG, LONG);

  private AbiNn() {}

  public static int fill(long device, long stream, float value, long n, long dst) {
    try {
      return (int) FILL.invokeExact(device, stream, value, n, dst);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int unary(long device, long stream, int op, float alpha, long n, long x, long y) {
    try {
      return (int) UNARY.invokeExact(device, stream, op, alpha, n, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int unaryGrad(
      long device, long stream, int op, float alpha, long n, long x, long y, long dy, long dx) {
    try {
      return (int) UNARY_GRAD.invokeExact(device, stream, op, alpha, n, x, y, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int binary(
      long device, long stream, int op, long broadcast, long a, long b, long out) {
    try {
      return (int) BINARY.invokeExact(device, stream, op, broadcast, a, b, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int reduceSum(
      long device, long stream, int rank, long shape, int axes, long x, long out) {
    try {
      return (int) REDUCE_SUM.invokeExact(device, stream, rank, shape, axes, x, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int transpose(
      long device, long stream, int rank, long shape, long perm, long x, long out) {
    try {
      return (int) TRANSPOSE.invokeExact(device, stream, rank, shape, perm, x, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softmax(long device, long stream, long rows, long cols, long x, long y) {
    try {
      return (int) SOFTMAX.invokeExact(device, stream, rows, cols, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softmaxGrad(
      long device, long stream, long rows, long cols, long y, long dy, long dx) {
    try {
      return (int) SOFTMAX_GRAD.invokeExact(device, stream, rows, cols, y, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softmaxCrossEntropy(
      long device, long stream, long rows, long cols, long x, long labels, long p, long loss) {
    try {
      return (int)
          SOFTMAX_CROSS_ENTROPY.invokeExact(device, stream, rows, cols, x, labels, p, loss);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int softmaxCrossEntropyGrad(
      long device, long stream, long rows, long cols, long p, long labels, long dloss, long dx) {
    try {
      return (int)
          SOFTMAX_CROSS_ENTROPY_GRAD.invokeExact(device, stream, rows, cols, p, labels, dloss, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int mse(long device, long stream, long n, long x, long target, long loss) {
    try {
      return (int) MSE.invokeExact(device, stream, n, x, target, loss);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int mseGrad(
      long device, long stream, long n, long x, long target, long dloss, long dx) {
    try {
      return (int) MSE_GRAD.invokeExact(device, stream, n, x, target, dloss, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int uniform(long device, long stream, long state, long salt, long n, long out) {
    try {
      return (int) UNIFORM.invokeExact(device, stream, state, salt, n, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int dropout(
      long device, long stream, long state, long salt, float ratio, long n, long x, long y) {
    try {
      return (int) DROPOUT.invokeExact(device, stream, state, salt, ratio, n, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int gatherRows(
      long device,
      long stream,
      long count,
      long rowBytes,
      long sourceRows,
      long source,
      long indices,
      long target) {
    try {
      return (int)
          GATHER_ROWS.invokeExact(
              device, stream, count, rowBytes, sourceRows, source, indices, target);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int sgdStep(
      long device, long stream, long n, long params, long w, long g, long momentum, long mask) {
    try {
      return (int) SGD_STEP.invokeExact(device, stream, n, params, w, g, momentum, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int adamStep(
      long device, long stream, long n, long params, long w, long g, long m, long v, long mask) {
    try {
      return (int) ADAM_STEP.invokeExact(device, stream, n, params, w, g, m, v, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
