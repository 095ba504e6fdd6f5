package io.github.secateur.recipe;

import io.github.secateur.graph.Model;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.Limits;
import io.github.secateur.prune.MaskRule;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.Schedule;
import io.github.secateur.prune.Strategy;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** What to prune and how, from settings. */
public final class PruneSettings {
  /** All names. */
  public static final Set<String> NAMES =
      Set.of(
          "method",
          "criterion",
          "norm",
          "statistic",
          "calibration",
          "temperature",
          "rounds",
          "scores",
          "masks",
          "pattern",
          "axis",
          "permute",
          "round-to",
          "allocation",
          "schedule",
          "begin",
          "end",
          "power",
          "every",
          "sparsity",
          "budget",
          "budget-batch",
          "max-pruned",
          "min-kept",
          "exclude",
          "frozen",
          "mask-rule",
          "share",
          "backward",
          "penalty",
          "fraction",
          "rewind",
          "reinitialize",
          "warm-up",
          "phase-epochs",
          "damping",
          "rho",
          "update-epochs");

  /** Words of {@code method}. */
  public static final List<String> METHODS =
      List.of(
          "score",
          "l1",
          "gates",
          "group-lasso",
          "str",
          "top-kast",
          "movement",
          "soft-movement",
          "set",
          "rigl",
          "sparse-momentum",
          "lottery-ticket",
          "dense-sparse-dense",
          "ac-dc",
          "sparsegpt",
          "obc",
          "admm");

  private final Settings s;
  private final long seed;
  private final String method;

  private PruneSettings(Settings settings, long seed) {
    this.s = settings;
    this.seed = seed;
    this.method = method(settings);
  }

  /** The method that settings name; l1 and gates may also be named as the criterion. */
  public static String method(Settings s) {
    String named = s.has("criterion") ? s.text("criterion", "") : "";
    boolean learns = named.equals("l1") || named.equals("gates");
    return s.word("method", learns ? named : "score", METHODS);
  }

  /** Measures the latency of a batch of this size, in microseconds. */
  public interface Latency {
    /** The measure for a batch size. */
    ToDoubleFunction<Model> atBatch(int batch);
  }

  /**
   * The options that settings stand for.
   *
   * @param seed of random scores, masks and grown weights
   * @param latency measures a budget in latency; null where nothing can be measured
   * @throws RecipeException naming what is wrong, and where
   */
  public static PruneOptions options(
      Settings settings, long seed, TrainOptions fineTune, Latency latency) {
    PruneSettings reader = new PruneSettings(settings, seed);
    Strategy strategy = reader.strategy();
    PruneOptions options =
        new PruneOptions(
            strategy,
            new BudgetSettings(settings, latency).read(strategy),
            reader.limits(),
            reader.rule(),
            fineTune);
    settings.requireAllRead(NAMES, reader.what(strategy));
    return options;
  }

  private String what(Strategy strategy) {
    return strategy instanceof Strategy.Scored || strategy instanceof Strategy.Foresight
        ? "criterion " + s.text("criterion", "magnitude") + " and the other settings"
        : "method " + method;
  }

  private Strategy strategy() {
    return switch (method) {
      case "l1" -> new Strategy.L1(allocation(false), share());
      case "gates" -> {
        Pattern pattern = pattern("unstructured");
        yield new Strategy.Gates(pattern, allocation(structural(pattern)), share());
      }
      case "group-lasso" -> new Strategy.GroupLasso(pattern("neuron"), allocation(false), share());
      case "str" -> new Strategy.Str(share());
      case "top-kast" ->
          new Strategy.TopKast(
              allocation(true),
              s.number("backward", 0.5, 0, 1),
              s.count("every", 100, 1),
              s.number("penalty", 1e-4, 0, 1e6));
      case "movement", "soft-movement" ->
          new Strategy.Movement(method.startsWith("soft"), allocation(false), schedule("cubic"));
      case "set" -> dynamic(Strategy.Growth.RANDOM);
      case "rigl" -> dynamic(Strategy.Growth.GRADIENT);
      case "sparse-momentum" -> dynamic(Strategy.Growth.MOMENTUM);
      case "lottery-ticket" ->
          new Strategy.LotteryTicket(
              s.count("rounds", 10, 1),
              s.whole("rewind", 0, 0, Long.MAX_VALUE),
              s.flag("reinitialize"),
              allocation(true));
      case "dense-sparse-dense" -> new Strategy.DenseSparseDense(allocation(true), share());
      case "ac-dc" ->
          new Strategy.AcDc(
              allocation(false), s.number("warm-up", 0.1, 0, 0.99), s.count("phase-epochs", 2, 1));
      case "sparsegpt" -> layerWise(Strategy.Solver.SPARSEGPT);
      case "obc" -> layerWise(Strategy.Solver.OBC);
      case "admm" -> {
        Pattern pattern = pattern("unstructured");
        yield new Strategy.Admm(
            pattern,
            allocation(false),
            s.number("rho", 1e-2, Double.MIN_VALUE, 1e6),
            s.count("update-epochs", 1, 1),
            share());
      }
      default -> scored();
    };
  }

