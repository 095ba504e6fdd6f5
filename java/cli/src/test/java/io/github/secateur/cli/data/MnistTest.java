package io.github.secateur.cli.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.io.DataFolder;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Shape;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MnistTest {
  @Test
  void hasTheKnownSizesAndClassCounts() throws Exception {
    DataFolder mnist = Mnist.load();
    Samples train = mnist.train();
    Samples test = mnist.test().orElseThrow();
    assertEquals(Shape.of(60000, 28, 28), train.x().shape());
    assertEquals(Shape.of(10000, 28, 28), test.x().shape());
    assertEquals(10, train.classes());
    assertEquals(10, test.classes());
    // The class counts that the literature gives for the training and the test set.
    assertEquals(5923, count(train, 0));
    assertEquals(6742, count(train, 1));
    assertEquals(5421, count(train, 5));
    assertEquals(980, count(test, 0));
    assertEquals(892, count(test, 5));
  }

  @Test
  void isScaledToTheUnitIntervalWithTheKnownMean() throws Exception {
    Samples train = Mnist.load().train();
    double sum = 0;
    float max = 0;
    for (float v : train.x().toFloats()) {
      sum += v;
      max = Math.max(max, v);
      assertTrue(v >= 0);
    }
    assertEquals(1f, max);
    assertEquals(0.1307, sum / train.x().size(), 5e-5);
  }

  @Test
  void loadsInSeconds() throws Exception {
    Mnist.load();
    long start = System.nanoTime();
    Mnist.load();
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    System.out.println("MNIST loaded in " + took.toMillis() + " ms");
    assertTrue(took.toSeconds() < 10, () -> "took " + took);
  }

  private static long count(Samples samples, int label) {
    long count = 0;
    for (int l : samples.labels().toInts()) {
      count += l == label ? 1 : 0;
    }
    return count;
  }
}
