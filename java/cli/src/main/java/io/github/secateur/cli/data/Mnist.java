package io.github.secateur.cli.data;

import io.github.secateur.io.DataFolder;
import io.github.secateur.io.FormatException;
import io.github.secateur.io.IdxReader;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * MNIST, 60,000 + 10,000 handwritten digits of 28 × 28 bytes, from the jar itself. Source and
 * licence stand beside the data ({@code mnist/NOTICE.txt}).
 */
public final class Mnist {
  private static final String FOLDER = "/io/github/secateur/mnist/";
  private static final int CLASSES = 10;

  private Mnist() {}

  /** The four files, with the SHA-256 of their uncompressed bytes. */
  private enum Part {
    TRAIN_IMAGES(
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    TRAIN_LABELS(
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    TEST_IMAGES(
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    TEST_LABELS(
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

    private final String fileName;
    private final String sha256;

    Part(String fileName, String sha256) {
      this.fileName = fileName;
      this.sha256 = sha256;
    }
  }

  /**
   * Training and test examples: x F32 [n, 28, 28] in 0 .. 1, ten classes.
   *
   * @throws IOException when the resources are missing or damaged
   */
  public static DataFolder load() throws IOException {
    CompletableFuture<Samples> test =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return samples("MNIST test", Part.TEST_IMAGES, Part.TEST_LABELS);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    Samples train = samples("MNIST train", Part.TRAIN_IMAGES, Part.TRAIN_LABELS);
    try {
      return new DataFolder(train, Optional.of(test.join()));
    } catch (CompletionException e) {
      if (e.getCause() instanceof UncheckedIOException u) {
        throw u.getCause();
      }
      throw e;
    }
  }

  private static Samples samples(String name, Part images, Part labels) throws IOException {
    Tensor x = read(images);
    Tensor y = read(labels);
    return Samples.of(name, x, y, DataFolder.combine(images.sha256, labels.sha256))
        .withClasses(CLASSES);
  }

  private static Tensor read(Part part) throws IOException {
    String resource = FOLDER + part.fileName + ".gz";
    byte[] stored;
    try (InputStream in = Mnist.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException("resource " + resource + " is missing from the jar");
      }
      stored = in.readAllBytes();
    }
    MessageDigest digest = sha256();
    Tensor data =
        IdxReader.read(resource, new ByteArrayInputStream(stored), stored.length, true, digest);
    String found = HexFormat.of().formatHex(digest.digest());
    if (!found.equals(part.sha256)) {
      throw new FormatException(resource, -1, "data with SHA-256 " + part.sha256, found);
    }
    return data;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
