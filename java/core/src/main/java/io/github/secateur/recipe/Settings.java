package io.github.secateur.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Settings by name, as text, each with the place it was written at. Whoever reads one gives the
 * default and what is allowed; what was read is remembered with its value, so that a run can be
 * printed in full and a setting that nobody read can be refused.
 */
public final class Settings {
  private final Map<String, Setting> given = new LinkedHashMap<>();
  private final Map<String, String> effective = new LinkedHashMap<>();
  private final Set<String> read = new LinkedHashSet<>();

  /**
   * A value and where it stands.
   *
   * @param value as written
   * @param where such as {@code recipe.yaml line 7: sparsity} or {@code --sparsity}
   */
  public record Setting(String value, String where) {}

  /** Sets or replaces a setting. */
  public Settings put(String name, String value, String where) {
    given.put(name, new Setting(value, where));
    return this;
  }

  /** Takes the settings of another over these. */
  public Settings putAll(Settings other) {
    given.putAll(other.given);
    return this;
  }

  /** Names that were set. */
  public Set<String> names() {
    return given.keySet();
  }

  /** Whether a setting was given. */
  public boolean has(String name) {
    return given.containsKey(name);
  }

  /** The text of a setting, or its default; null is a default too. */
  public String text(String name, String byDefault) {
    read.add(name);
    Setting setting = given.get(name);
    String value = setting == null ? byDefault : setting.value;
    if (value != null) {
      effective.put(name, value);
    }
    return value;
  }

  /** One of a few words. */
  public String word(String name, String byDefault, List<String> allowed) {
    String value = text(name, byDefault);
    if (value != null && !allowed.contains(value)) {
      throw wrong(name, "takes " + enumerate(allowed));
    }
    return value;
  }

  /** A number from least to most. */
  public double number(String name, double byDefault, double least, double most) {
    if (!has(name)) {
      text(name, plain(byDefault));
      return byDefault;
    }
    String value = text(name, "");
    try {
      double number = Double.parseDouble(value.trim());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw wrong(name, "takes a number " + range(least, most), e);
    }
    throw wrong(name, "takes a number " + range(least, most));
  }

  /** Any number, for those who check the range themselves; must be given. */
  double real(String name) {
    try {
      return Double.parseDouble(text(name, "").trim());
    } catch (NumberFormatException e) {
      throw wrong(name, "takes a number", e);
    }
  }

  /** A whole number from least to most. */
  public long whole(String name, long byDefault, long least, long most) {
    if (!has(name)) {
      text(name, Long.toString(byDefault));
      return byDefault;
    }
    String value = text(name, "");
    String wanted =
        most == Long.MAX_VALUE || most == Integer.MAX_VALUE
            ? "takes a whole number of " + least + " or more"
            : "takes a whole number from " + least + " to " + most;
    try {
      long number = Long.parseLong(value.trim());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw wrong(name, wanted, e);
    }
    throw wrong(name, wanted);
  }

  /** A whole number that fits an int. */
  public int count(String name, int byDefault, int least) {
    return Math.toIntExact(whole(name, byDefault, least, Integer.MAX_VALUE));
  }

  /** true or false; given without a value it is true. */
  public boolean flag(String name) {
    return word(name, "false", List.of("true", "false")).equals("true");
  }

  /** Names separated by commas; empty when not given. */
  public Set<String> list(String name) {
    Set<String> names = new TreeSet<>();
    if (has(name)) {
      for (String part : text(name, "").split(",", -1)) {
        if (part.isBlank()) {
          throw wrong(name, "takes names separated by commas");
        }
        names.add(part.trim());
      }
    }
    return names;
  }

  /** {@code NAME=NUMBER,...}. */
  public Map<String, Double> numbers(String name, String example) {
    Map<String, Double> numbers = new LinkedHashMap<>();
    for (String part : text(name, "").split(",", -1)) {
      int equals = part.lastIndexOf('=');
      try {
        if (equals <= 0) {
          throw new NumberFormatException("no name");
        }
        numbers.put(
            part.substring(0, equals).trim(),
            Double.parseDouble(part.substring(equals + 1).trim()));
      } catch (NumberFormatException e) {
        throw wrong(name, "takes NAME=NUMBER,... such as " + example, e);
      }
    }
    return numbers;
  }

  /** The error for a value that is not allowed. */
  public RecipeException wrong(String name, String wanted) {
    return wrong(name, wanted, null);
  }

  private RecipeException wrong(String name, String wanted, Throwable cause) {
    Setting setting = given.get(name);
    String where = setting == null ? name : setting.where;
    String value = setting == null ? effective.get(name) : setting.value;
    return new RecipeException("%s %s, got '%s'".formatted(where, wanted, value), cause);
  }

  /**
   * Makes something whose own check of a setting's value may fail, and then says where it stands.
   */
  <T> T checked(String name, Supplier<T> make) {
    try {
      return make.get();
    } catch (RecipeException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new RecipeException(where(name) + ": " + e.getMessage(), e);
    }
  }

  /** Where a setting stands, for messages of others. */
  public String where(String name) {
    Setting setting = given.get(name);
    return setting == null ? name : setting.where;
  }

  /**
   * Refuses settings that are unknown, or that nobody read because others make them meaningless.
   *
   * @param known all names that there are
   * @param why what the settings that count are, such as {@code criterion magnitude}
   */
  public void requireAllRead(Set<String> known, String why) {
    for (Map.Entry<String, Setting> entry : given.entrySet()) {
      if (!known.contains(entry.getKey())) {
        throw unknown(entry.getKey(), entry.getValue().where, known);
      }
      if (!read.contains(entry.getKey())) {
        throw new RecipeException(
            "%s has no effect with %s; leave it out".formatted(entry.getValue().where, why));
      }
    }
  }

  /** The error for a name that does not exist. */
  static RecipeException unknown(String name, String where, Set<String> known) {
    String nearest = nearest(name, known);
    return new RecipeException(
        "%s is no setting; %s"
            .formatted(
                where,
                nearest == null
                    ? "there are " + String.join(", ", new TreeSet<>(known))
                    : "did you mean '" + nearest + "'?"));
  }

  private static String nearest(String name, Set<String> known) {
    String best = null;
    int least = Math.max(2, name.length() / 3) + 1;
    for (String candidate : new TreeSet<>(known)) {
      int distance = distance(name, candidate);
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    return best;
  }

  /** Insertions, deletions and replacements from one word to another (Levenshtein 1966). */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  /** Every setting that was read, with the value that it had: given or by default. */
  public Map<String, String> effective() {
    return new LinkedHashMap<>(effective);
  }

  /** Every setting that was given, as written. */
  public Map<String, String> written() {
    Map<String, String> all = new LinkedHashMap<>();
    given.forEach((name, setting) -> all.put(name, setting.value));
    return all;
  }

  /** A number without a trailing {@code .0}. */
  static String plain(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.toString((long) number)
        : Double.toString(number);
  }

  private static String range(double least, double most) {
    if (most == Double.MAX_VALUE || most == Double.POSITIVE_INFINITY) {
      return least == Double.MIN_VALUE ? "above 0" : "of " + plain(least) + " or more";
    }
    return (least == Double.MIN_VALUE ? "above 0 and at most " : "from " + plain(least) + " to ")
        + plain(most);
  }

  private static String enumerate(List<String> words) {
    List<String> all = new ArrayList<>(words);
    String last = all.removeLast();
    return all.isEmpty() ? last : String.join(", ", all) + " or " + last;
  }
}
