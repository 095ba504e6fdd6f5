package io.github.secateur.cli;

import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;

/** What commands share about exported files. */
final class Exports {
  private Exports() {}

  /** Options of the ONNX writer. */
  static OnnxWriter.Options options(boolean sparse) {
    return sparse ? OnnxWriter.Options.sparse() : OnnxWriter.Options.defaults();
  }

  /** Nonzero prunable weights in a file of F32 weights, counted after reading it back. */
  static long countNonzeros(Path onnx) throws IOException {
    Model model = OnnxReader.read(onnx);
    long nonzeros = 0;
    for (Prunable p : Prunables.find(model)) {
      Tensor weight = ParameterPath.read(model, p.parameter());
      for (float w : weight.toFloats()) {
        nonzeros += w != 0 ? 1 : 0;
      }
    }
    return nonzeros;
  }
}
