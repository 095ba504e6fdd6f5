package io.github.secateur.recipe;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads recipes. A recipe is a YAML mapping of names to values, with the sections {@code prune} and
 * {@code fine-tune}; a value is a scalar, a list of scalars, or a mapping of names to numbers where
 * a setting takes NAME=NUMBER. Values are text here; whoever reads a setting says what it may be.
 */
public final class RecipeReader {
  private static final long MAX_BYTES = 1 << 20;

  private final String file;

  private RecipeReader(String file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws RecipeException naming file, line and cure
   */
  public static Recipe read(Path path) throws IOException {
    if (Files.isRegularFile(path) && Files.size(path) > MAX_BYTES) {
      throw new RecipeException(
          "recipe %s has %d bytes; a recipe has some hundred".formatted(path, Files.size(path)));
    }
    try (InputStream in = Files.newInputStream(path)) {
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), path.toString());
    }
  }

  /**
   * Reads a text.
   *
   * @param name of its file, for messages
   */
  public static Recipe parse(String text, String name) {
    LoadSettings settings =
        LoadSettings.builder().setLabel(name).setAllowDuplicateKeys(false).build();
    Optional<Node> root;
    try {
      root = new Compose(settings).composeString(text);
    } catch (MarkedYamlEngineException e) {
      throw new RecipeException(
          "%s line %d is no valid YAML: %s"
              .formatted(name, e.getProblemMark().map(Mark::getLine).orElse(0) + 1, e.getProblem()),
          e);
    } catch (YamlEngineException e) {
      throw new RecipeException(name + " is no valid YAML: " + e.getMessage(), e);
    }
    return new RecipeReader(name).recipe(root);
  }

  private Recipe recipe(Optional<Node> root) {
    if (root.isEmpty() || !(root.get() instanceof MappingNode top)) {
      throw new RecipeException(
          file
              + " is no recipe: it should be lines of NAME: VALUE, with sections prune and"
              + " fine-tune");
    }
    Recipe recipe = Recipe.empty();
    Set<String> seen = new HashSet<>();
    for (NodeTuple entry : top.getValue()) {
      String name = name(entry, seen);
      switch (name) {
        case "prune" -> section(entry, recipe.prune(), PruneSettings.NAMES);
        case "fine-tune" -> section(entry, recipe.fineTune(), FitSettings.NAMES);
        default -> {
          Set<String> known = new HashSet<>(Recipe.RUN);
          known.addAll(List.of("prune", "fine-tune"));
          put(entry, name, recipe.run(), known);
        }
      }
    }
    return recipe;
  }

  private void section(NodeTuple entry, Settings settings, Set<String> known) {
    if (!(entry.getValueNode() instanceof MappingNode section)) {
      throw new RecipeException(
          "%s should be a section of indented NAME: VALUE lines"
              .formatted(where(entry.getKeyNode(), ((ScalarNode) entry.getKeyNode()).getValue())));
    }
    Set<String> seen = new HashSet<>();
    for (NodeTuple inner : section.getValue()) {
      put(inner, name(inner, seen), settings, known);
    }
  }

  private void put(NodeTuple entry, String name, Settings settings, Set<String> known) {
    String where = where(entry.getKeyNode(), name);
    if (!known.contains(name)) {
      throw Settings.unknown(name, where, known);
    }
    settings.put(name, value(entry.getValueNode(), where), where);
  }

  private String name(NodeTuple entry, Set<String> seen) {
    if (!(entry.getKeyNode() instanceof ScalarNode key)) {
      throw new RecipeException(where(entry.getKeyNode(), "a name") + " should be a plain word");
    }
    if (!seen.add(key.getValue())) {
      throw new RecipeException(where(key, key.getValue()) + " is there twice; keep one");
    }
    return key.getValue();
  }

  private String value(Node node, String where) {
    return switch (node) {
      case ScalarNode scalar -> {
        if (scalar.getValue().isEmpty()) {
          throw new RecipeException(where + " has no value; give one or leave the line out");
        }
        yield scalar.getValue();
      }
      case SequenceNode list -> {
        List<String> parts = new ArrayList<>();
        list.getValue().forEach(part -> parts.add(scalar(part, where)));
        yield String.join(",", parts);
      }
      case MappingNode map -> {
        List<String> parts = new ArrayList<>();
        for (NodeTuple entry : map.getValue()) {
          parts.add(scalar(entry.getKeyNode(), where) + "=" + scalar(entry.getValueNode(), where));
        }
        yield String.join(",", parts);
      }
      default -> throw new RecipeException(where + " has no value of a kind that recipes know");
    };
  }

  private static String scalar(Node node, String where) {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw new RecipeException(where + " should hold plain values only, nothing nested");
  }

  private String where(Node node, String name) {
    int line = node.getStartMark().map(Mark::getLine).orElse(0) + 1;
    return "%s line %d: '%s'".formatted(file, line, name);
  }
}
