package io.github.secateur.train;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.exec.Parameters;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The optimizer on the device: one fused kernel a parameter, reading what changes from step to step
 * (learning rate, step number) from a block in device memory. Parameters under the same rule share
 * a block. Weight decay applies to every parameter, biases too, as in PyTorch, unless a rule says
 * otherwise.
 */
final class OptimizerStep implements AutoCloseable {
  private static final String SINCE = "since";
  private static final TrainOptions.Rule NO_RULE = new TrainOptions.Rule("", 1f, true);

  private final Device device;
  private final Optimizer optimizer;
  private final List<Group> groups = new ArrayList<>();
  private final Owner owned = new Owner();
  private long since;

  /** Parameters under one rule. */
  private record Group(
      TrainOptions.Rule rule, Buffer block, DeviceTensor penalty, List<Slot> slots) {}

  /** A parameter with the optimizer's state of it: none, momentum, or two moments. */
  private record Slot(String name, DeviceTensor weight, List<DeviceTensor> state) {}

  OptimizerStep(Device device, TrainOptions options, Parameters parameters, Set<String> trained) {
    this.device = device;
    this.optimizer = options.optimizer();
    Map<TrainOptions.Rule, Group> byRule = new LinkedHashMap<>();
    try (Owner failed = new Owner()) {
      failed.add(owned);
      for (String name : trained) {
        Group group =
            byRule.computeIfAbsent(
                ruleOf(options, name),
                rule ->
                    new Group(
                        rule,
                        owned.add(device.allocate(NnOps.OPTIMIZER_BLOCK_BYTES)),
                        owned.add(device.empty(DType.F32, Shape.of())),
                        new ArrayList<>()));
        group.slots().add(new Slot(name, parameters.get(name), zeros(parameters.get(name))));
      }
      failed.release();
    }
    groups.addAll(byRule.values());
  }

  /** The first rule whose suffix the name ends with. */
  static TrainOptions.Rule ruleOf(TrainOptions options, String name) {
    return options.rules().stream()
        .filter(rule -> name.endsWith(rule.suffix()))
        .findFirst()
        .orElse(NO_RULE);
  }

