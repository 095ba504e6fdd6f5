package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Graph;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which steps a training run hands to {@link Device#replay}, and that it changes no result. */
class RecordedStepTest {
  /** A device that notes what is asked to be repeated. */
  private static final class Notes {
    final List<Integer> runs = new ArrayList<>();
    int closed;

    Device watch(Device device) {
      return (Device)
          Proxy.newProxyInstance(
              Device.class.getClassLoader(),
              new Class<?>[] {Device.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("replay")) {
                  return replay(device.replay((Runnable) arguments[0]));
                }
                try {
                  return method.invoke(device, arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }

    private Device.Replay replay(Device.Replay work) {
      int number = runs.size();
      runs.add(0);
      return new Device.Replay() {
        @Override
        public void run() {
          runs.set(number, runs.get(number) + 1);
          work.run();
        }

        @Override
        public void close() {
          closed++;
          work.close();
        }
      };
    }
  }

  private static Graph train(Device device, TrainHook... hooks) {
    return new Trainer(
            device,
            Toy.mlp(3, 4, 9, 3),
            DataSplit.of(Toy.blobs(50, 1)),
            Toy.adam(3, 16, 0.02f),
            List.of(hooks))
        .run()
        .model()
        .graph();
  }

  private record Repeatable() implements TrainHook {
    @Override
    public String name() {
      return "repeatable";
    }

    @Override
    public boolean repeatable() {
      return true;
    }
  }

  /** Makes a mask at the sixth step, when the step has been recorded. */
  private record Masker() implements TrainHook {
    @Override
    public String name() {
      return "masker";
    }

    @Override
    public boolean repeatable() {
      return true;
    }

    @Override
    public void beforeStep(Training training) {
      if (training.step() == 5) {
        training.mask("fc1.weight");
      }
    }
  }

  @Test
  void recordsOneStepForEachBatchSize() {
    Notes notes = new Notes();
    try (Device device = Toy.device()) {
      train(notes.watch(device), new Repeatable());
    }
    // 50 samples in batches of 16: three of 16 and one of 2, in each of three epochs.
    assertEquals(List.of(9, 3), notes.runs);
    assertEquals(2, notes.closed);
  }

  @Test
  void recordsAnewWhenAMaskAppears() {
    Notes notes = new Notes();
    try (Device device = Toy.device()) {
      train(notes.watch(device), new Masker());
    }
    assertEquals(List.of(4, 1, 5, 2), notes.runs);
    assertEquals(4, notes.closed);
  }

  @Test
  void doesNotRecordAroundHooksThatLookInside() {
    Notes notes = new Notes();
    try (Device device = Toy.device()) {
      TrainHook looking =
          new TrainHook() {
            @Override
            public String name() {
              return "looking";
            }
          };
      Graph eager = train(notes.watch(device), looking);
      assertEquals(List.of(), notes.runs);
      Graph recorded = train(device, new Repeatable());
      for (String name : eager.initializers().keySet()) {
        assertTrue(eager.initializer(name).bitEquals(recorded.initializer(name)), name);
      }
    }
  }
}
