package io.github.secateur.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.graph.Model;
import io.github.secateur.io.FormatException;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.io.Safetensors;
import io.github.secateur.io.SafetensorsReader;
import io.github.secateur.io.SafetensorsWriter;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The file of a checkpoint: safetensors, so that any tool can look into it.
 *
 * <table>
 * <caption>Tensors</caption>
 * <tr><td>model</td><td>U8: the initial model as ONNX</td></tr>
 * <tr><td>parameter/NAME</td><td>current values</td></tr>
 * <tr><td>mask/NAME</td><td>U32 words, bit 1 keeps</td></tr>
 * <tr><td>optimizer/NAME/I</td><td>momentum, or first (0) and second (1) moment</td></tr>
 * <tr><td>optimizer/since</td><td>I64, step at which those were last reset, if ever</td></tr>
 * <tr><td>hook/I/KEY</td><td>state of the I-th hook</td></tr>
 * <tr><td>best/parameter/NAME, best/mask/NAME</td><td>of the best epoch</td></tr>
 * <tr><td>sparse/NAME</td><td>F64 [1]: sparsity from which on the layer runs sparse</td></tr>
 * <tr><td>losses</td><td>F32 of the current epoch's steps</td></tr>
 * <tr><td>history</td><td>F64 [epochs, 7], the components of EpochRecord</td></tr>
 * </table>
 *
 * <p>Metadata: format, step, finished, best_epoch, best_loss, hooks (JSON), provenance (JSON:
 * versions, device, seed, options, data hashes), and sha256 over all of it.
 */
final class CheckpointFile {
  private static final String FORMAT = "secateur-checkpoint-1";
  private static final int HISTORY_COLUMNS = 7;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private CheckpointFile() {}

  static void write(Checkpoint checkpoint, Path file) throws IOException {
    RunState state = checkpoint.state();
    Map<String, Tensor> tensors = new TreeMap<>();
    tensors.put("model", onnx(checkpoint.initialModel()));
    state.parameters().forEach((name, t) -> tensors.put("parameter/" + name, t));
    state.masks().forEach((name, m) -> tensors.put("mask/" + name, words(m)));
    state.optimizer().forEach((name, t) -> tensors.put("optimizer/" + name, t));
    for (int i = 0; i < state.hooks().size(); i++) {
      String prefix = "hook/" + i + "/";
      state.hooks().get(i).forEach((key, t) -> tensors.put(prefix + key, t));
    }
    state.best().weights().forEach((name, t) -> tensors.put("best/parameter/" + name, t));
    state.best().masks().forEach((name, m) -> tensors.put("best/mask/" + name, words(m)));
    state.breakEven().forEach((name, s) -> tensors.put("sparse/" + name, scalar(s)));
    tensors.put("losses", state.losses());
    tensors.put("history", encode(state.history()));

    Map<String, String> metadata = new TreeMap<>();
    metadata.put("format", FORMAT);
    metadata.put("step", Long.toString(state.step()));
    metadata.put("finished", Boolean.toString(state.finished()));
    metadata.put("best_epoch", Integer.toString(state.best().epoch()));
    metadata.put("best_loss", Double.toString(state.best().loss()));
    metadata.put("hooks", JSON.writeValueAsString(checkpoint.hookNames()));
    metadata.put("provenance", checkpoint.provenance().toJson().toString());
    metadata.put("sha256", hash(tensors, metadata));
    SafetensorsWriter.write(new Safetensors(tensors, metadata), file);
  }

  static Checkpoint read(Path file) throws IOException {
    Safetensors contents = SafetensorsReader.read(file);
    Map<String, Tensor> tensors = new TreeMap<>(contents.tensors());
    Map<String, String> metadata = new TreeMap<>(contents.metadata());
    if (!FORMAT.equals(metadata.get("format"))) {
      throw wrong(file, "a checkpoint of this version", "format " + metadata.get("format"));
    }
    String stored = metadata.remove("sha256");
    if (!hash(tensors, metadata).equals(stored)) {
      throw wrong(file, "contents that hash to " + stored, "others; the file is damaged");
    }
    try {
      return decode(file, tensors, metadata);
    } catch (IllegalArgumentException | NullPointerException | JsonProcessingException e) {
      throw wrong(file, "a whole checkpoint", e.getMessage());
    }
  }