  private List<DeviceTensor> zeros(DeviceTensor like) {
    int count =
        switch (optimizer) {
          case Optimizer.Sgd sgd -> sgd.momentum() == 0 ? 0 : 1;
          case Optimizer.Adam adam -> 2;
        };
    List<DeviceTensor> state = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      DeviceTensor t = owned.add(device.empty(like.dtype(), like.shape()));
      device.zero(t.buffer(), 0, t.buffer().byteSize());
      state.add(t);
    }
    return state;
  }

  /**
   * Uploads what {@link #apply} reads for the coming step.
   *
   * @param rate learning rate before the rules' factors
   * @param step from 0, of the whole run
   */
  void prepare(float rate, long step) {
    for (Group group : groups) {
      uploadBlock(group, rate * group.rule().rateFactor(), Math.toIntExact(step - since + 1));
    }
  }

  /** Enqueues one step, the same kernels on the same buffers every time. */
  void apply(Function<String, DeviceTensor> gradient, Map<String, DeviceMask> masks) {
    for (Group group : groups) {
      for (Slot slot : group.slots()) {
        DeviceTensor g = gradient.apply(slot.name());
        DeviceMask mask = masks.get(slot.name());
        List<DeviceTensor> state = slot.state();
        switch (optimizer) {
          case Optimizer.Sgd sgd ->
              device
                  .nn()
                  .sgdStep(
                      group.block(),
                      slot.weight(),
                      g,
                      state.isEmpty() ? null : state.getFirst(),
                      mask);
          case Optimizer.Adam adam ->
              device
                  .nn()
                  .adamStep(
                      group.block(),
                      slot.weight(),
                      g,
                      new NnOps.Moments(state.get(0), state.get(1)),
                      mask);
        }
      }
    }
  }

  /** See {@link Training#secondMoment}. */
  DeviceTensor secondMoment(String parameter) {
    for (Group group : groups) {
      for (Slot slot : group.slots()) {
        if (slot.name().equals(parameter)) {
          return optimizer instanceof Optimizer.Adam ? slot.state().get(1) : null;
        }
      }
    }
    throw new IllegalArgumentException("'" + parameter + "' is not trained");
  }

  /** See {@link Training#momentCorrection}. */
  double momentCorrection(long step) {
    return switch (optimizer) {
      case Optimizer.Sgd sgd -> 1;
      case Optimizer.Adam adam -> 1 - StrictMath.pow(adam.beta2(), step - since + 1);
    };
  }

  /** Zeroes all state; the coming step counts as the first one. */
  void reset(long step) {
    since = step;
    forEach((name, tensor) -> device.zero(tensor.buffer(), 0, tensor.buffer().byteSize()));
  }

  /**
   * Uploads λ of {@link #softThreshold} for the coming step.
   *
   * @param rate learning rate of that step, before the rules' factors
   */
  void setPenalty(float lambda, float rate) {
    for (Group group : groups) {
      float scalar =
          switch (optimizer) {
            case Optimizer.Sgd sgd -> rate * group.rule().rateFactor() * lambda;
            case Optimizer.Adam adam -> lambda;
          };
      device.upload(Tensor.of(Shape.of(), scalar), group.penalty());
    }
  }

  /**
   * The proximal step of λ · Σ|w| in the metric of the step last taken, see {@link
   * Training#softThreshold}.
   */
  void softThreshold(Collection<String> names, Map<String, DeviceMask> masks) {
    for (Group group : groups) {
      for (Slot slot : group.slots()) {
        if (names.contains(slot.name())) {
          softThreshold(group, slot, masks.get(slot.name()));
        }
      }
    }
  }

  private void softThreshold(Group group, Slot slot, DeviceMask mask) {
    switch (optimizer) {
      case Optimizer.Sgd sgd -> device.prune().softThreshold(group.penalty(), slot.weight(), mask);
      case Optimizer.Adam adam ->
          device
              .prune()
              .softThresholdAdam(
                  group.block(), group.penalty(), slot.state().get(1), slot.weight(), mask);
    }
  }

  private void uploadBlock(Group group, float rate, int number) {
    boolean decays = group.rule().decay();
    switch (optimizer) {
      case Optimizer.Sgd sgd ->
          device
              .nn()
              .uploadSgd(
                  new NnOps.Sgd(
                      rate,
                      sgd.momentum(),
                      decays ? sgd.weightDecay() : 0f,
                      sgd.nesterov(),
                      number),
                  group.block());
      case Optimizer.Adam adam ->
          device
              .nn()
              .uploadAdam(
                  new NnOps.Adam(
                      rate,
                      adam.beta1(),
                      adam.beta2(),
                      adam.epsilon(),
                      decays ? adam.weightDecay() : 0f,
                      adam.decoupled(),
                      number),
                  group.block());
    }
  }

  /**
   * Host copies of the state, {@code parameter/0} and {@code parameter/1}, and the step of the last
   * {@link #reset}, if there was one.
   */
  Map<String, Tensor> state() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    if (since > 0) {
      all.put(SINCE, Tensor.ofLongs(Shape.of(1), since));
    }
    forEach((name, tensor) -> all.put(name, device.toHost(tensor)));
    return all;
  }

  /** Takes back what {@link #state} gave. */
  void restore(Map<String, Tensor> state) {
    since = state.containsKey(SINCE) ? state.get(SINCE).getLong(0) : 0;
    forEach((name, tensor) -> device.upload(state.get(name), tensor));
  }

  /** Names and shapes of the state. */
  Map<String, Shape> shapes() {
    Map<String, Shape> all = new LinkedHashMap<>();
    forEach((name, tensor) -> all.put(name, tensor.shape()));
    return all;
  }

  private void forEach(java.util.function.BiConsumer<String, DeviceTensor> action) {
    for (Group group : groups) {
      for (Slot slot : group.slots()) {
        for (int i = 0; i < slot.state().size(); i++) {
          action.accept(slot.name() + "/" + i, slot.state().get(i));
        }
      }
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
