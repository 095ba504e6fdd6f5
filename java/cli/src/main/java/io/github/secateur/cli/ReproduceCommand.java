package io.github.secateur.cli;

import io.github.secateur.device.Device;
import io.github.secateur.reproduce.Protocol;
import io.github.secateur.reproduce.Reproduction;
import io.github.secateur.reproduce.ReproductionReport;
import io.github.secateur.reproduce.Table;
import io.github.secateur.reproduce.TableReader;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Provenance;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur reproduce}. */
@Command(
    name = "reproduce",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the protocol of a published accuracy table on MNIST and prints ours beside theirs.",
      "",
      "Tables: han (magnitude pruning in rounds), snip, lottery-ticket, dynamic (sparse momentum,"
          + " SET, RigL); or a YAML file of the same form. Every row and seed is kept as it is"
          + " done: a stopped run goes on where it was."
    },
    footer = {
      "",
      "Examples:",
      "  secateur reproduce snip                     three seeds, shortened as the table says",
      "  secateur reproduce han --protocol paper --seeds 5",
      "  secateur reproduce lottery-ticket --quick   does it run?",
      "",
      "Exit code 1 when a row does not come out as the table expects."
    })
final class ReproduceCommand implements Callable<Integer> {
  /** Names of the protocols. */
  enum ProtocolName {
    paper,
    budget
  }

  @Parameters(paramLabel = "TABLE", description = "han, snip, lottery-ticket, dynamic, or a file.")
  String table;

  @Option(
      names = "--protocol",
      paramLabel = "NAME",
      defaultValue = "budget",
      description =
          "paper: as published; budget (default): shortened, every shortening is printed beside the"
              + " result.")
  ProtocolName protocol;

  @Option(names = "--quick", description = "A smoke test: one seed, few epochs, nothing expected.")
  boolean quick;

  @Option(names = "--seeds", paramLabel = "N", description = "Seeds 1 to N (default: 3; quick: 1).")
  Integer seeds;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description =
          "Where outcomes, networks and the report go (default: reproduce-TABLE-PROTOCOL).")
  Path out;

  @Mixin DataOptions data;
  @Mixin CommonOptions common;

  @Override
  public Integer call() throws Exception {
    Table read = TableReader.read(table);
    Protocol.Kind kind =
        quick
            ? Protocol.Kind.QUICK
            : protocol == ProtocolName.paper ? Protocol.Kind.PAPER : Protocol.Kind.BUDGET;
    int runs = seeds != null ? seeds : quick ? 1 : 3;
    String name = kind.name().toLowerCase(Locale.ROOT);
    Path folder = out != null ? out : Path.of("reproduce-" + read.name() + "-" + name);
    DataSplit split = data.read(common.seed);
    try (Device device = common.openDevice()) {
      Reproduction reproduction =
          new Reproduction(
              device, read, new Reproduction.Plan(kind, runs, folder), split, common.progress());
      ReproductionReport report =
          new ReproductionReport(
              read,
              kind,
              reproduction.run(),
              Provenance.of(
                  device,
                  common.seed,
                  Map.of("table", read.name(), "protocol", name),
                  split.hashes()));
      report.write(folder);
      if (common.json) {
        System.out.println(report.json().toPrettyString());
      } else {
        System.out.printf("%s (%s)%n", read.title(), read.source());
        System.out.print(report.terminal());
        printShortened(report, kind);
        System.out.printf("written to %s%n", folder);
      }
      return report.passed() ? 0 : 1;
    }
  }

  private static void printShortened(ReproductionReport report, Protocol.Kind kind) {
    List<String> lines =
        report.verdicts().stream()
            .map(v -> v.row().protocols().get(kind).shortened())
            .filter(text -> !text.isEmpty())
            .distinct()
            .toList();
    if (!lines.isEmpty()) {
      System.out.println("shortened: " + String.join("; ", lines));
    }
  }
}
