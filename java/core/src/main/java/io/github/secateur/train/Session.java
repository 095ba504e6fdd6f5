package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.exec.ReverseMode;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a training run holds on its device, and one step of it. Parameters, masks, optimizer state
 * and samples stay there; a step uploads the random state (16 bytes) and the optimizer's blocks,
 * and replays its recorded work, one recording a batch size.
 */
final class Session implements Training, AutoCloseable {
  private final Device device;
  private final Model model;
  private final TrainOptions options;
  private final TrainingGraph graph;
  private final List<Prunable> prunable;
  private final Parameters parameters;
  private final Batches batches;
  private final SparseLayers sparse;
  private final OptimizerStep optimizer;
  private final LossTrace losses;
  private final Map<String, DeviceMask> masks = new LinkedHashMap<>();
  private final Map<Integer, Executable> executables = new LinkedHashMap<>();
  private final Map<Integer, Device.Replay> recordings = new LinkedHashMap<>();
  private final Tensor randomState = Tensor.zeros(DType.I64, Shape.of(2));
  private final Owner owned = new Owner();

  private Executable current;
  private long step;

  Session(Device device, Model model, DataSplit data, TrainOptions options) {
    this.device = device;
    this.model = model;
    this.options = options;
    this.graph = TrainingGraph.of(model, options);
    Classifier.requireFit(graph.input(), data.train());
    this.prunable = Prunables.find(model);
    try (Owner failed = new Owner()) {
      failed.add(owned);
      parameters = owned.add(Parameters.upload(device, model.graph()));
      sparse = owned.add(new SparseLayers(options.sparse(), parameters));
      batches = owned.add(new Batches(device, data.train(), options.batchSize(), options.seed()));
      optimizer = owned.add(new OptimizerStep(device, options, parameters, graph.trained()));
      losses = owned.add(new LossTrace(device, batches.perEpoch()));
      model.masks().forEach(this::setMask);
      current = executable(batches.size(0));
      failed.release();
    }
  }

  /** Takes step number {@link #step}; {@link #advance} then counts it. */
  void step(List<TrainHook> hooks) {
    int stepOfEpoch = stepOfEpoch();
    current = executable(batches.size(stepOfEpoch));
    batches.choose(epoch(), stepOfEpoch);
    uploadRandomState();
    hooks.forEach(hook -> hook.beforeStep(this));
    optimizer.prepare(learningRate(), step);
    sparse.prepare(masks, this::forgetRecordings);
    if (hooks.stream().allMatch(TrainHook::repeatable)) {
      recordings
          .computeIfAbsent(
              batches.size(stepOfEpoch), size -> device.replay(() -> enqueueStep(hooks)))
          .run();
    } else {
      enqueueStep(hooks);
    }
    losses.record(stepOfEpoch, current.output(graph.loss()));
    hooks.forEach(hook -> hook.afterStep(this));
  }

  /** The device work of a step: the same operations on the same buffers for a batch size. */
  private void enqueueStep(List<TrainHook> hooks) {
    batches.load(current.input(graph.input().name()), current.input(graph.labels()));
    sparse.refresh();
    current.run();
    hooks.forEach(hook -> hook.afterGradients(this));
    optimizer.apply(this::gradient, masks);
    hooks.forEach(hook -> hook.afterUpdate(this));
  }

  /** For when the work of a step changes. */
  private void forgetRecordings() {
    recordings.values().forEach(Device.Replay::close);
    recordings.clear();
  }

  /** Goes on to the next step. */
  void advance() {
    step++;
  }

  /** {seed, step}: all draws of a step follow from these. */
  private void uploadRandomState() {
    randomState.data().set(ValueLayout.JAVA_LONG, 0, options.seed());
    randomState.data().set(ValueLayout.JAVA_LONG, Long.BYTES, step);
    device.upload(randomState, current.randomState());
  }

  private Executable executable(int batch) {
    return executables.computeIfAbsent(
        batch,
        size ->
            owned.add(
                Executable.compile(
                    graph.model(),
                    Map.of(
                        graph.input().name(),
                        graph.input().shape(size),
                        graph.labels(),
                        Shape.of(size)),
                    parameters,
                    Executable.Mode.TRAINING,
                    sparse.weights())));
  }

  /** Position of the current step in its epoch, from 0. */
  int stepOfEpoch() {
    return (int) (step % batches.perEpoch());
  }

