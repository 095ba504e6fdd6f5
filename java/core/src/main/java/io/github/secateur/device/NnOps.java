package io.github.secateur.device;

/**
 * Elementwise operations, reductions, losses, random numbers and optimizer steps, F32 unless said.
 * Shapes that do not fit give an IllegalArgumentException naming them. Formulas: {@code
 * secateur.h}.
 */
public interface NnOps {
  /** Elementwise functions. */
  enum Unary {
    RELU,
    LEAKY_RELU,
    SIGMOID,
    TANH,
    GELU,
    GELU_TANH,
    NEG,
    EXP,
    LOG,
    SQRT,
    ERF,
    ABS
  }

  /** Elementwise functions of two broadcast tensors. */
  enum Binary {
    ADD,
    SUB,
    MUL,
    DIV
  }

  /** x = value everywhere. */
  void fill(float value, DeviceTensor x);

  /** y = f(x); alpha is the slope of LEAKY_RELU, else ignored. y may be x. */
  void unary(Unary op, float alpha, DeviceTensor x, DeviceTensor y);

  /** dx = dy · f'(x), where y = f(x). dx may be dy. */
  void unaryGrad(
      Unary op, float alpha, DeviceTensor x, DeviceTensor y, DeviceTensor dy, DeviceTensor dx);

  /** out = a op b under ONNX (NumPy) broadcasting; out has the broadcast shape. */
  void binary(Binary op, DeviceTensor a, DeviceTensor b, DeviceTensor out);

  /** y = min(max(x, low), high); NaN stays NaN. y may be x. Infinite bounds bind nothing. */
  void clip(float low, float high, DeviceTensor x, DeviceTensor y);

  /** dx = low &lt; x &lt; high ? dy : 0. dx may be dy. */
  void clipGrad(float low, float high, DeviceTensor x, DeviceTensor dy, DeviceTensor dx);

  /**
   * Copies a box of one tensor to a box of the same size in another of the same rank; the rest of
   * the target stays as it is. Any element type of 4 bytes. (Concat, Slice, Pad and their
   * adjoints.)
   *
   * @param size of the box along each axis
   * @param from its first place in {@code source}
   * @param to its first place in {@code target}
   */
  void copyBox(long[] size, long[] from, DeviceTensor source, long[] to, DeviceTensor target);

  /**
   * Sums x over axes until it has the shape of {@code out}: over leading axes that out lacks and
   * over axes where out has size 1 (the adjoint of broadcasting).
   */
  void reduceSumTo(DeviceTensor x, DeviceTensor out);

  /** out axis d is x axis perm[d]. */
  void transpose(int[] perm, DeviceTensor x, DeviceTensor out);

  /** Softmax over the last axis. */
  void softmax(DeviceTensor x, DeviceTensor y);

  /** dx = y · (dy − Σ dy·y) over the last axis. */
  void softmaxGrad(DeviceTensor y, DeviceTensor dy, DeviceTensor dx);

  /**
   * Mean softmax cross-entropy.
   *
   * @param logits [rows, classes]
   * @param labels I32 [rows]
   * @param probabilities [rows, classes], written
   * @param loss scalar, written
   */
  void softmaxCrossEntropy(
      DeviceTensor logits, DeviceTensor labels, DeviceTensor probabilities, DeviceTensor loss);

  /** dlogits = dloss / rows · (probabilities − onehot(labels)). */
  void softmaxCrossEntropyGrad(
      DeviceTensor probabilities, DeviceTensor labels, DeviceTensor dloss, DeviceTensor dlogits);

  /** loss = mean (x − t)². */
  void mse(DeviceTensor x, DeviceTensor t, DeviceTensor loss);

  /** dx = dloss · 2 (x − t) / n. */
  void mseGrad(DeviceTensor x, DeviceTensor t, DeviceTensor dloss, DeviceTensor dx);

  /**
   * Uniform numbers in (0, 1), a pure function of (seed, counter, salt, index).
   *
   * @param state I64 [2] on the device: seed, counter
   */
  void uniform(DeviceTensor state, long salt, DeviceTensor out);

  /** y = u &lt; ratio ? 0 : x / (1 − ratio); its gradient is the same call on dy. */
  void dropout(DeviceTensor state, long salt, float ratio, DeviceTensor x, DeviceTensor y);

  /** target row i = source row indices[i]; any element type, indices I32. */
  void gatherRows(DeviceTensor source, DeviceTensor indices, DeviceTensor target);

  /**
   * Parameters of {@link #sgdStep}, in device memory so that a captured step can be replayed.
   *
   * @param step 1 for the first step
   */
  record Sgd(float lr, float momentum, float weightDecay, boolean nesterov, int step) {}

  /** Parameters of {@link #adamStep}; step counts from 1. Decoupled weight decay is AdamW. */
  record Adam(
      float lr,
      float beta1,
      float beta2,
      float epsilon,
      float weightDecay,
      boolean decoupled,
      int step) {}

  /** Bytes of the parameter block of an optimizer step. */
  int OPTIMIZER_BLOCK_BYTES = 64;

  /** Writes SGD parameters to a block of at least {@link #OPTIMIZER_BLOCK_BYTES}. */
  void uploadSgd(Sgd params, Buffer block);

  /** Writes Adam parameters to a block of at least {@link #OPTIMIZER_BLOCK_BYTES}. */
  void uploadAdam(Adam params, Buffer block);

  /**
   * One SGD step; momentum may be null when its factor is 0; mask may be null. Masked: exactly +0.
   */
  void sgdStep(
      Buffer block, DeviceTensor w, DeviceTensor g, DeviceTensor momentum, DeviceMask mask);

  /** One Adam step. Masked elements of w and of {@code moments} become exactly +0. */
  void adamStep(Buffer block, DeviceTensor w, DeviceTensor g, Moments moments, DeviceMask mask);

  /** First and second moment estimates. */
  record Moments(DeviceTensor m, DeviceTensor v) {}
}
