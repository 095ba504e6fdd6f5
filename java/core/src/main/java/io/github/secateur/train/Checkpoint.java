package io.github.secateur.train;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A training run at rest, between two steps: all that is needed to go on bit for bit. Its file is
 * described at {@link CheckpointFile}.
 */
public final class Checkpoint {
  private final String name;
  private final Model initialModel;
  private final Provenance provenance;
  private final List<String> hookNames;
  private final RunState state;

  /**
   * Puts a checkpoint together.
   *
   * @param name what messages call it
   */
  Checkpoint(
      String name,
      Model initialModel,
      Provenance provenance,
      List<String> hookNames,
      RunState state) {
    this.name = name;
    this.initialModel = initialModel;
    this.provenance = provenance;
    this.hookNames = List.copyOf(hookNames);
    this.state = state;
  }

  /**
   * Reads a checkpoint.
   *
   * @throws IOException one sentence naming the file when it is missing, truncated or damaged
   */
  public static Checkpoint read(Path file) throws IOException {
    return CheckpointFile.read(file);
  }

  /**
   * Writes it, whole or not at all; the file of that name stays as it was until then.
   *
   * @throws IOException one sentence saying why it could not be written
   */
  public void write(Path file) throws IOException {
    CheckpointFile.write(this, file);
  }

  /** The model that the run started from, without its masks. */
  public Model initialModel() {
    return initialModel;
  }

  /** The model with the weights and masks of the checkpoint. */
  public Model model() {
    Graph graph = initialModel.graph().copy();
    state.parameters().forEach(graph.initializers()::replace);
    Model model = initialModel.withGraph(graph);
    model.masks().putAll(state.masks());
    return model;
  }

  /** Where the run came from. */
  public Provenance provenance() {
    return provenance;
  }

  /** Steps done. */
  public long step() {
    return state.step();
  }

  /** Records of the epochs that are over. */
  public List<EpochRecord> history() {
    return state.history();
  }

  /** Whether the run is over. */
  public boolean finished() {
    return state.finished();
  }

  List<String> hookNames() {
    return hookNames;
  }

  RunState state() {
    return state;
  }

  /**
   * Checks that a run is the one that this is a checkpoint of.
   *
   * @throws IllegalArgumentException naming the first difference
   */
  void requireSame(Model model, DataSplit data, TrainOptions options, List<TrainHook> hooks) {
    requireEqual(provenance.options(), options.describe(), "");
    requireEqual(provenance.data(), data.hashes(), "SHA-256 of the data for ");
    List<String> names = hooks.stream().map(TrainHook::name).toList();
    if (!hookNames.equals(names)) {
      throw other("its hooks were %s and are now %s".formatted(hookNames, names));
    }
    Optional<String> difference = ModelDifference.between(initialModel.graph(), model.graph());
    if (difference.isPresent()) {
      throw other("in the model, " + difference.get());
    }
  }

  private void requireEqual(Map<String, String> was, Map<String, String> now, String what) {
    for (Map.Entry<String, String> entry : now.entrySet()) {
      String before = was.getOrDefault(entry.getKey(), "none");
      if (!before.equals(entry.getValue())) {
        throw other(
            "%s%s was %s and is now %s".formatted(what, entry.getKey(), before, entry.getValue()));
      }
    }
    for (String key : was.keySet()) {
      if (!now.containsKey(key)) {
        throw other("%s%s was %s and is now none".formatted(what, key, was.get(key)));
      }
    }
  }

  private IllegalArgumentException other(String difference) {
    return new IllegalArgumentException(
        "%s is a checkpoint of another run: %s; start anew or use the same settings"
            .formatted(name, difference));
  }

  /**
   * SHA-256 over the names, types, shapes and bytes of a model's initializers, in the graph's
   * order, and of its masks, by name; hex. Equal hashes mean bit-equal weights.
   */
  public static String weightsHash(Model model) {
    Digest digest = new Digest();
    model.graph().initializers().forEach(digest::tensor);
    model.masks().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> digest.text(e.getKey()).memory(e.getValue().words()));
    return digest.hex();
  }
}