  /** Losses of the first {@code count} steps of the epoch last begun. */
  Tensor losses(int count) {
    return losses.first(count);
  }

  /** Pruned weights over all prunable weights, 0 without any. */
  double sparsity() {
    long all = 0;
    long pruned = 0;
    for (Prunable weight : prunable) {
      all += weight.size();
      if (masks.containsKey(weight.parameter())) {
        pruned += weight.size() - device.prune().keptCount(masks.get(weight.parameter()));
      }
    }
    return all == 0 ? 0 : (double) pruned / all;
  }

  /** Host copies of all parameters. */
  Map<String, Tensor> downloadParameters() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    parameters.names().forEach(name -> all.put(name, parameters.toHost(name)));
    return all;
  }

  /** Host copies of all masks. */
  Map<String, Mask> downloadMasks() {
    Map<String, Mask> all = new LinkedHashMap<>();
    masks.forEach((name, mask) -> all.put(name, device.toHost(mask)));
    return all;
  }

  /** Host copies of the optimizer's state. */
  Map<String, Tensor> downloadOptimizer() {
    return optimizer.state();
  }

  /** Sets weights and masks, as of a checkpoint or of the best epoch; other masks keep all. */
  void setWeights(Map<String, Tensor> weights, Map<String, Mask> newMasks) {
    weights.forEach(parameters::set);
    masks.keySet().stream()
        .filter(name -> !newMasks.containsKey(name))
        .forEach(name -> setMask(name, Mask.ones(parameters.get(name).shape())));
    newMasks.forEach(this::setMask);
  }

  /** Goes to the state after {@code steps} steps. */
  void setProgress(long steps, Map<String, Tensor> optimizerState, Tensor lossesOfEpoch) {
    step = steps;
    optimizer.restore(optimizerState);
    losses.restore(lossesOfEpoch);
  }

  /** Overwrites or makes the mask of a parameter, and applies it. */
  private void setMask(String parameter, Mask mask) {
    DeviceMask target = mask(parameter);
    if (!mask.shape().equals(target.shape())) {
      throw new IllegalArgumentException(
          "the mask of '%s' is over shape %s, the parameter has %s"
              .formatted(parameter, mask.shape(), target.shape()));
    }
    device.upload(mask.words(), target.words(), 0);
    device.prune().applyMask(target, parameters.get(parameter));
    sparse.maskChanged(parameter);
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Model model() {
    return model;
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public Set<String> trained() {
    return graph.trained();
  }

  @Override
  public DeviceTensor gradient(String parameter) {
    return current.output(ReverseMode.gradientName(parameter));
  }

  @Override
  public boolean hasMask(String parameter) {
    return masks.containsKey(parameter);
  }

  @Override
  public DeviceMask mask(String parameter) {
    return masks.computeIfAbsent(
        parameter,
        name -> {
          forgetRecordings();
          return owned.add(device.toDevice(Mask.ones(parameters.get(name).shape())));
        });
  }

  @Override
  public void maskChanged(String parameter) {
    sparse.maskChanged(parameter);
  }

  /** Which layers run sparse, and why. */
  SparseLayers sparse() {
    return sparse;
  }

  @Override
  public void softThreshold(Collection<String> parameters) {
    optimizer.softThreshold(parameters, masks);
  }

  @Override
  public void setPenalty(float lambda) {
    optimizer.setPenalty(lambda, learningRate());
  }

  @Override
  public void resetOptimizer() {
    optimizer.reset(step);
  }

  @Override
  public DeviceTensor secondMoment(String parameter) {
    return optimizer.secondMoment(parameter);
  }

  @Override
  public double momentCorrection() {
    return optimizer.momentCorrection(step);
  }

  @Override
  public DeviceTensor randomState() {
    return current.randomState();
  }

  @Override
  public long step() {
    return step;
  }

  @Override
  public long totalSteps() {
    return stepsPerEpoch() * options.epochs();
  }

  @Override
  public long stepsPerEpoch() {
    return batches.perEpoch();
  }

  @Override
  public int epoch() {
    return (int) (step / batches.perEpoch());
  }

  @Override
  public float learningRate() {
    return options.learningRate().at(step, totalSteps());
  }

  @Override
  public void close() {
    forgetRecordings();
    owned.close();
  }
}
