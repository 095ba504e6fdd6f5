package io.github.secateur.cuda.device;

import io.github.secateur.device.Device;
import java.util.concurrent.atomic.AtomicReference;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Work as a CUDA graph: run as it is first (kernels are loaded, workspaces made, plans laid), then
 * captured from the stream and launched, then launched alone.
 */
final class CudaReplay implements Device.Replay {
  private static final String RECORD = "record work for replay";

  private final CudaDevice device;
  private final Runnable work;
  private CUgraphExec graph;
  private boolean ranOnce;
  private boolean closed;

  CudaReplay(CudaDevice device, Runnable work) {
    this.device = device;
    this.work = work;
  }

  @Override
  public void run() {
    if (closed) {
      throw new IllegalStateException("the replay is closed; make another one");
    }
    device.refuseWhileRecording("replay");
    if (!ranOnce) {
      work.run();
      ranOnce = true;
      return;
    }
    if (graph == null) {
      recordOnPlatformThread();
    }
    Context context = device.context();
    context.enter();
    context.check("replay", JCudaDriver.cuGraphLaunch(graph, context.stream()));
  }

  /**
   * A capture must begin and end on one thread of the system, and virtual threads change theirs.
   */
  private void recordOnPlatformThread() {
    if (!Thread.currentThread().isVirtual()) {
      record();
      return;
    }
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform().uncaughtExceptionHandler((t, e) -> failure.set(e)).start(this::record);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true; // the capture is short, and half of one is of no use
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    switch (failure.get()) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    }
  }

  private void record() {
    Context context = device.context();
    context.enter();
    context.check(
        RECORD,
        JCudaDriver.cuStreamBeginCapture(
            context.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    CUgraph captured = new CUgraph();
    int ended;
    device.setRecording(true);
    boolean whole = false;
    try {
      work.run();
      whole = true;
    } finally {
      device.setRecording(false);
      ended = JCudaDriver.cuStreamEndCapture(context.stream(), captured);
      if (!whole && ended == 0) {
        JCudaDriver.cuGraphDestroy(captured);
      }
    }
    context.check(RECORD, ended);
    CUgraphExec made = new CUgraphExec();
    int status = JCudaDriver.cuGraphInstantiate(made, captured, 0);
    JCudaDriver.cuGraphDestroy(captured);
    context.check(RECORD, status);
    graph = made;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      device.forget(this);
      if (graph != null) {
        device.context().release("close a replay", () -> JCudaDriver.cuGraphExecDestroy(graph));
      }
    }
  }
}
