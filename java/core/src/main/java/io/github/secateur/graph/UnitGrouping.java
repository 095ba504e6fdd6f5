package io.github.secateur.graph;

import io.github.secateur.graph.Coupling.Group;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Coupling.Slice;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Sorts sets of tied units into groups: consecutive sets with the same number of elements in the
 * same parts, at even distances, are the units of one group, so that each part of it is a {@link
 * Slice}. Parts that hold a set in several runs (a grouped convolution has one a group) give a
 * slice for each.
 */
final class UnitGrouping {
  private final UnitTies ties;
  private final Map<Integer, String> obstacles;
  private final Set<Integer> shown;

  private UnitGrouping(UnitTies ties) {
    this.ties = ties;
    this.obstacles = ties.obstacles();
    this.shown = new HashSet<>(ties.shown());
  }

  /** A run of elements of one set in a part. */
  private record Run(int part, int start, int length) {}

  /** Why a set stays, or not. */
  private record Verdict(boolean shown, String obstacle) {}

  /** Sets that follow each other, as the units of a group. */
  private static final class Draft {
    private final Verdict verdict;
    private final List<Run> first;
    private final List<Integer> sets = new ArrayList<>();

    Draft(Verdict verdict, List<Run> first) {
      this.verdict = verdict;
      this.first = first;
    }

    /** Whether a set with these runs is the next unit. */
    boolean continues(Verdict other, List<Run> runs) {
      if (!other.equals(verdict) || runs.size() != first.size()) {
        return false;
      }
      for (int r = 0; r < runs.size(); r++) {
        Run run = runs.get(r);
        Run zero = first.get(r);
        if (run.part != zero.part
            || run.length != zero.length
            || run.start != zero.start + sets.size() * zero.length) {
          return false;
        }
      }
      return true;
    }
  }

  static List<Group> of(UnitTies ties) {
    return new UnitGrouping(ties).groups();
  }

  private List<Group> groups() {
    List<Draft> drafts = new ArrayList<>();
    runs()
        .forEach(
            (set, runs) -> {
              Verdict verdict = verdict(set, runs);
              if (drafts.isEmpty() || !drafts.getLast().continues(verdict, runs)) {
                drafts.add(new Draft(verdict, runs));
              }
              drafts.getLast().sets.add(set);
            });
    return drafts.stream().map(this::group).toList();
  }

  /** Where the elements of each set lie, by part; sets in the order of their first units. */
  private Map<Integer, List<Run>> runs() {
    Map<Integer, List<Run>> all = new TreeMap<>();
    for (int p = 0; p < ties.parts().size(); p++) {
      int[] units = ties.parts().get(p).units();
      for (int i = 0; i < units.length; ) {
        if (units[i] == UnitTies.FIXED) {
          i++;
          continue;
        }
        int start = i;
        int set = ties.find(units[i]);
        while (i < units.length && units[i] != UnitTies.FIXED && ties.find(units[i]) == set) {
          i++;
        }
        all.computeIfAbsent(set, s -> new ArrayList<>()).add(new Run(p, start, i - start));
      }
    }
    return all;
  }

  private Verdict verdict(int set, List<Run> runs) {
    boolean read = runs.stream().anyMatch(r -> slice(r).role() == Role.OUTGOING);
    String unread = read || shown.contains(set) ? "" : "no layer reads its units";
    return new Verdict(shown.contains(set), obstacles.getOrDefault(set, unread));
  }

  private Slice slice(Run run) {
    return ties.parts().get(run.part).slice();
  }

  private Group group(Draft draft) {
    List<Slice> slices = new ArrayList<>();
    Set<String> layers = new LinkedHashSet<>();
    Set<String> activations = new LinkedHashSet<>();
    for (Run run : draft.first) {
      UnitTies.Part part = ties.parts().get(run.part);
      Slice s = part.slice();
      Slice slice = new Slice(s.role(), s.parameter(), s.axis(), run.start, run.length);
      if (!slices.contains(slice)) {
        slices.add(slice);
      }
      if (s.role() == Role.INCOMING) {
        layers.add(part.layer());
      }
      if (s.role() == Role.READ) {
        activations.add(part.activation());
      }
    }
    return new Group(
        List.copyOf(layers),
        draft.sets.size(),
        slices,
        valuesOf(new HashSet<>(draft.sets)),
        List.copyOf(activations),
        draft.verdict.shown,
        draft.verdict.obstacle);
  }

  private List<String> valuesOf(Set<Integer> sets) {
    Map<String, Boolean> carrying = new LinkedHashMap<>();
    ties.values()
        .forEach(
            (value, units) -> {
              for (int unit : units) {
                if (unit != UnitTies.FIXED && sets.contains(ties.find(unit))) {
                  carrying.put(value, true);
                  return;
                }
              }
            });
    return List.copyOf(carrying.keySet());
  }
}
