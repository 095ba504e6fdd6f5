package io.github.secateur.device.contract;

import java.util.Random;

/** Distributions of scores: ordinary ones, and those that break sampling or radix passes. */
enum ScoreSamples {
  GAUSSIAN,
  ALL_EQUAL,
  MOSTLY_ZERO,
  DENORMAL,
  FEW_VALUES,
  ASCENDING,
  DESCENDING,
  /** Every column of 64 has its own scale: neighbours are alike, strata are not. */
  COLUMN_SCALED,
  /** All but a few are equal, and the wanted rank lies among the few. */
  NEEDLES,
  /** Keys that differ in their lowest bits only. */
  NEIGHBOURS,
  ANY_BITS,
  INFINITIES;

  float[] draw(int n, long seed) {
    Random random = new Random(seed);
    float[] scores = new float[n];
    for (int i = 0; i < n; i++) {
      scores[i] = draw(random, i, n);
    }
    return scores;
  }

  private float draw(Random random, int i, int n) {
    return switch (this) {
      case GAUSSIAN -> (float) random.nextGaussian();
      case ALL_EQUAL -> -0.25f;
      case MOSTLY_ZERO ->
          random.nextInt(20) > 0 ? (i % 2 == 0 ? 0f : -0f) : (float) random.nextGaussian();
      case DENORMAL -> Float.intBitsToFloat(random.nextInt(1 << 23)) * (i % 2 == 0 ? 1 : -1);
      case FEW_VALUES -> random.nextInt(7) - 3;
      case ASCENDING -> (float) i / n;
      case DESCENDING -> (float) (n - i) / n;
      case COLUMN_SCALED -> (float) (random.nextGaussian() * Math.pow(4, i % 64 / 8));
      case NEEDLES -> random.nextInt(1000) == 0 ? random.nextFloat() : 2f;
      case NEIGHBOURS -> Float.intBitsToFloat(0x3f800000 + random.nextInt(256));
      case ANY_BITS -> {
        float f = Float.intBitsToFloat(random.nextInt());
        yield Float.isNaN(f) ? 1f : f;
      }
      case INFINITIES ->
          switch (random.nextInt(3)) {
            case 0 -> Float.POSITIVE_INFINITY;
            case 1 -> Float.NEGATIVE_INFINITY;
            default -> (float) random.nextGaussian();
          };
    };
  }
}
