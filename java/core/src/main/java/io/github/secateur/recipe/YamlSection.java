package io.github.secateur.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * A YAML mapping whose entries know their line. Values stay text: a scalar as it stands, a list of
 * scalars joined by commas, a mapping of scalars as {@code NAME=VALUE,...}; sections and lists of
 * sections are asked for by name.
 */
public final class YamlSection {
  private final String file;
  private final int line;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(int line, Node value) {}

  private YamlSection(String file, MappingNode node) {
    this.file = file;
    this.line = line(node);
    for (NodeTuple tuple : node.getValue()) {
      int at = line(tuple.getKeyNode());
      if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
        throw new RecipeException("%s line %d: a name should be a plain word".formatted(file, at));
      }
      if (entries.put(key.getValue(), new Entry(at, tuple.getValueNode())) != null) {
        throw new RecipeException(
            "%s line %d: '%s' is there twice; keep one".formatted(file, at, key.getValue()));
      }
    }
  }

  /**
   * Reads a text whose top is a mapping.
   *
   * @param file its name, for messages
   * @param what it should be, for the message when it is none
   * @throws RecipeException naming file and line
   */
  public static YamlSection parse(String text, String file, String what) {
    LoadSettings settings = LoadSettings.builder().setLabel(file).build();
    Optional<Node> root;
    try {
      root = new Compose(settings).composeString(text);
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(Mark::getLine).orElse(0) + 1;
      throw new RecipeException(
          "%s line %d is no valid YAML: %s".formatted(file, line, e.getProblem()), e);
    } catch (YamlEngineException e) {
      throw new RecipeException(file + " is no valid YAML: " + e.getMessage(), e);
    }
    if (root.isEmpty() || !(root.get() instanceof MappingNode top)) {
      throw new RecipeException(file + " is no " + what);
    }
    return new YamlSection(file, top);
  }

  /** Names in the order of the file. */
  public Set<String> names() {
    return entries.keySet();
  }

  /** Whether there is an entry. */
  public boolean has(String name) {
    return entries.containsKey(name);
  }

  /** Refuses names that are not known. */
  public void requireKnown(Set<String> known) {
    for (String name : entries.keySet()) {
      if (!known.contains(name)) {
        throw Settings.unknown(name, where(name), known);
      }
    }
  }

  /** File, line and name of an entry; the line where this section begins for one not there. */
  public String where(String name) {
    Entry entry = entries.get(name);
    return "%s line %d: '%s'".formatted(file, entry == null ? line : entry.line, name);
  }

  /** An entry as text. */
  public String text(String name) {
    Entry entry = required(name);
    String where = where(name);
    return switch (entry.value) {
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
        for (NodeTuple inner : map.getValue()) {
          parts.add(scalar(inner.getKeyNode(), where) + "=" + scalar(inner.getValueNode(), where));
        }
        yield String.join(",", parts);
      }
      default -> throw new RecipeException(where + " has no value of a kind that is known");
    };
  }

  /** An entry that is a section. */
  public YamlSection section(String name) {
    if (!(required(name).value instanceof MappingNode node)) {
      throw new RecipeException(where(name) + " should be a section of indented NAME: VALUE lines");
    }
    return new YamlSection(file, node);
  }

  /** An entry that is a list of sections. */
  public List<YamlSection> sections(String name) {
    List<YamlSection> all = new ArrayList<>();
    if (required(name).value instanceof SequenceNode list) {
      for (Node part : list.getValue()) {
        if (part instanceof MappingNode node) {
          all.add(new YamlSection(file, node));
        }
      }
    }
    if (all.isEmpty()) {
      throw new RecipeException(where(name) + " should be a list of sections, each begun by '-'");
    }
    return all;
  }

  /** All entries as settings of these names. */
  public Settings settings(Set<String> known) {
    requireKnown(known);
    Settings settings = new Settings();
    entries.keySet().forEach(name -> settings.put(name, text(name), where(name)));
    return settings;
  }

  private Entry required(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new RecipeException(where(name) + " is missing in the section that begins here");
    }
    return entry;
  }

  private static String scalar(Node node, String where) {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw new RecipeException(where + " should hold plain values only, nothing nested");
  }

  private static int line(Node node) {
    return node.getStartMark().map(Mark::getLine).orElse(0) + 1;
  }
}