  private static Checkpoint decode(
      Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
    List<String> hooks = List.of(JSON.readValue(metadata.get("hooks"), String[].class));
    Model model =
        OnnxReader.read(tensors.get("model").data().asByteBuffer(), file + ", tensor 'model'");
    Map<String, Tensor> parameters = below("parameter/", tensors);
    Map<String, Tensor> best = below("best/parameter/", tensors);
    List<Map<String, Tensor>> hookStates = new ArrayList<>();
    for (int i = 0; i < hooks.size(); i++) {
      hookStates.add(below("hook/" + i + "/", tensors));
    }
    RunState state =
        new RunState(
            Long.parseLong(metadata.get("step")),
            Boolean.parseBoolean(metadata.get("finished")),
            parameters,
            masks(below("mask/", tensors), parameters),
            below("optimizer/", tensors),
            hookStates,
            tensors.get("losses"),
            decodeHistory(tensors.get("history")),
            scalars(below("sparse/", tensors)),
            new BestEpoch(
                Integer.parseInt(metadata.get("best_epoch")),
                Double.parseDouble(metadata.get("best_loss")),
                best,
                masks(below("best/mask/", tensors), parameters)));
    Provenance provenance = Provenance.fromJson(JSON.readTree(metadata.get("provenance")));
    return new Checkpoint(file.toString(), model, provenance, hooks, state);
  }

  /** The model without its masks: those of the moment stand beside it. */
  private static Tensor onnx(Model model) throws IOException {
    Model bare = model.copy();
    bare.masks().clear();
    byte[] bytes = OnnxWriter.toBytes(bare);
    return new Tensor(DType.U8, Shape.of(bytes.length), MemorySegment.ofArray(bytes));
  }

  private static Tensor words(Mask mask) {
    return new Tensor(DType.U32, Shape.of(mask.words().byteSize() / 4), mask.words());
  }

  private static Map<String, Mask> masks(
      Map<String, Tensor> words, Map<String, Tensor> parameters) {
    Map<String, Mask> masks = new LinkedHashMap<>();
    words.forEach((name, t) -> masks.put(name, new Mask(parameters.get(name).shape(), t.data())));
    return masks;
  }

  private static Map<String, Tensor> below(String prefix, Map<String, Tensor> tensors) {
    Map<String, Tensor> some = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            some.put(name.substring(prefix.length()), tensor);
          }
        });
    return some;
  }

  private static Tensor scalar(double value) {
    Tensor tensor = Tensor.zeros(DType.F64, Shape.of(1));
    tensor.data().set(F64, 0, value);
    return tensor;
  }

  private static Map<String, Double> scalars(Map<String, Tensor> tensors) {
    Map<String, Double> values = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> values.put(name, tensor.data().get(F64, 0)));
    return values;
  }

  private static Tensor encode(List<EpochRecord> history) {
    Tensor table = Tensor.zeros(DType.F64, Shape.of(history.size(), HISTORY_COLUMNS));
    long at = 0;
    for (EpochRecord r : history) {
      double[] row = {
        r.epoch(),
        r.trainLoss(),
        r.validationLoss(),
        r.validationAccuracy(),
        r.learningRate(),
        r.sparsity(),
        r.seconds()
      };
      MemorySegment.copy(row, 0, table.data(), F64, at, HISTORY_COLUMNS);
      at += (long) HISTORY_COLUMNS * Double.BYTES;
    }
    return table;
  }

  private static List<EpochRecord> decodeHistory(Tensor table) {
    double[] all = table.data().toArray(F64);
    List<EpochRecord> history = new ArrayList<>();
    for (int i = 0; i < all.length; i += HISTORY_COLUMNS) {
      history.add(
          new EpochRecord(
              (int) all[i],
              all[i + 1],
              all[i + 2],
              all[i + 3],
              all[i + 4],
              all[i + 5],
              all[i + 6]));
    }
    return history;
  }

  private static String hash(Map<String, Tensor> tensors, Map<String, String> metadata) {
    Digest digest = new Digest();
    tensors.forEach(digest::tensor);
    metadata.forEach((key, value) -> digest.text(key).text(value));
    return digest.hex();
  }

  private static FormatException wrong(Path file, String expected, String found) {
    return new FormatException(file.toString(), -1, expected, found);
  }
}
