package io.github.secateur.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Budget;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.Limits;
import io.github.secateur.prune.MaskRule;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.Schedule;
import io.github.secateur.prune.Strategy;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeTest {
  static final List<String> METHODS = PruneSettings.METHODS;

  private static final String FULL =
      """
      # a comment
      model: dense.onnx
      data: mnist
      seed: 7
      prune:
        criterion: taylor
        calibration: 600
        pattern: 4x1
        allocation: erk
        schedule: polynomial
        power: 2
        begin: 0.1
        end: 0.5
        every: 20
        sparsity: 0.8
        max-pruned: {fc3: 0.5}
        min-kept: 10
        exclude: [fc1, fc2]
        mask-rule: torch
      fine-tune:
        epochs: 4
        optimizer: sgd
        lr: 0.05
        nesterov: true
        lr-schedule: step:0.1:500
        weight-decay: 5e-4
      """;

  private static Recipe read(String yaml) {
    return RecipeReader.parse(yaml, "r.yaml");
  }

  private static PruneOptions options(Recipe recipe) {
    TrainOptions fineTune = FitSettings.options(recipe.fineTune(), 8, 1);
    return PruneSettings.options(recipe.prune(), 1, fineTune, batch -> model -> batch);
  }

  private static PruneOptions prune(String... lines) {
    return options(read("prune: {" + String.join(", ", lines) + "}"));
  }

  private static String refusal(String yaml) {
    return assertThrows(RecipeException.class, () -> options(read(yaml))).getMessage();
  }

  @Test
  void everySettingArrivesWhereItBelongs() {
    Recipe recipe = read(FULL);
    PruneOptions options = options(recipe);
    assertEquals(
        new Strategy.Scored(
            new Criterion.Taylor(600),
            new Pattern.Block(4, 1),
            new Allocation.Erk(),
            new Schedule.Polynomial(0.1, 0.5, 2, 20)),
        options.strategy());
    assertEquals(new Budget.Sparsity(0.8), options.budget());
    assertEquals(
        new Limits(1, Map.of("fc3", 0.5), 10, Set.of("fc1", "fc2"), Set.of()), options.limits());
    assertEquals(MaskRule.TORCH, options.rule());
    TrainOptions fit = options.fineTune();
    assertEquals(4, fit.epochs());
    assertEquals(new Optimizer.Sgd(0.9f, 5e-4f, true), fit.optimizer());
    assertEquals(new LearningRate.Step(0.05f, 0.1f, 500), fit.learningRate());
    assertEquals("dense.onnx", recipe.run().text("model", null));
    assertEquals(7, recipe.run().whole("seed", 1, 0, 100));
  }

  @Test
  void whatTookEffectCanBeReadBackAndMeansTheSame() {
    Recipe recipe = read(FULL);
    PruneOptions first = options(recipe);
    recipe.run().text("model", null);
    String yaml = recipe.toYaml();
    assertTrue(yaml.contains("batch: 100"), yaml); // a default, printed
    Recipe again = read(yaml);
    assertEquals(first, options(again));
    again.run().text("model", null);
    assertEquals(yaml, again.toYaml());
  }

  @ParameterizedTest
  @FieldSource("METHODS")
  void everyMethodHasAStrategyAndReadsBack(String method) {
    Recipe recipe = read("prune: {method: " + method + ", sparsity: 0.5}");
    PruneOptions options = options(recipe);
    assertEquals(options, options(read(recipe.toYaml())));
  }

  @Test
  void everyWordForACriterionIsUnderstood() {
    for (String name : CriterionSettings.NAMES) {
      Strategy strategy = prune("criterion: " + name, "sparsity: 0.5").strategy();
      assertInstanceOf(Strategy.Scored.class, strategy, name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "unstructured,Unstructured[]",
    "channel,Neuron[roundTo=1]",
    "rows,Line[axis=OUTPUT]",
    "columns,Line[axis=INPUT]",
    "16x2,'Block[outputs=16, inputs=2]'"
  })
  void patterns(String name, String pattern) {
    Strategy.Scored how = (Strategy.Scored) prune("pattern: " + name, "sparsity: 0.5").strategy();
    assertEquals(pattern, how.pattern().toString());
  }

  @Test
  void twoOfFourNeedsNoSparsityAndTakesNone() {
    Strategy.Scored how = (Strategy.Scored) prune("pattern: '2:4'", "permute: true").strategy();
    assertEquals(new Pattern.NM(2, 4, Pattern.Axis.INPUT, true), how.pattern());
    String refused = refusal("prune:\n  pattern: 2:4\n  sparsity: 0.5\n");
    assertTrue(refused.startsWith("r.yaml line 3: 'sparsity' has no effect"), refused);
  }

  /** Soft thresholds are learned; they are not allocated. */
  static Stream<String> methodsWithAllocation() {
    return METHODS.stream().filter(method -> !method.equals("str"));
  }

  @ParameterizedTest
  @MethodSource("methodsWithAllocation")
  void explicitRatiosNeedNoSparsityAndTakeNone(String method) {
    String ratios = "prune:\n  method: " + method + "\n  allocation: fc1=0.9,fc2=0.5\n";
    assertTrue(options(read(ratios)).strategy().decidesHowMuch());
    String sparsity = refusal(ratios + "  sparsity: 0.9\n");
    assertTrue(sparsity.startsWith("r.yaml line 4: 'sparsity' has no effect"), sparsity);
    String budget = refusal(ratios + "  budget: {flops: 0.5}\n");
    assertTrue(budget.startsWith("r.yaml line 4: 'budget' has no effect"), budget);
  }

  @Test
  void budgets() {
    assertEquals(
        new Budget.Counted(Budget.Unit.FLOPS, 0.5), prune("budget: {flops: 0.5}").budget());
    Budget.Measured latency =
        assertInstanceOf(
            Budget.Measured.class, prune("budget: latency=40", "budget-batch: 16").budget());
    assertEquals(40, latency.limit());
    assertEquals(16, latency.cost().applyAsDouble(null));
    assertTrue(refusal("prune: {budget: flops=-1}").contains("'budget'"));
    assertTrue(refusal("prune: {budget: {flops: 0.5}, sparsity: 0.5}").contains("give one"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prune:\\n"
            + "  sparcity: 0.5|r.yaml line 2: 'sparcity' is no setting; did you mean 'sparsity'?",
        "prune:\\n  sparsity: 1.5|r.yaml line 2: 'sparsity': sparsity must be between 0 and 1",
        "prune:\\n  sparsity: lots|r.yaml line 2: 'sparsity' takes a number",
        "prune:\\n  sparsity:|r.yaml line 2: 'sparsity' has no value",
        "prune:\\n\\n  sparsity: 0.5\\n  sparsity: 0.6|r.yaml line 4: 'sparsity' is there twice",
        "prune:\\n  sparsity: 0.5\\n  pattern: 5:4|r.yaml line 3: 'pattern': no pattern 5:4",
        "prune:\\n  sparsity: 0.5\\n  pattern: spiral|r.yaml line 3: 'pattern' takes unstructured",
        "prune:\\n"
            + "  sparsity: 0.5\\n"
            + "  temperature: 3|r.yaml line 3: 'temperature' has no effect with",
        "prune:\\n  sparsity: 0.5\\n  begin: 0.9|a polynomial schedule needs",
        "prune:\\n  sparsity: 0.5\\n  method: magic|r.yaml line 3: 'method' takes score, l1",
        "prune:\\n  criterion: magnitude|say how much to prune",
        "prune: 3|r.yaml line 1: 'prune' should be a section",
        "- a|r.yaml is no recipe",
        "prune: {|r.yaml line 1 is no valid YAML",
        "tune: {}|r.yaml line 1: 'tune' is no setting",
        "prune: {sparsity: 0.5}\\n"
            + "fine-tune:\\n"
            + "  momentum: 0.5|'momentum' has no effect with optimizer adam",
        "prune: {sparsity: 0.5, allocation: [[a]]}|nothing nested",
        "prune: {sparsity: 0.5, exclude: 'a,,b'}|takes names separated by commas"
      })
  void mistakesAreNamedWithTheirLine(String yaml, String wanted) {
    String message = refusal(yaml.replace("\\n", "\n"));
    assertTrue(message.contains(wanted), message);
  }

  @Test
  void flagsSpeakOfThemselves() {
    Settings flags = new Settings().put("sparsity", "2", "--sparsity");
    Recipe recipe = read("prune:\n  sparsity: 0.5\n");
    recipe.prune().putAll(flags);
    String message = assertThrows(RecipeException.class, () -> options(recipe)).getMessage();
    assertTrue(message.startsWith("--sparsity"), message);
  }

  @Test
  void hostileTextIsRefused() {
    String bomb =
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]\n";
    assertTrue(refusal(bomb).contains("'a' is no setting"));
    refusal("!!java.net.URL [\"file:///\"]");
    refusal("\0");
    refusal("");
  }
}
