package io.github.secateur.sparse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.secateur.device.CacheFolder;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.io.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The times of one device on disk: {@code FOLDER/<device name>-<hash>.json}, the hash being over
 * what identifies the device ({@link DeviceIdentity}).
 *
 * <p>A cache is never in the way: a file that cannot be read, is damaged, of another version or of
 * another device is logged in one sentence, taken as empty and written anew; one that cannot be
 * written is logged in one sentence. Files are written whole or not at all; processes that write at
 * once take turns and keep what the others have added.
 */
final class TuneFile {
  private static final System.Logger LOG = System.getLogger(TuneFile.class.getName());
  private static final long LARGEST = 64L << 20;
  private static final int LOCK_TRIES = 500;
  private static final long LOCK_PAUSE_MILLIS = 20;

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private final TuneCache cache;
  private final Map<String, String> device;
  private final Path file;
  private final Times known;
  private Times fresh;
  private final Set<String> warned = new HashSet<>();

  private TuneFile(TuneCache cache, DeviceInfo info) {
    this.cache = cache;
    this.device = DeviceIdentity.of(info);
    this.file = cache.folder().resolve(DeviceIdentity.fileName(info, device));
    this.known = cache.use() == TuneCache.Use.KEEP ? read() : Times.none(device);
    this.fresh = Times.none(device);
  }

  /** The times of a device, read when the cache is to be used. */
  static TuneFile open(TuneCache cache, DeviceInfo info) {
    return new TuneFile(cache, info);
  }

  /** Times of earlier runs, and of this one. */
  Times known() {
    return known;
  }

  Path file() {
    return file;
  }

  /** Now, as entries are dated. */
  static String date() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  void put(String key, Times.Layer times) {
    known.layers().put(key, times);
    fresh.layers().put(key, times);
  }

  void put(String key, Times.Whole times) {
    known.models().put(key, times);
    fresh.models().put(key, times);
  }

  void put(String key, BreakEven breakEven) {
    known.breakEvens().put(key, breakEven);
    fresh.breakEvens().put(key, breakEven);
  }

  /** Writes what was measured since the last time, beside what the file holds by now. */
  void flush() {
    if (cache.use() == TuneCache.Use.OFF || fresh.isEmpty()) {
      return;
    }
    try {
      CacheFolder.makePrivate(cache.folder());
      try (FileChannel channel =
              FileChannel.open(
                  cache.folder().resolve(".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock _ = lock(channel)) {
        Times merged = read();
        merged.putAll(fresh);
        AtomicFile.write(file, MAPPER.writeValueAsString(merged) + "\n");
      }
    } catch (IOException | UnsupportedOperationException e) {
      warn(
          "write",
          "measured times are not kept for the next start: %s; choose another folder with -Dsecateur.cache=DIR"
              .formatted(reason(e)));
    }
    fresh = Times.none(device);
  }

  /** The lock, or null when it is not to be had soon: then the last to write wins. */
  private static FileLock lock(FileChannel channel) throws IOException {
    for (int i = 0; i < LOCK_TRIES; i++) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException e) {
        // another thread of this process has it
      }
      try {
        Thread.sleep(LOCK_PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }
    return null;
  }

  private Times read() {
    if (!Files.exists(file)) {
      return Times.none(device);
    }
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
        return ignored("it is no file of measured times");
      }
      JsonNode tree = MAPPER.readTree(Files.readString(file, StandardCharsets.UTF_8));
      if (tree.path("schema").asInt(-1) != Times.SCHEMA) {
        return ignored(
            "it is of version %s, wanted %d".formatted(tree.path("schema"), Times.SCHEMA));
      }
      Times times = MAPPER.treeToValue(tree, Times.class);
      return times.device().equals(device) ? times : ignored("it is of another device");
    } catch (JsonProcessingException e) {
      return ignored("it is damaged: " + e.getOriginalMessage());
    } catch (IOException e) {
      return ignored(reason(e));
    }
  }

  private Times ignored(String why) {
    warn("read", "the measured times in %s are not used, and taken anew: %s".formatted(file, why));
    return Times.none(device);
  }

  /** Once for each kind of failure, in one line. */
  private void warn(String kind, String sentence) {
    if (warned.add(kind)) {
      LOG.log(System.Logger.Level.WARNING, sentence.lines().findFirst().orElse(""));
    }
  }

  private static String reason(Exception e) {
    return e instanceof FileSystemException f && f.getReason() != null
        ? f.getFile() + ": " + f.getReason()
        : e.toString();
  }
}
