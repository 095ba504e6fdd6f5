package io.github.secateur.cli;

import io.github.secateur.device.DeviceException;
import io.github.secateur.train.DivergedException;
import io.github.secateur.train.StoppedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code secateur} command. */
@Command(
    name = "secateur",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Prunes neural networks and shows, by measurement, what the pruning bought.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      TrainCommand.class,
      PruneCommand.class,
      EvalCommand.class,
      BenchCommand.class,
      ReproduceCommand.class,
      ExportCommand.class,
      InspectCommand.class,
      DevicesCommand.class,
      CommandLine.HelpCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  secateur demo --quick                       the whole loop on MNIST, in under a minute",
      "  secateur train -o dense.onnx                train LeNet-300-100 on MNIST",
      "  secateur prune dense.onnx --sparsity 0.9 --data mnist -o pruned.onnx",
      "  secateur prune any.onnx --sparsity 0.5 -o out.onnx     no data needed",
      "  secateur bench pruned.onnx                  dense against sparse, on this machine",
      "",
      "'secateur COMMAND --help' explains a command. Exit codes: 0 done, 1 wrong input or failed",
      "work, 2 wrong command line, 130 interrupted."
    })
public final class Main {
  private static final int INTERNAL_ERROR = 70;
  private static final int INTERRUPTED = 130;

  private Main() {}

  /** Runs the command line and exits with its code. */
  public static void main(String[] arguments) {
    Interrupt.install();
    int code = run(arguments);
    Interrupt.done();
    System.exit(code);
  }

  /** Runs a command line and returns its exit code. */
  static int run(String... arguments) {
    CommandLine line = new CommandLine(new Main());
    line.setUsageHelpWidth(100);
    line.setUsageHelpAutoWidth(true);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setAbbreviatedOptionsAllowed(true);
    line.setExecutionExceptionHandler((error, command, parsed) -> report(error));
    line.setParameterExceptionHandler(
        (error, given) -> {
          System.err.println("secateur: " + error.getMessage());
          CommandLine.UnmatchedArgumentException.printSuggestions(error, System.err);
          System.err.printf(
              "Try '%s --help'.%n", error.getCommandLine().getCommandSpec().qualifiedName());
          return CommandLine.ExitCode.USAGE;
        });
    if (arguments.length == 0) {
      line.usage(System.out);
      return CommandLine.ExitCode.USAGE;
    }
    return line.execute(arguments);
  }

  /** One sentence on standard error; the stack trace only for errors of our own. */
  private static int report(Exception error) {
    ConsoleProgress.abandon();
    if (error instanceof StoppedException) {
      System.err.println("secateur: " + error.getMessage());
      return INTERRUPTED;
    }
    boolean expected =
        error instanceof IllegalArgumentException
            || error instanceof IOException
            || error instanceof UncheckedIOException
            || error instanceof DeviceException
            || error instanceof DivergedException
            || error instanceof UserException;
    if (expected && System.getenv("SECATEUR_DEBUG") == null) {
      System.err.println("secateur: " + sentence(error));
      return CommandLine.ExitCode.SOFTWARE;
    }
    StringWriter trace = new StringWriter();
    error.printStackTrace(new PrintWriter(trace));
    System.err.println("secateur: an error of Secateur's own; please report it with what follows.");
    System.err.print(trace);
    return expected ? CommandLine.ExitCode.SOFTWARE : INTERNAL_ERROR;
  }

  private static String sentence(Throwable error) {
    return switch (error) {
      case UncheckedIOException e when e.getCause() != null -> sentence(e.getCause());
      case NoSuchFileException e -> e.getFile() + " does not exist.";
      case AccessDeniedException e -> e.getFile() + " may not be read or written by this user.";
      case FileSystemException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
      default -> error.getMessage() == null ? error.toString() : error.getMessage();
    };
  }

  /** Version from the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "secateur " + (version == null ? "(unpacked build)" : version), "JDK " + Runtime.version()
      };
    }
  }
}
