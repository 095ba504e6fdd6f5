package io.github.secateur.cli;

import io.github.secateur.recipe.Settings;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Options of a command line as settings of a recipe: the same names, without the dashes. */
final class Flags {
  private Flags() {}

  /**
   * The options of a mixin that were given.
   *
   * @param command that was parsed
   * @param mixin name of the field that holds the mixin
   */
  static Settings of(CommandSpec command, String mixin) {
    ParseResult parsed = command.commandLine().getParseResult();
    Settings settings = new Settings();
    for (OptionSpec option : command.mixins().get(mixin).options()) {
      String flag = option.longestName();
      if (parsed.hasMatchedOption(flag)) {
        boolean isSwitch = option.type() == boolean.class;
        String value = String.join(",", parsed.matchedOption(flag).stringValues());
        settings.put(flag.substring(2), isSwitch ? "true" : value, flag);
      }
    }
    return settings;
  }
}
