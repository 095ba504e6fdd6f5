package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is chosen from which times, and which times are taken; the stopwatch is a table. */
class ChoiceTest {
  private static final SparseFormat ROWS = new SparseFormat.Rows();

  @TempDir Path folder;

  private TuneCache cache(TuneCache.Use use) {
    return new TuneCache(folder.resolve("tuning"), use);
  }

  private List<Sparsified> choose(Table table, Model model, TuneCache.Use use, Long... batches) {
    return choose(
        table, model, new Sparsify.Options(0.05, 0.3, 9, cache(use), false), List.of(batches));
  }

  private static List<Sparsified> choose(
      Table table, Model model, Sparsify.Options options, List<Long> batches) {
    DeviceInfo info = new DeviceInfo("cpu", "a table", Map.of("processor", "none"));
    TuneFile file = TuneFile.open(options.cache(), info);
    return Sparsify.apply(new Tuner(table, file, options), file, model, batches);
  }

  private Sparsified choose(Table table, Model model) {
    return choose(table, model, TuneCache.Use.OFF, 64L).getFirst();
  }

  /** Layers of these shapes, each weight with zeros of a kind. */
  private static Model model(String network, SparseFormat kind, double sparsity) {
    Model model = Networks.parse(network, 1);
    Map<String, Tensor> weights = model.graph().initializers();
    weights.replaceAll(
        (name, t) -> name.endsWith(".weight") ? RandomWeights.of(t.shape(), kind, sparsity, 7) : t);
    return model;
  }

  @Test
  void aLayerLeavesDenseForAGainOfFivePercent() {
    Model model = model("mlp:64-48", ROWS, 0.9);
    Sparsified enough = choose(new Table(Map.of("dense", 100.0, "csr", 95.0)), model);
    assertEquals(List.of("csr"), Table.formats(enough.model()));
    assertTrue(enough.choices().getFirst().chosen());
    assertEquals("1 of 1 layers run sparse: 95.0 µs against 100.0 µs dense", enough.verdict());

    Sparsified little = choose(new Table(Map.of("dense", 100.0, "csr", 95.1)), model);
    assertSame(model, little.model());
    SparseChoice choice = little.choices().getFirst();
    assertFalse(choice.chosen());
    assertEquals("csr", choice.layout());
    assertEquals(95.1, choice.sparseMicros());
    assertEquals("fc1 at 90 % runs dense", choice.sentence());
    assertEquals("no layer was measured faster sparse than dense; all run dense", little.verdict());
  }

  @Test
  void patternsChooseTheFormatThatIsFastest() {
    Map<String, Double> times =
        Map.of(
            "dense", 100.0, "csr", 40.0, "gather", 60.0, "4x1", 30.0, "2:4", 20.0, "16x16", 50.0);
    for (String label : List.of("4x1", "2:4")) {
      SparseFormat kind = SparseFormat.parse(label);
      double sparsity = kind instanceof SparseFormat.NM ? 0.5 : 0.9;
      Sparsified chosen = choose(new Table(times), model("mlp:64-48", kind, sparsity));
      assertEquals(List.of(label), Table.formats(chosen.model()));
      SparseChoice choice = chosen.choices().getFirst();
      assertEquals(label, choice.layout());
      assertEquals(17, choice.bytes());
      List<String> candidates = choice.candidates().stream().map(Candidate::format).toList();
      assertEquals(List.of(label, "csr"), candidates);
    }
    // Blocks that are well filled, and yet slower than single nonzeros here.
    Sparsified single =
        choose(new Table(times), model("mlp:64-48", new SparseFormat.Blocks(16, 16), 0.9));
    assertEquals("4x1", single.choices().getFirst().layout());
    Model unstructured = model("mlp:64-48", ROWS, 0.9);
    assertEquals(List.of("csr"), Table.formats(choose(new Table(times), unstructured).model()));
    Table few = new Table(Map.of("dense", 100.0, "csr", 40.0, "gather", 4.0));
    Sparsified one = choose(few, unstructured, TuneCache.Use.OFF, 1L).getFirst();
    assertEquals(List.of("gather"), Table.formats(one.model()));
  }

