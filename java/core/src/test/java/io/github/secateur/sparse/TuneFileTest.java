package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.secateur.device.DeviceInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of measured times: kept, shared, and never in the way. */
class TuneFileTest {
  private static final Logger LOGGER = Logger.getLogger(TuneFile.class.getName());

  @TempDir Path temp;

  private final List<String> logged = new ArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord entry) {
          logged.add(entry.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    LOGGER.addHandler(handler);
    LOGGER.setUseParentHandlers(false);
  }

  @AfterEach
  void stopListening() {
    LOGGER.removeHandler(handler);
    LOGGER.setUseParentHandlers(true);
  }

  private static DeviceInfo info(String processor) {
    return new DeviceInfo("cpu", "a processor", Map.of("processor", processor, "threads", "2"));
  }

  private static TuneFile open(Path folder) {
    return TuneFile.open(new TuneCache(folder, TuneCache.Use.KEEP), info("one"));
  }

  private Path folder() {
    return temp.resolve("tuning");
  }

  private static Times.Layer times(double micros) {
    Spread spread = new Spread(micros, micros, micros, 9);
    return new Times.Layer(
        spread, List.of(new Candidate("4x1", spread, 80)), "2026-01-31T12:00:00Z");
  }

  private void write(String... keys) {
    TuneFile file = open(folder());
    for (String key : keys) {
      file.put(key, times(key.length()));
    }
    file.flush();
  }

  @Test
  void keepsEverything() throws IOException {
    TuneFile file = open(folder());
    file.put("a", times(1.0 / 3));
    Times.Whole whole =
        new Times.Whole(new Spread(2, 1, 3, 5), new Spread(1, 1, 1, 5), TuneFile.date());
    file.put("m", whole);
    BreakEven never = new BreakEven("csr", null, List.of(new BreakEven.Point(0.5, 1, 2, "csr")));
    file.put("b", never);
    assertFalse(Files.exists(folder()), "nothing is made before it is needed");
    file.flush();

    Times known = open(folder()).known();
    assertEquals(Map.of("a", times(1.0 / 3)), known.layers());
    assertEquals(Map.of("m", whole), known.models());
    assertEquals(Map.of("b", never), known.breakEvens());
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder())));
    assertEquals(List.of(), logged);
    try (Stream<Path> files = Files.list(folder())) {
      assertEquals(2, files.count(), "the file and the lock");
    }
  }

  @Test
  void devicesHaveFilesOfTheirOwn() throws IOException {
    write("a");
    TuneCache cache = new TuneCache(folder(), TuneCache.Use.KEEP);
    TuneFile other = TuneFile.open(cache, info("two"));
    assertNotEquals(open(folder()).file(), other.file());
    assertTrue(other.known().isEmpty());
    // A file copied from elsewhere is not believed, and rewritten.
    Files.copy(open(folder()).file(), other.file());
    other = TuneFile.open(cache, info("two"));
    assertTrue(other.known().isEmpty());
    assertOneSentence("it is of another device");
    other.put("b", times(2));
    other.flush();
    assertEquals(1, logged.size(), "once is enough");
    other = TuneFile.open(cache, info("two"));
    assertEquals(List.of("b"), List.copyOf(other.known().layers().keySet()));
    assertEquals(List.of("a"), List.copyOf(open(folder()).known().layers().keySet()));
  }

  /** What a library holds counts, not where it lies. */
  @Test
  void anotherBuildIsAnotherDevice() throws IOException {
    List<Map<String, String>> identities = new ArrayList<>();
    for (String content : List.of("one build", "one build", "two build")) {
      Path library = Files.createTempDirectory(temp, "lib").resolve("libsecateur.so");
      Files.writeString(library, content);
      Map<String, String> details = Map.of("library", library.toString(), "blas", "/no/such");
      identities.add(DeviceIdentity.of(new DeviceInfo("cpu", "d", details)));
    }
    assertEquals(identities.get(0), identities.get(1));
    assertNotEquals(identities.get(0), identities.get(2));
    assertEquals("/no/such", identities.get(0).get("blas"));
    assertTrue(identities.get(0).containsKey("secateur"));
  }

  private void assertOneSentence(String part) {
    assertEquals(1, logged.size(), logged::toString);
    assertTrue(logged.getFirst().contains(part), logged::toString);
    assertFalse(logged.getFirst().contains("\n"), logged::toString);
  }

  @Test
  void aDamagedFileIsIgnoredAndRewritten() throws IOException {
    write("a", "bb");
    Path path = open(folder()).file();
    String whole = Files.readString(path);
    List<String> damaged = new ArrayList<>();
    for (int part = 0; part < 10; part++) {
      damaged.add(whole.substring(0, whole.length() * part / 10));
    }
    damaged.add("null");
    damaged.add("[]");
    damaged.add("{\"schema\": 1}");
    damaged.add("\u0000\u0001 no JSON\nat all");
    damaged.add(whole.replace("\"4x1\"", "\"4y1\""));
    damaged.add(whole.replace("\"4x1\"", "null"));
    damaged.add(whole.replaceFirst("\"low\" : [0-9.]+", "\"low\" : -1"));
    damaged.add(whole.replaceFirst("\"low\" : [0-9.]+", "\"low\" : \"NaN\""));
    damaged.add(whole.replaceFirst("\"low\" : [0-9.]+,", ""));
    damaged.add(whole.replaceFirst("\"a\" : \\{", "\"c\" : null, \"a\" : {"));
    damaged.add("{\"a\":".repeat(100_000));
    for (String text : damaged) {
      assertNotEquals(whole, text);
      Files.writeString(path, text, StandardCharsets.UTF_8);
      logged.clear();
      TuneFile file = open(folder());
      assertTrue(file.known().isEmpty(), text);
      assertOneSentence("are not used, and taken anew");
      file.put("ccc", times(3));
      file.flush();
      assertEquals(1, logged.size());
      assertEquals(Map.of("ccc", times(3)), open(folder()).known().layers());
    }
  }

  @Test
  void aFileOfAnotherVersionIsIgnored() throws IOException {
    write("a");
    Path path = open(folder()).file();
    Files.writeString(path, Files.readString(path).replace("\"schema\" : 1", "\"schema\" : 2"));
    assertTrue(open(folder()).known().isEmpty());
    assertOneSentence("it is of version 2, wanted 1");
  }

  @Test
  void whatIsNoFileIsIgnored() throws IOException {
    write("a");
    Path path = open(folder()).file();
    Files.delete(path);
    Files.createDirectory(path);
    assertTrue(open(folder()).known().isEmpty());
    assertOneSentence("it is no file of measured times");
    logged.clear();
    write("b");
    assertTrue(logged.getFirst().contains("are not used"), logged::toString);
    assertTrue(Files.isDirectory(path));
  }

  private void assertNotKept(Path folder, String why) {
    logged.clear();
    TuneFile file = open(folder);
    file.put("a", times(1));
    file.flush();
    file.put("b", times(2));
    file.flush();
    assertOneSentence(why);
    assertTrue(logged.getFirst().contains("-Dsecateur.cache=DIR"), logged::toString);
    assertEquals(2, file.known().layers().size(), "known in this run all the same");
  }

  @Test
  void aFolderThatCannotBeWrittenIsNoError() throws IOException {
    Path file = Files.createFile(temp.resolve("file"));
    assertNotKept(file, "is not a folder");
    assertNotKept(file.resolve("tuning"), file.toString());
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertNotKept(shared, "can be written by other users");
    assertNotKept(Path.of("/proc/secateur"), "/proc/secateur");
  }

  @Test
  void aReadOnlyFolderIsNoError() throws IOException {
    assumeTrue(!isRoot(), "nothing is read-only for root");
    Path readOnly = Files.createDirectory(temp.resolve("read-only"));
    Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r-x------"));
    assertNotKept(readOnly, readOnly.toString());
  }

  private static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  @Test
  void aFullDiskIsNoError() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "/dev/full is not there");
    TuneFile file = open(folder());
    file.put("a", times(1));
    Files.createDirectory(
        folder(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.createSymbolicLink(file.file(), full);
    file.flush();
    assertEquals(2, logged.size(), "the link is no file of times; that was said, too");
    assertTrue(logged.getLast().contains("the disk is full"), logged::toString);
    assertEquals(1, file.known().layers().size());
    assertTrue(open(folder()).known().isEmpty());
  }

  @Test
  void manyWritersKeepEachOthersTimes() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> tasks = new ArrayList<>();
      for (int t = 0; t < 12; t++) {
        int writer = t;
        tasks.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 2; i++) {
                    write("writer %d, time %d".formatted(writer, i));
                  }
                }));
      }
      for (Future<?> task : tasks) {
        task.get();
      }
    }
    assertEquals(24, open(folder()).known().layers().size());
    assertEquals(List.of(), logged);
  }

  /** Writes six times to a folder, as a process of its own. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) {
      for (int i = 0; i < 6; i++) {
        TuneFile file = open(Path.of(arguments[0]));
        file.put(arguments[1] + " " + i, times(1 + i));
        file.flush();
      }
    }
  }

  @Test
  void processesKeepEachOthersTimes() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (String name : List.of("p", "q", "r")) {
      ProcessBuilder builder =
          new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-XX:TieredStopAtLevel=1",
              "-cp",
              System.getProperty("java.class.path"),
              Writer.class.getName(),
              folder().toString(),
              name);
      processes.add(builder.inheritIO().start());
    }
    for (Process process : processes) {
      assertEquals(0, process.waitFor());
    }
    assertEquals(18, open(folder()).known().layers().size());
  }
}
