package io.github.secateur.recipe;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads recipes: YAML lines of {@code NAME: VALUE}, with the sections {@code train} (dense training
 * that comes first, if any), {@code prune} and {@code fine-tune}. Values are text here; whoever
 * reads a setting says what it may be.
 */
public final class RecipeReader {
  private static final long MAX_BYTES = 1 << 20;
  private static final List<String> SECTIONS = List.of("train", "prune", "fine-tune");

  private RecipeReader() {}

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
    return of(
        YamlSection.parse(
            text,
            name,
            "recipe: it should be lines of NAME: VALUE, with sections prune, fine-tune"),
        Recipe.RUN);
  }

  /**
   * A recipe from a section that may have other entries beside.
   *
   * @param run names at its top that are settings of the run
   */
  public static Recipe of(YamlSection top, Set<String> run) {
    Set<String> known = new HashSet<>(run);
    known.addAll(SECTIONS);
    top.requireKnown(known);
    Recipe recipe = Recipe.empty();
    for (String name : top.names()) {
      switch (name) {
        case "train" -> recipe.train().putAll(top.section(name).settings(FitSettings.NAMES));
        case "prune" -> recipe.prune().putAll(top.section(name).settings(PruneSettings.NAMES));
        case "fine-tune" -> recipe.fineTune().putAll(top.section(name).settings(FitSettings.NAMES));
        default -> recipe.run().put(name, top.text(name), top.where(name));
      }
    }
    return recipe;
  }
}