  private Strategy scored() {
    CriterionSettings criteria = new CriterionSettings(s, seed);
    Pattern pattern =
        s.has("masks")
            ? criteria.masks()
            : pattern(criteria.scoresUnits() ? "neuron" : "unstructured");
    boolean oneShot = s.has("masks") || criteria.beforeTraining();
    Criterion criterion = criteria.read();
    Allocation allocation = allocation(structural(pattern), criteria.allocation());
    Schedule schedule = schedule(oneShot ? "one-shot" : "cubic");
    boolean tells = criteria.beforeTraining() || s.has("reinitialize");
    if (!tells || !s.flag("reinitialize")) {
      return s.checked(
          "permute", () -> new Strategy.Scored(criterion, pattern, allocation, schedule));
    }
    if (!(schedule instanceof Schedule.OneShot)) {
      throw s.wrong("reinitialize", "goes with schedule one-shot, which prunes before training");
    }
    return s.checked("reinitialize", () -> new Strategy.Foresight(criterion, pattern, allocation));
  }

  private Strategy.Dynamic dynamic(Strategy.Growth growth) {
    return new Strategy.Dynamic(
        growth,
        allocation(false, "erk"),
        s.number("fraction", 0.3, Double.MIN_VALUE, 1),
        s.count("every", 100, 1),
        s.number("end", 0.75, Double.MIN_VALUE, 1),
        s.flag("reinitialize"));
  }

  private Strategy.LayerWise layerWise(Strategy.Solver solver) {
    return new Strategy.LayerWise(
        solver,
        pattern("unstructured"),
        allocation(true),
        s.count("calibration", 5000, 1),
        s.number("damping", 0.01, Double.MIN_VALUE, 1e6));
  }

  private double share() {
    return s.number("share", 0.5, 0.001, 0.999);
  }

  private static boolean structural(Pattern pattern) {
    return pattern instanceof Pattern.Neuron;
  }

  private Pattern pattern(String byDefault) {
    String name = s.text("pattern", byDefault);
    String[] sizes = name.split("[:x]", -1);
    try {
      if (name.matches("\\d+:\\d+")) {
        int n = Integer.parseInt(sizes[0]);
        int m = Integer.parseInt(sizes[1]);
        Pattern.Axis axis = axis();
        boolean permute = s.flag("permute");
        return s.checked("pattern", () -> new Pattern.NM(n, m, axis, permute));
      }
      if (name.matches("\\d+x\\d+")) {
        int outputs = Integer.parseInt(sizes[0]);
        int inputs = Integer.parseInt(sizes[1]);
        return s.checked("pattern", () -> new Pattern.Block(outputs, inputs));
      }
    } catch (NumberFormatException e) {
      throw s.wrong("pattern", PATTERNS);
    }
    return switch (name) {
      case "unstructured" -> new Pattern.Unstructured();
      case "neuron", "unit", "channel", "filter" -> {
        int roundTo = s.count("round-to", 1, 1);
        yield s.checked("round-to", () -> new Pattern.Neuron(roundTo));
      }
      case "rows" -> new Pattern.Line(Pattern.Axis.OUTPUT);
      case "columns" -> new Pattern.Line(Pattern.Axis.INPUT);
      default -> throw s.wrong("pattern", PATTERNS);
    };
  }