  @Test
  void aFormatThatCannotBePackedIsNoCandidate() {
    Map<String, Double> times = Map.of("dense", 100.0, "csr", 40.0, "4x1", 30.0);
    Model model = model("mlp:64-48", new SparseFormat.Blocks(4, 1), 0.9);
    Table table = new Table(times, "4x1");
    Sparsified chosen = choose(table, model);
    assertEquals(List.of("csr"), Table.formats(chosen.model()));
    assertEquals(1, chosen.choices().getFirst().candidates().size());
    Sparsified none = choose(new Table(times, "4x1", "csr"), model);
    assertSame(model, none.model());
    assertTrue(none.choices().isEmpty());
  }

  /** Few samples may look fast by chance. */
  @Test
  void aFormatThatStoppedEarlyIsNotChosen() {
    Map<String, Double> times = Map.of("dense", 100.0, "csr", 40.0, "4x1", 30.0);
    Model model = model("mlp:64-48", new SparseFormat.Blocks(4, 1), 0.9);
    Table table = new Table(times);
    table.stopped = List.of("4x1");
    SparseChoice choice = choose(table, model).choices().getFirst();
    assertEquals("csr", choice.layout());
    assertTrue(choice.chosen());
    assertEquals("4x1", choice.candidates().getLast().format());
    table = new Table(times);
    table.stopped = List.of("4x1", "csr");
    assertFalse(choose(table, model).choices().getFirst().chosen());
  }

  @Test
  void aModelThatIsSlowerAsAWholeStaysDense() {
    Model model = model("mlp:64-48-32", ROWS, 0.9);
    Table table = new Table(Map.of("dense", 100.0, "csr", 90.0));
    table.surcharge = 21.9; // 201.9 against 200 ± 2
    Sparsified within = choose(table, model);
    assertEquals(List.of("csr", "csr"), Table.formats(within.model()));

    table = new Table(Map.of("dense", 100.0, "csr", 90.0));
    table.surcharge = 22.1;
    Sparsified slower = choose(table, model);
    assertSame(model, slower.model());
    assertEquals(slower.dense(), slower.sparse());
    assertTrue(slower.choices().stream().noneMatch(SparseChoice::chosen));
    assertEquals(
        "with sparse layers a run took 202.1 µs against 200.0 µs dense; all run dense",
        slower.verdict());
    List<List<String>> whole = List.of(List.of("dense", "dense"), List.of("csr", "csr"));
    assertEquals(
        2, table.races.stream().filter(whole::equals).count(), "a loss is measured a second time");
  }

  @Test
  void layersThatAreAlikeAreTimedOnce() {
    Table table = new Table(Map.of("dense", 100.0, "csr", 50.0));
    Sparsified all = choose(table, model("mlp:32-32-32-32-16", ROWS, 0.9));
    assertEquals(4, all.choices().size());
    // fc1, fc2 and fc3 are alike but for fc4, which has no activation and another shape.
    assertEquals(3, table.races.size(), "two layers and the whole");
    assertEquals(new Tuning(3, 2, 0), atNoTime(all.tuning()));
  }

  private static Tuning atNoTime(Tuning tuning) {
    return new Tuning(tuning.measured(), tuning.cached(), 0);
  }

