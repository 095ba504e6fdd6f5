package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device.Replay;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.NnOps.Adam;
import io.github.secateur.device.NnOps.Moments;
import io.github.secateur.device.NnOps.Unary;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Replayed work does, bit for bit, what it does when it is run. */
public interface ReplayContract extends Contract {
  /** Times each is run: as it is, recorded, and replayed. */
  int RUNS = 10;

  /**
   * A small training step: y = tanh(x · Wᵀ), dW = dyᵀ · x with dy = y's derivative, an Adam step,
   * and the random counter's draw added. Learning rate and input change between runs, in device
   * memory.
   */
  final class Step implements AutoCloseable {
    private final Fixture f;
    private final Contract contract;
    private final Buffer block;
    private final DeviceTensor x;
    private final DeviceTensor w;
    private final DeviceTensor y;
    private final DeviceTensor dw;
    private final DeviceTensor m;
    private final DeviceTensor v;
    private final DeviceTensor state;
    private final DeviceTensor noise;

    Step(Contract contract, int in, int out, int batch) {
      this.contract = contract;
      this.f = new Fixture(contract.device());
      this.block = contract.device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES);
      this.x = f.out(batch, in);
      this.w = f.inOut(Shape.of(out, in), Numbers.gaussian(out * in, 1));
      this.y = f.out(batch, out);
      this.dw = f.out(out, in);
      this.m = f.inOut(Shape.of(out, in), new float[out * in]);
      this.v = f.inOut(Shape.of(out, in), new float[out * in]);
      this.state = f.inOut(Tensor.ofLongs(Shape.of(2), 7, 0));
      this.noise = f.out(out, in);
    }

    /** What changes between runs. */
    void prepare(int run) {
      int n = Math.toIntExact(x.size());
      contract.device().upload(Tensor.of(x.shape(), Numbers.gaussian(n, 100 + run)), x);
      contract.device().upload(Tensor.ofLongs(Shape.of(2), 7, run), state);
      Adam adam = new Adam(0.1f / (run + 1), 0.9f, 0.999f, 1e-8f, 0.01f, true, run + 1);
      contract.device().nn().uploadAdam(adam, block);
    }

    void run() {
      var device = contract.device();
      device.dense().gemm(Gemm.of(false, true), x, w, y);
      device.nn().unary(Unary.TANH, 0, y, y);
      device.nn().unaryGrad(Unary.TANH, 0, y, y, y, y);
      device.dense().gemm(Gemm.of(true, false), y, x, dw);
      device.nn().uniform(state, 3, noise);
      device.nn().binary(NnOps.Binary.ADD, dw, noise, dw);
      device.nn().adamStep(block, w, dw, new Moments(m, v), null);
    }

    float[] weights() {
      return f.read(w);
    }

    @Override
    public void close() {
      block.close();
      f.close();
    }
  }

  @Test
  default void replaysATrainingStepBitForBit() {
    for (int[] size : new int[][] {{1, 1, 1}, {33, 17, 8}, {100, 65, 31}}) {
      try (Step eager = new Step(this, size[0], size[1], size[2]);
          Step replayed = new Step(this, size[0], size[1], size[2]);
          Replay replay = device().replay(replayed::run)) {
        for (int run = 0; run < RUNS; run++) {
          eager.prepare(run);
          eager.run();
          replayed.prepare(run);
          replay.run();
          Numbers.assertBits("run " + run, eager.weights(), replayed.weights());
        }
      }
    }
  }

  @Test
  default void runsWithoutAWaitBetween() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor one = f.in(1, 1, 1);
      DeviceTensor sum = f.inOut(0, 10, 20);
      try (Replay replay =
          device().replay(() -> device().nn().binary(NnOps.Binary.ADD, sum, one, sum))) {
        for (int run = 0; run < RUNS; run++) {
          replay.run();
        }
      }
      Numbers.assertExact("sum", new double[] {RUNS, 10 + RUNS, 20 + RUNS}, f.read(sum));
    }
  }

  @Test
  default void passesOnWhatTheWorkThrows() {
    int[] runs = {0};
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.inOut(1, 2);
      Replay replay =
          device()
              .replay(
                  () -> {
                    device().nn().fill(3, x);
                    if (runs[0]++ == 1) {
                      throw new IllegalStateException("second run");
                    }
                  });
      try (replay) {
        replay.run();
        IllegalStateException e = assertThrows(IllegalStateException.class, replay::run);
        assertEquals("second run", e.getMessage());
        device().nn().fill(4, x); // the device goes on
        Numbers.assertExact("after a failure", new double[] {4, 4}, f.read(x));
        replay.run();
        Numbers.assertExact("tried again", new double[] {3, 3}, f.read(x));
      }
    }
  }
}
