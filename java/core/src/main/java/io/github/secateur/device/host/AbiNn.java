package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.FLOAT;
import static io.github.secateur.device.host.Abi.INT;
import static io.github.secateur.device.host.Abi.LONG;

import java.lang.invoke.MethodHandle;

/**
 * Elementwise operations, reductions, losses and random numbers of secateur.h, one to one. Each
 * returns a status.
 */
final class AbiNn {
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

  static int fill(long device, float value, long n, long dst) {
    try {
      return (int) FILL.invokeExact(device, Abi.DEFAULT_STREAM, value, n, dst);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int unary(long device, int op, float alpha, long n, long x, long y) {
    try {
      return (int) UNARY.invokeExact(device, Abi.DEFAULT_STREAM, op, alpha, n, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int unaryGrad(long device, int op, float alpha, long n, long x, long y, long dy, long dx) {
    try {
      return (int) UNARY_GRAD.invokeExact(device, Abi.DEFAULT_STREAM, op, alpha, n, x, y, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int binary(long device, int op, long broadcast, long a, long b, long out) {
    try {
      return (int) BINARY.invokeExact(device, Abi.DEFAULT_STREAM, op, broadcast, a, b, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int reduceSum(long device, int rank, long shape, int axes, long x, long out) {
    try {
      return (int) REDUCE_SUM.invokeExact(device, Abi.DEFAULT_STREAM, rank, shape, axes, x, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int transpose(long device, int rank, long shape, long perm, long x, long out) {
    try {
      return (int) TRANSPOSE.invokeExact(device, Abi.DEFAULT_STREAM, rank, shape, perm, x, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softmax(long device, long rows, long cols, long x, long y) {
    try {
      return (int) SOFTMAX.invokeExact(device, Abi.DEFAULT_STREAM, rows, cols, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softmaxGrad(long device, long rows, long cols, long y, long dy, long dx) {
    try {
      return (int) SOFTMAX_GRAD.invokeExact(device, Abi.DEFAULT_STREAM, rows, cols, y, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softmaxCrossEntropy(
      long device, long rows, long cols, long x, long labels, long p, long loss) {
    try {
      return (int)
          SOFTMAX_CROSS_ENTROPY.invokeExact(
              device, Abi.DEFAULT_STREAM, rows, cols, x, labels, p, loss);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int softmaxCrossEntropyGrad(
      long device, long rows, long cols, long p, long labels, long dloss, long dx) {
    try {
      return (int)
          SOFTMAX_CROSS_ENTROPY_GRAD.invokeExact(
              device, Abi.DEFAULT_STREAM, rows, cols, p, labels, dloss, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int mse(long device, long n, long x, long target, long loss) {
    try {
      return (int) MSE.invokeExact(device, Abi.DEFAULT_STREAM, n, x, target, loss);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int mseGrad(long device, long n, long x, long target, long dloss, long dx) {
    try {
      return (int) MSE_GRAD.invokeExact(device, Abi.DEFAULT_STREAM, n, x, target, dloss, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int uniform(long device, long state, long salt, long n, long out) {
    try {
      return (int) UNIFORM.invokeExact(device, Abi.DEFAULT_STREAM, state, salt, n, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int dropout(long device, long state, long salt, float ratio, long n, long x, long y) {
    try {
      return (int) DROPOUT.invokeExact(device, Abi.DEFAULT_STREAM, state, salt, ratio, n, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int gatherRows(
      long device,
      long count,
      long rowBytes,
      long sourceRows,
      long source,
      long indices,
      long target) {
    try {
      return (int)
          GATHER_ROWS.invokeExact(
              device, Abi.DEFAULT_STREAM, count, rowBytes, sourceRows, source, indices, target);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int sgdStep(long device, long n, long params, long w, long g, long momentum, long mask) {
    try {
      return (int)
          SGD_STEP.invokeExact(device, Abi.DEFAULT_STREAM, n, params, w, g, momentum, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int adamStep(long device, long n, long params, long w, long g, long m, long v, long mask) {
    try {
      return (int) ADAM_STEP.invokeExact(device, Abi.DEFAULT_STREAM, n, params, w, g, m, v, mask);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
