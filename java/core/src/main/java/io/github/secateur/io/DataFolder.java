package io.github.secateur.io;

import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A data set read from a folder: IDX files by the names of MNIST ({@code train-images-idx3-ubyte},
 * {@code train-labels-idx1-ubyte}, {@code t10k-...}, each plain or {@code .gz}), or NPY files
 * ({@code x_train.npy y_train.npy x_test.npy y_test.npy}, or {@code x.npy y.npy} without a test
 * set).
 *
 * @param train training examples
 * @param test test examples with the same features and classes, if the folder has them
 */
public record DataFolder(Samples train, Optional<Samples> test) {
  private static final String CURE =
      "train-images-idx3-ubyte[.gz] with train-labels-idx1-ubyte[.gz], x_train.npy with"
          + " y_train.npy, or x.npy with y.npy";

  /** Gives both sets the same classes and checks that features are equal. */
  public DataFolder {
    if (test.isPresent()) {
      Samples t = test.get();
      if (t.features() != train.features()) {
        throw new IllegalArgumentException(
            "%s has %d features, %s has %d; both should have the same"
                .formatted(train.name(), train.features(), t.name(), t.features()));
      }
      test = Optional.of(t.withClasses(train.classes()));
    }
  }

  /**
   * Reads a folder.
   *
   * @throws IOException when the folder or a file is missing
   * @throws FormatException when a file is not what it should be
   * @throws IllegalArgumentException when counts differ, a label is out of range or a value is not
   *     finite
   */
  public static DataFolder read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException("data folder " + folder + " does not exist; it should hold " + CURE);
    }
    Optional<Samples> train = idx(folder, "train");
    if (train.isPresent()) {
      Optional<Samples> test = idx(folder, "t10k");
      return new DataFolder(train.get(), test.isPresent() ? test : idx(folder, "test"));
    }
    train = npy(folder, "_train");
    if (train.isPresent()) {
      return new DataFolder(train.get(), npy(folder, "_test"));
    }
    return npy(folder, "")
        .map(samples -> new DataFolder(samples, Optional.empty()))
        .orElseThrow(() -> new IOException("no data in " + folder + "; it should hold " + CURE));
  }

  private static Optional<Samples> idx(Path folder, String stem) throws IOException {
    Optional<Path> images = file(folder, stem + "-images-idx3-ubyte");
    Optional<Path> labels = file(folder, stem + "-labels-idx1-ubyte");
    if (!present(folder, images, labels, stem + "-images-…", stem + "-labels-…")) {
      return Optional.empty();
    }
    MessageDigest imageHash = sha256();
    MessageDigest labelHash = sha256();
    Tensor x = IdxReader.read(images.get(), imageHash);
    Tensor y = IdxReader.read(labels.get(), labelHash);
    return Optional.of(Samples.of(folder + " (" + stem + ")", x, y, combine(imageHash, labelHash)));
  }

  private static Optional<Samples> npy(Path folder, String suffix) throws IOException {
    Optional<Path> examples = file(folder, "x" + suffix + ".npy");
    Optional<Path> labels = file(folder, "y" + suffix + ".npy");
    if (!present(folder, examples, labels, "x" + suffix + ".npy", "y" + suffix + ".npy")) {
      return Optional.empty();
    }
    Tensor x = NpyReader.read(examples.get());
    Tensor y = NpyReader.read(labels.get());
    String hash = combine(hashFile(examples.get()), hashFile(labels.get()));
    return Optional.of(Samples.of(folder + "/x" + suffix + ".npy", x, y, hash));
  }

  private static boolean present(
      Path folder, Optional<Path> x, Optional<Path> y, String xName, String yName)
      throws IOException {
    if (x.isPresent() != y.isPresent()) {
      throw new IOException(
          "%s has %s but not %s; examples and labels go together"
              .formatted(folder, x.isPresent() ? xName : yName, x.isPresent() ? yName : xName));
    }
    return x.isPresent();
  }

  private static Optional<Path> file(Path folder, String name) {
    List<Path> candidates = List.of(folder.resolve(name), folder.resolve(name + ".gz"));
    return candidates.stream().filter(Files::isRegularFile).findFirst();
  }

  private static MessageDigest hashFile(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return digest;
  }

  /**
   * The hash that stands for a set: SHA-256 of the two lowercase hexadecimal SHA-256 of examples
   * and labels, a line feed after each. IDX files are hashed uncompressed.
   */
  static String combine(MessageDigest examples, MessageDigest labels) {
    return combine(
        HexFormat.of().formatHex(examples.digest()), HexFormat.of().formatHex(labels.digest()));
  }

  /** The same from the two hashes in hexadecimal. */
  public static String combine(String examples, String labels) {
    byte[] lines =
        Stream.of(examples, labels)
            .map(hash -> hash + "\n")
            .reduce("", String::concat)
            .getBytes(StandardCharsets.US_ASCII);
    return HexFormat.of().formatHex(sha256().digest(lines));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
