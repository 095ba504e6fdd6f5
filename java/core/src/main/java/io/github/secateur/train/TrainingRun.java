package io.github.secateur.train;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One run of a {@link Trainer}: the loop over steps and epochs. */
final class TrainingRun implements AutoCloseable {
  /** Steps between two looks at the losses: each look waits for the device. */
  private static final int LOOK_EVERY = 50;

  private final Trainer.Setup setup;
  private final Session session;
  private final Evaluator validator;
  private final Provenance provenance;
  private final Saver saver;
  private final Owner owned = new Owner();
  private final List<EpochRecord> history = new ArrayList<>();
  private BestEpoch best = BestEpoch.NONE;
  private long epochNanos = System.nanoTime();

  TrainingRun(Trainer.Setup setup) {
    this.setup = setup;
    this.provenance = Provenance.of(setup.device(), setup.options(), setup.data());
    this.saver = setup.checkpointing() == null ? null : new Saver(setup.checkpointing());
    try (Owner failed = new Owner()) {
      failed.add(owned);
      session =
          owned.add(new Session(setup.device(), setup.model(), setup.data(), setup.options()));
      validator =
          setup.data().validation() == null
              ? null
              : owned.add(new Evaluator(setup.model(), session.parameters(), Evaluator.BATCH));
      failed.release();
    }
  }

  TrainResult run() {
    if (setup.from() != null) {
      restore(setup.from().state());
    }
    for (TrainHook hook : setup.hooks()) {
      owned.add(hook::finish);
      hook.start(session);
    }
    setup.progress().begin("training", session.totalSteps());
    epochNanos = System.nanoTime();
    while (!finished()) {
      takeStep();
      if (!finished()) {
        saveIfDue();
        stopIfAsked();
      }
    }
    if (saver != null) {
      saver.save(snapshot());
    }
    TrainResult result = result();
    setup.progress().end(summary(result));
    return result;
  }

  private void takeStep() {
    session.step(setup.hooks());
    int done = session.stepOfEpoch() + 1;
    boolean epochEnds = done == session.stepsPerEpoch();
    if (epochEnds) {
      setup.hooks().forEach(hook -> hook.afterEpoch(session));
      endEpoch(finiteLosses(done));
    } else if (done % LOOK_EVERY == 0) {
      report(done, finiteLosses(done));
    }
    session.advance();
  }

  /** Losses of the first steps of the current epoch. */
  private Tensor finiteLosses(int count) {
    Tensor losses = session.losses(count);
    int bad = LossTrace.firstNotFinite(losses);
    if (bad >= 0) {
      long step = session.epoch() * session.stepsPerEpoch() + bad;
      throw new DivergedException(
          losses.getFloat(bad),
          step,
          session.epoch() + 1,
          setup.options().learningRate().at(step, session.totalSteps()));
    }
    return losses;
  }

  private void endEpoch(Tensor losses) {
    int epoch = session.epoch() + 1;
    Metrics metrics = validator == null ? null : validator.evaluate(setup.data().validation());
    long now = System.nanoTime();
    history.add(
        new EpochRecord(
            epoch,
            LossTrace.mean(losses),
            metrics == null ? Double.NaN : metrics.loss(),
            metrics == null ? Double.NaN : metrics.accuracy(),
            session.learningRate(),
            session.sparsity(),
            setup.device().info().simulated() ? Double.NaN : (now - epochNanos) * 1e-9));
    epochNanos = now;
    if (setup.options().patience() > 0 && metrics.loss() < best.loss()) {
      best =
          new BestEpoch(
              epoch, metrics.loss(), session.downloadParameters(), session.downloadMasks());
    }
    report((int) session.stepsPerEpoch(), losses);
  }

  private void report(int stepOfEpoch, Tensor losses) {
    int epoch = session.epoch() + 1;
    String note =
        String.format(
            Locale.ROOT,
            "epoch %d/%d, loss %.4f",
            epoch,
            setup.options().epochs(),
            LossTrace.mean(losses));
    if (!history.isEmpty() && !Double.isNaN(history.getLast().validationAccuracy())) {
      note +=
          String.format(
              Locale.ROOT, ", validation %.2f %%", 100 * history.getLast().validationAccuracy());
    }
    setup.progress().update((epoch - 1) * session.stepsPerEpoch() + stepOfEpoch, note);
  }

  private boolean finished() {
    return session.step() == session.totalSteps() || patienceRanOut();
  }

  private boolean patienceRanOut() {
    int patience = setup.options().patience();
    return patience > 0 && history.size() - best.epoch() >= patience;
  }

  private void saveIfDue() {
    if (saver != null && saver.due(session.step())) {
      saver.save(snapshot());
    }
  }

  private void stopIfAsked() {
    if (!setup.progress().stopRequested()) {
      return;
    }
    if (saver != null) {
      saver.save(snapshot());
    }
    throw new StoppedException(
        "training stopped after step %d of %d; %s"
            .formatted(
                session.step(),
                session.totalSteps(),
                saver == null
                    ? "nothing was saved"
                    : "checkpoint " + setup.checkpointing().file() + " can be resumed"));
  }

  private Checkpoint snapshot() {
    int done = session.stepOfEpoch();
    Tensor losses = done == 0 ? Tensor.zeros(DType.F32, Shape.of(0)) : finiteLosses(done);
    return new Checkpoint(
        "this run",
        setup.model(),
        provenance,
        setup.hooks().stream().map(TrainHook::name).toList(),
        new RunState(
            session.step(),
            finished(),
            session.downloadParameters(),
            session.downloadMasks(),
            session.downloadOptimizer(),
            setup.hooks().stream().map(TrainHook::state).toList(),
            losses,
            List.copyOf(history),
            session.sparse().breakEven(),
            best));
  }

  private void restore(RunState state) {
    session.setWeights(state.parameters(), state.masks());
    session.setProgress(state.step(), state.optimizer(), state.losses());
    session.sparse().restore(state.breakEven());
    history.addAll(state.history());
    best = state.best();
    for (int i = 0; i < setup.hooks().size(); i++) {
      setup.hooks().get(i).restore(state.hooks().get(i));
    }
  }

  /** Takes the best epoch where patience asks for it, the last one otherwise. */
  private TrainResult result() {
    boolean stoppedEarly = patienceRanOut() && session.step() < session.totalSteps();
    if (best.epoch() > 0) {
      session.setWeights(best.weights(), best.masks());
    }
    Metrics metrics = validator == null ? null : validator.evaluate(setup.data().validation());
    Graph graph = setup.model().graph().copy();
    session.parameters().download(graph);
    Model trained = setup.model().withGraph(graph);
    trained.masks().putAll(session.downloadMasks());
    return new TrainResult(trained, history, session.step(), metrics, stoppedEarly);
  }

  private String summary(TrainResult result) {
    double loss = history.isEmpty() ? Double.NaN : history.getLast().trainLoss();
    String text =
        String.format(
            Locale.ROOT,
            "%d epochs, %d steps, training loss %.4f",
            history.size(),
            result.steps(),
            loss);
    if (result.validation() != null) {
      text +=
          String.format(Locale.ROOT, ", validation %.2f %%", 100 * result.validation().accuracy());
    }
    text += session.sparse().describe();
    return result.stoppedEarly() ? text + ", stopped early, best epoch " + best.epoch() : text;
  }

  @Override
  public void close() {
    owned.close();
  }
}
