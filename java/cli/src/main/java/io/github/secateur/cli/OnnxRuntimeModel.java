package io.github.secateur.cli;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Metrics;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** Runs a classifier in ONNX Runtime, as an independent check of what was exported. */
final class OnnxRuntimeModel {
  private static final int BATCH = 1000;

  private OnnxRuntimeModel() {}

  /** First output of a model for all samples, F32 [n, classes]: logits or probabilities. */
  record Outputs(Tensor values) {
    /**
     * max |a − b| / (1 + |b|) to logits, or to their softmax when these outputs are probabilities.
     */
    double largestDifference(Tensor logits) {
      if (!logits.shape().equals(values.shape())) {
        throw new UserException(
            "ONNX Runtime's first output has shape %s, Secateur's logits %s."
                .formatted(values.shape(), logits.shape()));
      }
      float[] theirs = values.toFloats();
      float[] ours = logits.toFloats();
      int classes = classes();
      boolean probabilities = areProbabilities();
      double worst = 0;
      for (int row = 0; row < ours.length / classes; row++) {
        double[] wanted = new double[classes];
        for (int c = 0; c < classes; c++) {
          wanted[c] = ours[row * classes + c];
        }
        if (probabilities) {
          softmax(wanted);
        }
        for (int c = 0; c < classes; c++) {
          double difference = Math.abs(theirs[row * classes + c] - wanted[c]);
          worst = Math.max(worst, difference / (1 + Math.abs(wanted[c])));
        }
      }
      return worst;
    }

    /** Metrics of these outputs; the logarithm of probabilities stands for logits. */
    Metrics metrics(Samples samples) {
      Tensor logits = values.copy();
      if (areProbabilities()) {
        for (long i = 0; i < logits.size(); i++) {
          logits.setFloat(i, (float) Math.log(Math.max(logits.getFloat(i), Float.MIN_NORMAL)));
        }
      }
      return Metrics.of(logits, samples.labels());
    }

    private int classes() {
      return Math.toIntExact(values.shape().dim(-1));
    }

    private boolean areProbabilities() {
      int classes = classes();
      for (long row = 0; row < Math.min(16, values.shape().dim(0)); row++) {
        double sum = 0;
        for (int c = 0; c < classes; c++) {
          float value = values.getFloat(row * classes + c);
          if (value < 0 || value > 1) {
            return false;
          }
          sum += value;
        }
        if (Math.abs(sum - 1) > 1e-3) {
          return false;
        }
      }
      return true;
    }

    private static void softmax(double[] y) {
      double max = Arrays.stream(y).max().orElse(0);
      double sum = 0;
      for (int i = 0; i < y.length; i++) {
        y[i] = Math.exp(y[i] - max);
        sum += y[i];
      }
      for (int i = 0; i < y.length; i++) {
        y[i] /= sum;
      }
    }
  }

  /** Runs a model file over x [n, features...] in batches. */
  static Outputs run(Path file, Tensor x) {
    try (OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        OrtSession session = environment.createSession(file.toString(), options)) {
      return run(environment, session, x);
    } catch (OrtException e) {
      throw new UserException("ONNX Runtime refuses " + file + ": " + e.getMessage());
    }
  }

  private static Outputs run(OrtEnvironment environment, OrtSession session, Tensor x)
      throws OrtException {
    String input = session.getInputNames().iterator().next();
    long[] declared = ((TensorInfo) session.getInputInfo().get(input).getInfo()).getShape();
    int n = Math.toIntExact(x.shape().dim(0));
    int features = Math.toIntExact(x.size() / Math.max(1, n));
    float[] all = x.toFloats();
    Tensor out = null;
    for (int from = 0; from < n; from += BATCH) {
      int rows = Math.min(BATCH, n - from);
      long[] dims = declared.clone();
      dims[0] = rows;
      if (Shape.of(dims).size() != (long) rows * features) {
        dims = new long[] {rows, features};
      }
      FloatBuffer batch = FloatBuffer.wrap(all, from * features, rows * features).slice();
      try (OnnxTensor given = OnnxTensor.createTensor(environment, batch, dims);
          OrtSession.Result result = session.run(Map.of(input, given))) {
        float[][] y = (float[][]) result.get(0).getValue();
        int classes = y[0].length;
        out = out == null ? Tensor.zeros(DType.F32, Shape.of(n, classes)) : out;
        for (int r = 0; r < rows; r++) {
          for (int c = 0; c < classes; c++) {
            out.setFloat((long) (from + r) * classes + c, y[r][c]);
          }
        }
      }
    }
    return new Outputs(out == null ? Tensor.zeros(DType.F32, Shape.of(0, 1)) : out);
  }
}