  private static final String PATTERNS =
      "takes unstructured, neuron (or channel), rows, columns, N:M such as 2:4, or OUTPUTSxINPUTS"
          + " such as 4x1";

  private Pattern.Axis axis() {
    return s.word("axis", "input", List.of("input", "output")).equals("input")
        ? Pattern.Axis.INPUT
        : Pattern.Axis.OUTPUT;
  }

  private Allocation allocation(boolean perLayer) {
    return allocation(perLayer, perLayer ? "per-layer" : "global");
  }

  private Allocation allocation(boolean perLayer, String byDefault) {
    String name = s.text("allocation", perLayer ? "per-layer" : byDefault);
    return switch (name) {
      case "global" -> new Allocation.Global();
      case "per-layer", "uniform" -> new Allocation.PerLayer();
      case "per-output" -> new Allocation.PerOutput();
      case "erk" -> new Allocation.Erk();
      case "lamp" -> new Allocation.Lamp();
      default -> {
        if (!name.contains("=")) {
          throw s.wrong(
              "allocation",
              "takes global, per-layer, per-output, erk, lamp or LAYER=SPARSITY,... such as"
                  + " fc1=0.92,fc2=0.91,fc3=0.74");
        }
        Map<String, Double> ratios = s.numbers("allocation", "fc1=0.92,fc2=0.91,fc3=0.74");
        yield s.checked("allocation", () -> new Allocation.Ratios(ratios));
      }
    };
  }

  private Schedule schedule(String byDefault) {
    String name = s.text("schedule", byDefault);
    String[] parts = name.split(":", -1);
    int number = parts.length == 2 && parts[1].matches("\\d{1,6}") ? Integer.parseInt(parts[1]) : 0;
    boolean counted = parts.length == 2 && number > 0;
    return switch (parts[0]) {
      case "one-shot" -> new Schedule.OneShot();
      case "polynomial", "cubic" -> polynomial(s.number("power", 3, Double.MIN_VALUE, 100));
      case "linear" -> polynomial(1);
      case "exponential" ->
          s.checked("end", () -> new Schedule.Exponential(begin(), end(), every()));
      case "cosine" -> s.checked("end", () -> new Schedule.Cosine(begin(), end(), every()));
      case "iterative" -> {
        if (parts.length > 1 && !counted) {
          throw s.wrong("schedule", SCHEDULES);
        }
        yield new Schedule.Iterative(counted ? number : 5);
      }
      case "cyclic" -> {
        if (parts.length > 1 && !counted) {
          throw s.wrong("schedule", SCHEDULES);
        }
        yield new Schedule.Cyclic(counted ? number : 3, every());
      }
      default -> throw s.wrong("schedule", SCHEDULES);
    };
  }

  private static final String SCHEDULES =
      "takes one-shot, linear, cubic, polynomial, exponential, cosine, cyclic:CYCLES or"
          + " iterative:ROUNDS such as iterative:5";

  private Schedule polynomial(double power) {
    return s.checked("end", () -> new Schedule.Polynomial(begin(), end(), power, every()));
  }

  private double begin() {
    return s.number("begin", 0, 0, 1);
  }

  private double end() {
    return s.number("end", 0.6, 0, 1);
  }

  private int every() {
    return s.count("every", 100, 1);
  }

  private Limits limits() {
    double most = 1;
    Map<String, Double> mostOf = Map.of();
    if (s.has("max-pruned")) {
      if (s.text("max-pruned", "").contains("=")) {
        mostOf = s.numbers("max-pruned", "fc3=0.5");
      } else {
        most = s.number("max-pruned", 1, 0, 1);
      }
    }
    double all = most;
    Map<String, Double> single = mostOf;
    return s.checked(
        "max-pruned",
        () ->
            new Limits(
                all,
                single,
                s.whole("min-kept", 0, 0, Long.MAX_VALUE),
                s.list("exclude"),
                s.list("frozen")));
  }

  private MaskRule rule() {
    List<String> names = new ArrayList<>();
    for (MaskRule rule : MaskRule.values()) {
      names.add(rule.name().toLowerCase(Locale.ROOT));
    }
    return MaskRule.valueOf(s.word("mask-rule", "secateur", names).toUpperCase(Locale.ROOT));
  }
}
