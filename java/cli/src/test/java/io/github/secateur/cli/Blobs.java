package io.github.secateur.cli;

import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A small data set in the format of MNIST: ten noisy prototypes of 28 x 28 pixels. */
final class Blobs {
  private static final int PIXELS = 28 * 28;

  private Blobs() {}

  static Path write(Path folder, int train, int test) throws IOException {
    Files.createDirectories(folder);
    Random random = new Random(5);
    byte[][] prototypes = new byte[10][PIXELS];
    for (byte[] prototype : prototypes) {
      for (int i = 0; i < PIXELS; i++) {
        prototype[i] = (byte) (random.nextInt(4) == 0 ? 200 : 20);
      }
    }
    write(folder, "train", prototypes, train, random);
    write(folder, "t10k", prototypes, test, random);
    return folder;
  }

  private static void write(Path folder, String stem, byte[][] prototypes, int n, Random random)
      throws IOException {
    byte[] labels = new byte[n];
    try (DataOutputStream out =
        new DataOutputStream(Files.newOutputStream(folder.resolve(stem + "-images-idx3-ubyte")))) {
      out.writeInt(0x803);
      out.writeInt(n);
      out.writeInt(28);
      out.writeInt(28);
      for (int s = 0; s < n; s++) {
        labels[s] = (byte) random.nextInt(10);
        byte[] image = new byte[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
          int noisy = (prototypes[labels[s]][i] & 0xff) + (int) (40 * random.nextGaussian());
          image[i] = (byte) Math.clamp(noisy, 0, 255);
        }
        out.write(image);
      }
    }
    try (DataOutputStream out =
        new DataOutputStream(Files.newOutputStream(folder.resolve(stem + "-labels-idx1-ubyte")))) {
      out.writeInt(0x801);
      out.writeInt(n);
      out.write(labels);
    }
  }
}
