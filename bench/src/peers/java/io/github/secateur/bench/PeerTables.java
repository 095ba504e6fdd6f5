package io.github.secateur.bench;

import ai.onnxruntime.OrtEnvironment;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The side-by-side runs against other libraries, in one process on the same data; {@code
 * bench/peers.sh} sets them up and starts it. Writes {@code cpu-PROCESSOR.md} and {@code .json}.
 *
 * <p>Arguments: {@code --out=FOLDER}, {@code --python=FILE}, {@code --script=FILE}, {@code
 * --cache=FOLDER} for unpacked libraries, {@code --work=FOLDER} for passing data, {@code
 * --commit=NAME}, {@code --only=products,models,training,thresholds}, {@code --quick}.
 */
public final class PeerTables {
  private static final List<String> TABLES =
      List.of("products", "models", "training", "thresholds");

  private PeerTables() {}

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = options(arguments);
    Path cache = Path.of(options.get("cache"));
    Path work = Path.of(options.get("work"));
    boolean quick = options.containsKey("quick");
    List<String> only = List.of(options.getOrDefault("only", String.join(",", TABLES)).split(","));
    for (String table : only) {
      if (!TABLES.contains(table)) {
        System.err.printf("peers: there is no table '%s'; use %s%n", table, TABLES);
        System.exit(2);
      }
    }
    try (PythonPeer python =
        new PythonPeer(options.get("python"), Path.of(options.get("script")))) {
      python.ask(PythonPeer.request("scripts").put("folder", work.toString()));
      MklPeer mkl = new MklPeer(cache);
      OneDnnPeer oneDnn = new OneDnnPeer(cache);
      try (TorchPeer torch = new TorchPeer(work)) {
        Run run = new Run(quick, work, python, mkl, oneDnn, torch);
        write(run, only, options.get("commit"), Path.of(options.get("out")));
      }
    } catch (IOException | RuntimeException e) {
      System.err.println("peers: " + e.getMessage());
      if (e instanceof RuntimeException || e.getCause() != null) {
        e.printStackTrace();
      }
      System.exit(1);
    }
  }

  private static Map<String, String> options(String... arguments) {
    Map<String, String> options = new LinkedHashMap<>();
    for (String argument : arguments) {
      String[] parts = argument.replaceFirst("^--", "").split("=", 2);
      options.put(parts[0], parts.length == 1 ? "" : parts[1]);
    }
    return options;
  }

  private static void write(Run run, List<String> only, String commit, Path out)
      throws IOException {
    Machine machine = Machine.ofThis();
    ObjectNode json = new ObjectMapper().createObjectNode();
    String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    json.put("date", date).put("commit", commit).put("quick", run.quick());
    machine.facts().forEach(json.putObject("machine")::put);
    Map<String, String> versions = versions(run);
    versions.forEach(json.putObject("versions")::put);
    StringBuilder text = new StringBuilder();
    text.append("# Secateur beside other libraries: ").append(machine.processor()).append("\n\n");
    text.append("By `bench/peers.sh` on ").append(date).append(", commit ").append(commit);
    text.append(run.quick() ? ", quick: these times say little.\n" : ".\n");
    text.append(Notes.MEASURING);
    text.append("\n");
    machine.facts().forEach((k, v) -> text.append("- %s: %s\n".formatted(k, v)));
    versions.forEach((k, v) -> text.append("- %s %s\n".formatted(k, v)));
    if (only.contains("products")) {
      text.append("\n## Products with a pruned matrix\n").append(Notes.PRODUCTS);
      text.append(new ProductTables(run, json.putArray("products")).write());
    }
    if (only.contains("models")) {
      text.append("\n## Networks, end to end\n").append(Notes.MODELS);
      text.append(new ModelTables(run, json.putArray("models")).write());
      text.append(new ChannelTables(run, json.putArray("channels")).write());
    }
    if (only.contains("training")) {
      text.append("\n## Training a masked layer\n").append(Notes.TRAINING);
      text.append(new TrainingTables(run, json.putArray("training")).write());
    }
    if (only.contains("thresholds")) {
      text.append("\n## Threshold and mask\n").append(Notes.THRESHOLDS);
      text.append(new ThresholdTables(run, json.putArray("thresholds")).write());
    }
    Files.createDirectories(out);
    String name = "cpu-" + machine.fileName() + (run.quick() ? "-quick" : "");
    Files.writeString(out.resolve(name + ".md"), text);
    Files.writeString(out.resolve(name + ".json"), json.toPrettyString() + "\n");
    System.out.print(text);
    System.err.println("wrote " + out.resolve(name) + ".md and .json");
  }

  private static Map<String, String> versions(Run run) {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("MKL", run.mkl().version());
    versions.put("oneDNN", run.oneDnn().version());
    versions.put("PyTorch (Java)", TorchPeer.version());
    versions.put("ONNX Runtime", OrtEnvironment.getEnvironment().getVersion());
    versions.putAll(run.python().versions());
    return versions;
  }
}
