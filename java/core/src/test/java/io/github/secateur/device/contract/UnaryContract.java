package io.github.secateur.device.contract;

import static io.github.secateur.device.contract.Numbers.erf;
import static io.github.secateur.device.contract.Numbers.sigmoid;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps.Unary;
import io.github.secateur.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Elementwise functions and their derivatives. */
public interface UnaryContract extends Contract {
  /** Slope of LEAKY_RELU in these tests. */
  float ALPHA = 0.1f;

  private static double value(Unary op, double x) {
    return switch (op) {
      case RELU -> Double.isNaN(x) ? x : Math.max(x, 0);
      case LEAKY_RELU -> x < 0 ? ALPHA * x : x;
      case SIGMOID -> sigmoid(x);
      case TANH -> Math.tanh(x);
      case GELU -> x == Double.NEGATIVE_INFINITY ? Double.NaN : x / 2 * (1 + erf(x / Math.sqrt(2)));
      case GELU_TANH ->
          x == Double.NEGATIVE_INFINITY ? Double.NaN : x / 2 * (1 + Math.tanh(inner(x)));
      case NEG -> -x;
      case EXP -> Math.exp(x);
      case LOG -> Math.log(x);
      case SQRT -> Math.sqrt(x);
      case ERF -> erf(x);
      case ABS -> Math.abs(x);
    };
  }

  private static double inner(double x) {
    return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  }

  private static double derivative(Unary op, double x, double y) {
    return switch (op) {
      case RELU -> x > 0 ? 1 : 0;
      case LEAKY_RELU -> x > 0 ? 1 : ALPHA;
      case SIGMOID -> sigmoid(x) * sigmoid(-x);
      case TANH -> 1 / Math.pow(Math.cosh(x), 2);
      case GELU ->
          (1 + erf(x / Math.sqrt(2))) / 2 + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      case GELU_TANH -> {
        double t = Math.tanh(inner(x));
        double slope = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        yield (1 + t) / 2 + x / 2 * (1 - t * t) * slope;
      }
      case NEG -> -1;
      case EXP -> Math.exp(x);
      case LOG -> 1 / x;
      case SQRT -> 0.5 / y;
      case ERF -> 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
      case ABS -> Math.signum(x);
    };
  }

  private static boolean isExact(Unary op) {
    return switch (op) {
      case RELU, NEG, ABS, SQRT -> true;
      default -> false;
    };
  }

  @Test
  default void computesEveryFunction() {
    for (Unary op : Unary.values()) {
      for (int n : SIZES) {
        Numbers.all(n).forEach((name, x) -> checkValue(op, name + " " + n, x));
      }
    }
  }

  private void checkValue(Unary op, String name, float[] x) {
    double[] expected = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      expected[i] = value(op, x[i]);
      // The limit of GELU at -inf is 0; the formula gives NaN: either is right.
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor y = f.out(x.length);
      device().nn().unary(op, ALPHA, f.in(x), y);
      DeviceTensor inPlace = f.inOut(x);
      device().nn().unary(op, ALPHA, inPlace, inPlace);
      float[] actual = f.read(y);
      Numbers.assertBits(op + " in place, " + name, actual, f.read(inPlace));
      if (op == Unary.GELU || op == Unary.GELU_TANH) {
        for (int i = 0; i < x.length; i++) {
          expected[i] = x[i] == Float.NEGATIVE_INFINITY && actual[i] == 0 ? 0 : expected[i];
        }
      }
      double relative = isExact(op) ? 0x1p-24 : 2e-6;
      double absolute =
          switch (op) {
            case GELU, GELU_TANH, ERF -> 1e-6;
            case RELU, NEG, ABS -> 0;
            default -> Float.MIN_NORMAL;
          };
      Numbers.assertClose(op + ", " + name, expected, actual, relative, absolute);
    }
  }

  @Test
  default void computesEveryDerivative() {
    for (Unary op : Unary.values()) {
      for (int n : SIZES) {
        Numbers.finite(n).forEach((name, x) -> checkDerivative(op, name + " " + n, x));
      }
    }
  }

  private void checkDerivative(Unary op, String name, float[] given) {
    int n = given.length;
    float[] x = given.clone();
    float[] y = new float[n];
    float[] dy = Numbers.gaussian(n, 9);
    double[] expected = new double[n];
    for (int i = 0; i < n; i++) {
      if (op == Unary.LOG || op == Unary.SQRT) {
        x[i] = Math.abs(x[i]) + 0.01f; // their domain
      }
      y[i] = (float) value(op, x[i]);
      expected[i] = dy[i] * derivative(op, x[i], y[i]);
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor dx = f.out(n);
      DeviceTensor dx2 = f.inOut(dy);
      DeviceTensor dxIn = f.in(x);
      DeviceTensor dyIn = f.in(y);
      device().nn().unaryGrad(op, ALPHA, dxIn, dyIn, f.in(dy), dx);
      device().nn().unaryGrad(op, ALPHA, dxIn, dyIn, dx2, dx2);
      Numbers.assertBits(op + "' in place, " + name, f.read(dx), f.read(dx2));
      // SIGMOID and TANH from y lose what 1 - y and 1 - y*y cancel: an absolute error.
      Numbers.assertClose(op + "', " + name, expected, f.read(dx), 3e-6, 2e-6);
    }
  }

  @Test
  default void fillsTensors() {
    for (int n : SIZES) {
      try (Fixture f = new Fixture(device())) {
        DeviceTensor x = f.out(n);
        device().nn().fill(-0f, x);
        Numbers.assertBits("fill", Numbers.constant(n, -0f), f.read(x));
      }
    }
  }

  @Test
  default void namesShapesThatDiffer() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(1, 2, 3, 4);
      DeviceTensor y = f.out(2, 2);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> device().nn().unary(Unary.EXP, 0, x, y));
      assertTrue(e.getMessage().contains("[4]") && e.getMessage().contains("[2, 2]"));
      device().nn().unary(Unary.EXP, 0, x.view(Shape.of(2, 2)), y);
    }
  }
}
