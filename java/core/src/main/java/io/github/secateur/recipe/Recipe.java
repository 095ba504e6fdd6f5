package io.github.secateur.recipe;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A whole pruning run as text: what is pruned and on which data, how it is pruned, how it is
 * fine-tuned.
 *
 * @param run the names of {@link #RUN}
 * @param train dense training that comes first, if any: the names of {@link FitSettings#NAMES}
 * @param prune the names of {@link PruneSettings#NAMES}
 * @param fineTune the names of {@link FitSettings#NAMES}
 */
public record Recipe(Settings run, Settings train, Settings prune, Settings fineTune) {
  /** Names at the top of a recipe. */
  public static final Set<String> RUN =
      Set.of("model", "standardize", "data", "validation", "seed", "device", "threads");

  /** A recipe in which nothing is set. */
  public static Recipe empty() {
    return new Recipe(new Settings(), new Settings(), new Settings(), new Settings());
  }

  /** All settings as they took effect, defaults included, as YAML that can be read back. */
  public String toYaml() {
    StringBuilder yaml = new StringBuilder();
    append(yaml, "", run.effective());
    section(yaml, "train", train.effective());
    section(yaml, "prune", prune.effective());
    section(yaml, "fine-tune", fineTune.effective());
    return yaml.toString();
  }

  private static void section(StringBuilder yaml, String name, Map<String, String> settings) {
    if (!settings.isEmpty()) {
      yaml.append(name).append(":\n");
      append(yaml, "  ", settings);
    }
  }

  private static void append(StringBuilder yaml, String indent, Map<String, String> settings) {
    new LinkedHashMap<>(settings)
        .forEach(
            (name, value) ->
                yaml.append(indent).append(name).append(": ").append(quoted(value)).append('\n'));
  }

  private static String quoted(String value) {
    return value.matches("[A-Za-z0-9_./+-][A-Za-z0-9_./+ -]*")
        ? value
        : "'" + value.replace("'", "''") + "'";
  }
}
