package io.github.secateur.prune;

import io.github.secateur.prune.Pattern.Axis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The masks that patterns make of scores, by sorting, in double precision. Low scores go first, of
 * equal ones the higher index.
 *
 * @param layers in order
 * @param scores of each weight of each layer
 * @param pooling what the scores of weights that go together are worth
 * @param before weights of each layer that are there
 */
record PatternOracle(
    List<Layer> layers, List<double[]> scores, Pooling pooling, List<boolean[]> before) {
  /** One number for weights that go together. */
  interface Pooling {
    double of(DoubleStream scores);

    /** The one that belongs to a criterion. */
    static Pooling of(Criterion criterion) {
      double order = criterion instanceof Criterion.Magnitude(double p) ? p : 1;
      if (order == Double.POSITIVE_INFINITY) {
        return scores -> scores.max().orElseThrow();
      }
      return scores -> scores.map(s -> order == 2 ? s * s : s).average().orElseThrow();
    }
  }

  /** Nothing is pruned yet. */
  static List<boolean[]> all(List<Layer> layers) {
    List<boolean[]> all = new ArrayList<>();
    for (Layer layer : layers) {
      boolean[] kept = new boolean[(int) layer.size()];
      Arrays.fill(kept, true);
      all.add(kept);
    }
    return all;
  }

  /** What stays of each layer; N:M reads no quotas. */
  List<boolean[]> masks(Pattern pattern, Quotas quotas) {
    return switch (pattern) {
      case Pattern.NM nm -> groups(nm);
      case Pattern.Unstructured _, Pattern.Block _, Pattern.Line _ -> boxes(pattern, quotas);
      case Pattern.Neuron _, Pattern.Given _ -> throw new AssertionError(pattern);
    };
  }

  /** The flat indices of a layer's weights that a pattern treats together, in order. */
  static Collection<List<Integer>> parts(Layer layer, Pattern pattern) {
    Map<String, List<Integer>> parts = new LinkedHashMap<>();
    for (int i = 0; i < layer.size(); i++) {
      parts.computeIfAbsent(part(layer, pattern, i), k -> new ArrayList<>()).add(i);
    }
    return parts.values();
  }

  private static String part(Layer layer, Pattern pattern, int flat) {
    long[] at = new long[layer.shape().rank()];
    int rest = flat;
    for (int d = at.length - 1; d >= 0; d--) {
      at[d] = rest % layer.shape().dim(d);
      rest /= (int) layer.shape().dim(d);
    }
    long o = at[layer.outputAxis()];
    long i = at[layer.inputAxis()];
    boolean image = at.length == 4;
    long place = image ? at[2] * layer.shape().dim(3) + at[3] : 0;
    long places = image ? layer.shape().dim(2) * layer.shape().dim(3) : 1;
    long lead = at.length == 3 ? at[0] : 0;
    return switch (pattern) {
      case Pattern.Unstructured _ -> "" + flat;
      case Pattern.NM(_, int m, Axis axis, _) ->
          axis == Axis.INPUT
              ? lead + ":" + o + ":" + place + ":" + i / m
              : lead + ":" + i + ":" + place + ":" + o / m;
      case Pattern.Line(Axis axis) -> axis == Axis.INPUT ? "" + i : lead + ":" + o;
      case Pattern.Block(int r, int c) ->
          layer.outputAxis() < layer.inputAxis()
              ? lead + ":" + o / r + ":" + (i * places + place) / c
              : place + ":" + o / r + ":" + i / c;
      case Pattern.Neuron _, Pattern.Given _ -> throw new AssertionError(pattern);
    };
  }

  /** How many weights of a group N:M keeps in a layer. */
  static int kept(Pattern.NM nm, Layer layer, List<Integer> group) {
    int axis = nm.axis() == Axis.INPUT ? layer.inputAxis() : layer.outputAxis();
    boolean taken = layer.shape().dim(axis) >= nm.m();
    return taken ? Math.ceilDiv(group.size() * nm.n(), nm.m()) : group.size();
  }

  private List<boolean[]> groups(Pattern.NM nm) {
    List<boolean[]> masks = new ArrayList<>();
    for (int l = 0; l < layers.size(); l++) {
      double[] own = scores.get(l);
      boolean[] there = before.get(l);
      boolean[] kept = new boolean[own.length];
      for (List<Integer> group : parts(layers.get(l), nm)) {
        group.stream()
            .filter(i -> there[i])
            .sorted(Comparator.comparing(i -> -own[i]))
            .limit(kept(nm, layers.get(l), group))
            .forEach(i -> kept[i] = true);
      }
      masks.add(kept);
    }
    return masks;
  }

  private record BoxOf(int layer, List<Integer> weights, boolean live, double score) {}

  private List<boolean[]> boxes(Pattern pattern, Quotas quotas) {
    List<boolean[]> kept = before.stream().map(boolean[]::clone).toList();
    for (int g = 0; g < quotas.k().length; g++) {
      List<BoxOf> boxes = new ArrayList<>();
      for (int l = 0; l < layers.size(); l++) {
        if (quotas.group()[l] == g) {
          for (List<Integer> weights : parts(layers.get(l), pattern)) {
            double[] own = scores.get(l);
            boolean[] there = kept.get(l);
            boolean live = weights.stream().anyMatch(i -> there[i]);
            double score = pooling.of(weights.stream().mapToDouble(i -> own[i]));
            boxes.add(new BoxOf(l, weights, live, score));
          }
        }
      }
      prune(boxes, kept, quotas.k()[g]);
    }
    return kept;
  }

  /** Boxes one after the other as long as that comes nearer to what is asked. */
  private static void prune(List<BoxOf> boxes, List<boolean[]> kept, long quota) {
    long total = boxes.stream().mapToLong(b -> b.weights.size()).sum();
    long pruned = total - boxes.stream().mapToLong(b -> live(b, kept)).sum();
    List<BoxOf> order =
        boxes.reversed().stream()
            .filter(BoxOf::live)
            .sorted(Comparator.comparing(BoxOf::score))
            .toList();
    for (BoxOf box : order) {
      long more = live(box, kept);
      if (pruned >= quota || pruned + more - quota >= quota - pruned) {
        return;
      }
      pruned += more;
      box.weights.forEach(i -> kept.get(box.layer)[i] = false);
    }
  }

  private static long live(BoxOf box, List<boolean[]> kept) {
    return box.weights.stream().filter(i -> kept.get(box.layer)[i]).count();
  }

  /** The same number of single weights of every output, of layers stored outputs first. */
  List<boolean[]> perOutput(double sparsity) {
    List<boolean[]> masks = before.stream().map(boolean[]::clone).toList();
    for (int l = 0; l < layers.size(); l++) {
      double[] own = scores.get(l);
      int inputs = (int) (layers.get(l).size() / layers.get(l).units());
      for (int o = 0; o < layers.get(l).units(); o++) {
        List<Integer> row = IntStream.range(o * inputs, (o + 1) * inputs).boxed().toList();
        boolean[] kept = masks.get(l);
        row.reversed().stream()
            .sorted(Comparator.comparing(i -> own[i]))
            .limit(Quotas.count(sparsity, inputs))
            .forEach(i -> kept[i] = false);
      }
    }
    return masks;
  }
}
