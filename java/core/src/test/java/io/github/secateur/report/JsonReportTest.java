package io.github.secateur.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonReportTest {
  @TempDir Path folder;

  @Test
  void roundTrip() throws IOException {
    for (Report report : List.of(SampleReport.full(), SampleReport.empty())) {
      Path file = folder.resolve("report.json");
      JsonReport.write(report, file);
      Report back = JsonReport.read(file);
      assertEquals(JsonReport.toTree(report), JsonReport.toTree(back));
      assertEquals(report.latencies(), back.latencies());
      assertEquals(report.choices(), back.choices());
      assertEquals(report.histograms(), back.histograms());
      assertEquals(report.provenance(), back.provenance());
      assertEquals(report.model(), back.model());
      assertEquals(
          report.cells().stream().map(Cell::layers).toList(),
          back.cells().stream().map(Cell::layers).toList());
    }
  }

  @Test
  void keysStandInTheOrderOfTheRecords() {
    List<String> keys =
        List.copyOf(
            JsonReport.toTree(SampleReport.full())
                .propertyStream()
                .map(java.util.Map.Entry::getKey)
                .toList());
    assertEquals(
        List.of(
            "schema",
            "title",
            "command",
            "provenance",
            "model",
            "dense",
            "cells",
            "latencies",
            "choices",
            "histograms",
            "notes",
            "files"),
        keys);
    assertEquals(JsonReport.toText(SampleReport.full()), JsonReport.toText(SampleReport.full()));
  }

  @Test
  void notMeasuredIsNull() throws IOException {
    EpochRecord epoch = new EpochRecord(1, 0.5, Double.NaN, Double.NaN, 1e-3, 0, 2);
    Metrics metrics = new Metrics(10, Double.POSITIVE_INFINITY, 0.5, 0.5, null);
    Baseline dense = new Baseline(metrics, List.of(epoch), null, Double.NaN);
    Report report = new Report("nan", null, null, null, dense, null, null, null, null, null, null);
    Path file = folder.resolve("nan.json");
    JsonReport.write(report, file);
    assertFalse(Files.readString(file).contains("NaN"));
    assertFalse(Files.readString(file).contains("Infinity"));
    JsonNode tree = JsonReport.toTree(report);
    assertTrue(tree.at("/dense/history/0/validationLoss").isNull());
    Report back = JsonReport.read(file);
    assertTrue(Double.isNaN(back.dense().history().getFirst().validationLoss()));
    assertTrue(Double.isNaN(back.dense().test().loss()));
    assertEquals(0.5, back.dense().history().getFirst().trainLoss());
    assertNull(back.dense().trainSeconds());
  }

  @Test
  void otherFilesAreRefusedByName() throws IOException {
    Path file = folder.resolve("other.json");
    Files.writeString(file, "{\"schema\": 99, \"title\": \"x\"}");
    IOException schema = assertThrows(IOException.class, () -> JsonReport.read(file));
    assertTrue(schema.getMessage().contains("other.json: schema 99"), schema.getMessage());
    Files.writeString(file, "{\"schema\": 1,\n \"title\": ");
    IOException cut = assertThrows(IOException.class, () -> JsonReport.read(file));
    assertTrue(cut.getMessage().contains("line 2"), cut.getMessage());
    Files.writeString(file, "[]");
    assertThrows(IOException.class, () -> JsonReport.read(file));
    Files.writeString(file, "");
    assertThrows(IOException.class, () -> JsonReport.read(file));
    Files.writeString(file, "{\"schema\": 1}");
    assertThrows(IOException.class, () -> JsonReport.read(file));
  }

  @Test
  void nothingHalfWrittenIsLeft() throws IOException {
    Path file = folder.resolve("taken");
    Files.createDirectories(file.resolve("full"));
    IOException e =
        assertThrows(IOException.class, () -> JsonReport.write(SampleReport.empty(), file));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    try (var left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  /** Choices had two times and no more when the schema was young. */
  @Test
  void readsChoicesWithoutCandidates() throws IOException {
    ObjectNode tree = JsonReport.toTree(SampleReport.full());
    for (JsonNode layer : tree.get("choices")) {
      ((ObjectNode) layer.get("choice")).remove(List.of("candidates", "breakEven", "cached"));
    }
    Path file = Files.writeString(folder.resolve("old.json"), tree.toString());
    SparseChoice choice = JsonReport.read(file).choices().getFirst().choice();
    assertEquals(List.of(), choice.candidates());
    assertNull(choice.breakEven());
    assertFalse(choice.cached());
  }
}