  @Test
  void aSecondStartTimesNothing() throws Exception {
    Model model = model("mlp:64-48-32", ROWS, 0.9);
    Table first = new Table(Map.of("dense", 100.0, "csr", 50.0));
    List<Sparsified> measured = choose(first, model, TuneCache.Use.KEEP, 1L, 64L);
    assertFalse(measured.getFirst().cached());
    assertEquals(6, first.races.size());
    try (var files = Files.list(folder.resolve("tuning"))) {
      assertEquals(1, files.filter(f -> f.toString().endsWith(".json")).count());
    }

    // Other values in other places, as many of them: the same decision.
    Table second = new Table(Map.of("dense", 1.0, "csr", 1e9));
    List<Sparsified> known = choose(second, model, TuneCache.Use.KEEP, 1L, 64L);
    assertEquals(List.of(), second.races);
    for (int i = 0; i < 2; i++) {
      Sparsified was = measured.get(i);
      Sparsified is = known.get(i);
      assertTrue(is.cached() && is.choices().stream().allMatch(SparseChoice::cached));
      assertEquals(was.dense(), is.dense());
      assertEquals(was.verdict(), is.verdict());
      assertEquals(Table.formats(was.model()), Table.formats(is.model()));
      assertEquals(was.choices().get(1).candidates(), is.choices().get(1).candidates());
      assertEquals(new Tuning(0, 3, 0), is.tuning());
    }

    Table batch = new Table(Map.of("dense", 100.0, "csr", 50.0));
    choose(batch, model, TuneCache.Use.KEEP, 65L);
    assertEquals(3, batch.races.size(), "another batch size");
    Table density = new Table(Map.of("dense", 100.0, "csr", 50.0));
    choose(density, model("mlp:64-48-32", ROWS, 0.8), TuneCache.Use.KEEP, 64L);
    assertEquals(3, density.races.size(), "another density");
  }

  @Test
  void timesAreTakenAnewWhenAskedToAndNotKeptWhenAskedNotTo() throws Exception {
    Model model = model("mlp:64-48", ROWS, 0.9);
    choose(new Table(Map.of("dense", 100.0, "csr", 50.0)), model, TuneCache.Use.OFF, 64L);
    assertFalse(Files.exists(folder.resolve("tuning")));

    choose(new Table(Map.of("dense", 100.0, "csr", 50.0)), model, TuneCache.Use.KEEP, 64L);
    Table anew = new Table(Map.of("dense", 100.0, "csr", 200.0));
    Sparsified dense = choose(anew, model, TuneCache.Use.RENEW, 64L).getFirst();
    assertEquals(2, anew.races.size());
    assertFalse(dense.choices().getFirst().chosen());

    Table unused = new Table(Map.of("dense", 100.0, "csr", 50.0));
    Sparsified kept = choose(unused, model, TuneCache.Use.KEEP, 64L).getFirst();
    assertEquals(List.of(), unused.races);
    assertFalse(kept.choices().getFirst().chosen(), "the new times are the ones kept");
  }

  @Test
  void aLayerSaysFromWhichSparsityItWouldPay() {
    Model model = model("mlp:64-48", ROWS, 0.6);
    Table table = new Table(Map.of("dense", 100.0, "csr", 99.0));
    Sparsify.Options options =
        new Sparsify.Options(0.05, 0.3, 9, cache(TuneCache.Use.KEEP), false).withBreakEven();
    SparseChoice choice =
        choose(table, model, options, List.of(64L)).getFirst().choices().getFirst();
    assertNull(choice.breakEven().sparsity());
    assertEquals(
        "fc1 at 60 % runs dense: sparse pays at no sparsity up to 99 % here", choice.sentence());
    int races = table.races.size();
    SparseChoice again =
        choose(table, model, options, List.of(64L)).getFirst().choices().getFirst();
    assertEquals(races, table.races.size());
    assertEquals(choice.breakEven(), again.breakEven());
    Table fast = new Table(Map.of("dense", 100.0, "csr", 10.0));
    Sparsify.Options off = options.with(TuneCache.off());
    SparseChoice pays = choose(fast, model, off, List.of(64L)).getFirst().choices().getFirst();
    assertNotEquals(null, pays.breakEven().sparsity());
    assertEquals("fc1 at 60 % runs sparse (csr): sparse pays from 30 % on here", pays.sentence());
  }
}
