package io.github.secateur.recipe;

import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.SparseMode;
import io.github.secateur.train.TrainOptions;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How to train or fine-tune, from settings. */
public final class FitSettings {
  /** All names. */
  public static final Set<String> NAMES =
      Set.of(
          "epochs",
          "batch",
          "optimizer",
          "lr",
          "lr-schedule",
          "momentum",
          "nesterov",
          "weight-decay",
          "patience",
          "sparse-training");

  private FitSettings() {}

  /**
   * The options that settings stand for.
   *
   * @param epochs when they do not say
   * @throws RecipeException naming what is wrong, and where
   */
  public static TrainOptions options(Settings s, int epochs, long seed) {
    String optimizer = s.word("optimizer", "adam", List.of("sgd", "adam", "adamw"));
    double rate = s.number("lr", optimizer.equals("sgd") ? 0.1 : 0.0012, Double.MIN_VALUE, 1e6);
    TrainOptions options =
        new TrainOptions(
            s.count("epochs", epochs, 0),
            s.count("batch", 100, 1),
            optimizer(s, optimizer),
            schedule(s, (float) rate),
            seed,
            s.count("patience", 0, 0),
            List.of(),
            SparseMode.valueOf(
                s.word("sparse-training", "off", List.of("off", "auto", "on"))
                    .toUpperCase(Locale.ROOT)));
    s.requireAllRead(NAMES, "optimizer " + optimizer);
    return options;
  }

  private static Optimizer optimizer(Settings s, String name) {
    float decay = (float) s.number("weight-decay", 0, 0, 1e6);
    return switch (name) {
      case "sgd" ->
          new Optimizer.Sgd(
              (float) s.number("momentum", 0.9, 0, 0.999999), decay, s.flag("nesterov"));
      case "adam" -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, decay, false);
      default -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, decay, true);
    };
  }

  private static LearningRate schedule(Settings s, float rate) {
    String name = s.text("lr-schedule", "cosine");
    if (name.equals("cosine")) {
      return new LearningRate.Cosine(rate);
    }
    if (name.equals("constant")) {
      return new LearningRate.Constant(rate);
    }
    String[] parts = name.split(":", -1);
    if (parts.length == 3 && parts[0].equals("step")) {
      try {
        return new LearningRate.Step(rate, Float.parseFloat(parts[1]), Long.parseLong(parts[2]));
      } catch (IllegalArgumentException e) {
        throw s.wrong("lr-schedule", SCHEDULES);
      }
    }
    throw s.wrong("lr-schedule", SCHEDULES);
  }

  private static final String SCHEDULES =
      "takes cosine, constant or step:FACTOR:EVERY such as step:0.1:25000";
}
