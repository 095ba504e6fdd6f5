package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Scores, selection, masks and the steps of sparsifying training by the C ABI. */
public final class NativePrune implements PruneOps {
  private static final int NAN_SCORE = 3;

  /** Bytes of secateur_masked: mask, w, length. */
  private static final long MASKED = 24;

  private final NativeDevice device;
  private final Arena arena;
  private final NativeSelect select;
  private final MemorySegment result; // what one operation has written to the exchange block
  private final MemorySegment boxes; // secateur_boxes
  private MemorySegment masked; // secateur_masked [tensors]

  /**
   * The group of one device.
   *
   * @param arena lives as long as the device
   */
  public NativePrune(NativeDevice device, Arena arena) {
    this.device = device;
    this.arena = arena;
    this.select = new NativeSelect(device, arena);
    this.result = arena.allocate(16, 16);
    this.boxes = arena.allocate(48, 8);
    this.masked = arena.allocate(MASKED * 64, 64);
  }

  @Override
  public void scoreMagnitude(Norm norm, DeviceTensor w, DeviceTensor scores) {
    Shapes.same("scoreMagnitude", w, scores);
    Abi.check(
        "scoreMagnitude",
        AbiPrune.scoreMagnitude(
            device.handle(),
            device.stream(),
            code(norm),
            code("scoreMagnitude", w),
            w.size(),
            device.address("scoreMagnitude", w, w.dtype()),
            device.f32("scoreMagnitude", scores)));
  }

  @Override
  public void scoreUnits(Norm norm, int axis, DeviceTensor w, DeviceTensor scores) {
    Shapes.rank("scoreUnits", w.shape(), 2);
    checkAxis("scoreUnits", axis);
    Shapes.vector("scoreUnits", scores, w.shape().dim(axis), axis == 0 ? "row" : "column");
    Abi.check(
        "scoreUnits",
        AbiPrune.scoreUnits(
            device.handle(),
            device.stream(),
            code(norm),
            axis,
            code("scoreUnits", w),
            w.shape().dim(0),
            w.shape().dim(1),
            device.address("scoreUnits", w, w.dtype()),
            device.f32("scoreUnits", scores)));
  }

  @Override
  public void scoreGradient(
      GradientScore kind, boolean accumulate, DeviceTensor w, DeviceTensor g, DeviceTensor scores) {
    String op = "scoreGradient";
    Shapes.same(op, g, scores);
    if (w != null) {
      Shapes.same(op, w, g);
    } else if (kind != GradientScore.FISHER) {
      throw new IllegalArgumentException(
          "scoreGradient: %s needs the weights; only FISHER goes without".formatted(kind));
    }
    Abi.check(
        op,
        AbiPrune.scoreGradient(
            device.handle(),
            device.stream(),
            kind.ordinal(),
            accumulate ? 1 : 0,
            code(op, g),
            g.size(),
            w == null ? 0 : device.address(op, w, g.dtype()),
            device.address(op, g, g.dtype()),
            device.f32(op, scores)));
  }

  /** The C ABI's number of a tensor's type: scores and selections take F32, F16 and BF16. */
  static int code(String op, DeviceTensor tensor) {
    return switch (tensor.dtype()) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 2;
      default ->
          throw new IllegalArgumentException(
              op + ": " + tensor + " is not of type F32, F16 or BF16; convert it on the host");
    };
  }

  private static int code(Norm norm) {
    return switch (norm) {
      case L1 -> 1;
      case L2 -> 2;
    };
  }

  private static void checkAxis(String op, int axis) {
    if (axis != 0 && axis != 1) {
      throw new IllegalArgumentException(
          op + ": axis must be 0 (rows) or 1 (columns), got " + axis);
    }
  }

  @Override
  public void accumulateActivation(DeviceTensor x, DeviceTensor accumulators) {
    Shapes.rank("accumulateActivation", x.shape(), 2);
    long units = x.shape().dim(1);
    checkAccumulators("accumulateActivation", accumulators, units);
    Abi.check(
        "accumulateActivation",
        AbiPrune.activationAccumulate(
            device.handle(),
            device.stream(),
            code("accumulateActivation", x),
            x.shape().dim(0),
            units,
            device.address("accumulateActivation", x, x.dtype()),
            device.address("accumulateActivation", accumulators, DType.F64)));
  }

  @Override
  public void activationScores(
      Statistic statistic, long count, DeviceTensor accumulators, DeviceTensor scores) {
    checkAccumulators("activationScores", accumulators, scores.size());
    if (count < 1) {
      throw new IllegalArgumentException(
          "activationScores: %d samples were accumulated; accumulate at least one batch first"
              .formatted(count));
    }
    Abi.check(
        "activationScores",
        AbiPrune.activationScores(
            device.handle(),
            device.stream(),
            statistic.ordinal(),
            count,
            scores.size(),
            device.address("activationScores", accumulators, DType.F64),
            device.f32("activationScores", scores)));
  }

  private static void checkAccumulators(String op, DeviceTensor accumulators, long units) {
    if (accumulators.shape().rank() != 2
        || accumulators.shape().dim(0) != 4
        || accumulators.shape().dim(1) != units) {
      throw new IllegalArgumentException(
          "%s: accumulators are F64 [4, %d] for %d units, not %s"
              .formatted(op, units, units, accumulators));
    }
  }

  @Override
  public List<Selection> select(Key key, List<Segment> segments, long[] k) {
    return select.select(key, segments, k);
  }

  @Override
  public void selectNM(
      Key key, NM pattern, DeviceTensor scores, DeviceMask previous, DeviceMask mask) {
    String op = "selectNM";
    Shape shape = scores.shape();
    if (shape.rank() != 3) {
      Shapes.rank(op, shape, 2);
    }
    Shapes.covers(op, previous, scores);
    Shapes.covers(op, mask, scores);
    long nan = device.exchange(8);
    int status =
        AbiPrune.selectNm(
            device.handle(),
            device.stream(),
            code(op, scores),
            key.ordinal(),
            pattern.n(),
            pattern.m(),
            pattern.axis(),
            shape.rank() == 3 ? shape.dim(0) : 1,
            shape.dim(-2),
            shape.dim(-1),
            device.address(op, scores, scores.dtype()),
            device.mask(op, previous),
            device.mask(op, mask),
            nan);
    if (status != NAN_SCORE) {
      Abi.check(op, status);
    }
    device.fromExchange(0, result.asSlice(0, 8));
    if (result.get(LONG, 0) >= 0) {
      throw new NanScoreException(0, result.get(LONG, 0));
    }
  }

  @Override
  public void applyMasks(List<DeviceMask> masks, List<DeviceTensor> tensors) {
    String op = "applyMasks";
    PruneOps.checkPairs(masks, tensors);
    if (MASKED * masks.size() > masked.byteSize()) {
      masked = arena.allocate(2 * MASKED * masks.size(), 64);
    }
    for (int i = 0; i < masks.size(); i++) {
      Shapes.covers(op, masks.get(i), tensors.get(i));
      masked.set(LONG, MASKED * i, device.mask(op, masks.get(i)));
      masked.set(LONG, MASKED * i + 8, device.f32(op, tensors.get(i)));
      masked.set(LONG, MASKED * i + 16, tensors.get(i).size());
    }
    Abi.check(
        op,
        AbiPrune.maskApplyMany(device.handle(), device.stream(), masks.size(), masked.address()));
  }

  @Override
  public void applyMask(DeviceMask mask, DeviceTensor w) {
    Shapes.covers("applyMask", mask, w);
    Abi.check(
        "applyMask",
        AbiPrune.maskApply(
            device.handle(),
            device.stream(),
            w.size(),
            device.mask("applyMask", mask),
            device.f32("applyMask", w)));
  }

  @Override
  public long keptCount(DeviceMask mask) {
    count("keptCount", mask, 0);
    return result.get(LONG, 0);
  }

  @Override
  public long keptZeros(DeviceMask mask, DeviceTensor w) {
    Shapes.covers("keptZeros", mask, w);
    count("keptZeros", mask, device.f32("keptZeros", w));
    return result.get(LONG, 8);
  }

  private void count(String op, DeviceMask mask, long w) {
    long results = device.exchange(16);
    Abi.check(
        op,
        AbiPrune.maskCount(
            device.handle(),
            device.stream(),
            mask.size(),
            device.mask(op, mask),
            w,
            results,
            results + 8));
    device.fromExchange(0, result);
  }

  @Override
  public void maskUnits(int axis, DeviceMask units, DeviceMask mask) {
    Shapes.rank("maskUnits", mask.shape(), 2);
    checkAxis("maskUnits", axis);
    if (units.size() != mask.shape().dim(axis)) {
      throw new IllegalArgumentException(
          "maskUnits: a mask over %s does not fit axis %d of %s"
              .formatted(units.shape(), axis, mask.shape()));
    }
    Abi.check(
        "maskUnits",
        AbiPrune.maskUnits(
            device.handle(),
            device.stream(),
            axis,
            mask.shape().dim(0),
            mask.shape().dim(1),
            device.mask("maskUnits", units),
            device.mask("maskUnits", mask)));
  }

  @Override
  public void scoreBoxes(
      Pooling pooling, Boxes boxes, Masked scores, DeviceTensor pooled, DeviceMask live) {
    String op = "scoreBoxes";
    Shapes.covers(op, scores.mask(), scores.tensor());
    Shapes.covers(op, live, pooled);
    requireSize(op, boxes.tensor(), scores.tensor().shape());
    requireSize(op, boxes.grid(), pooled.shape());
    Abi.check(
        op,
        AbiPrune.scoreBoxes(
            device.handle(),
            device.stream(),
            pooling.ordinal(),
            cut(boxes),
            device.f32(op, scores.tensor()),
            device.mask(op, scores.mask()),
            device.f32(op, pooled),
            device.mask(op, live)));
  }

  @Override
  public void maskBoxes(Boxes boxes, DeviceMask kept, DeviceMask mask) {
    String op = "maskBoxes";
    requireSize(op, boxes.tensor(), mask.shape());
    requireSize(op, boxes.grid(), kept.shape());
    Abi.check(
        op,
        AbiPrune.maskBoxes(
            device.handle(),
            device.stream(),
            cut(boxes),
            device.mask(op, kept),
            device.mask(op, mask)));
  }

  private static void requireSize(String op, Shape wanted, Shape got) {
    if (wanted.size() != got.size()) {
      throw new IllegalArgumentException(
          "%s: %s does not have the %d elements of %s".formatted(op, got, wanted.size(), wanted));
    }
  }

  /** Address of a secateur_boxes, valid until the next. */
  private long cut(Boxes boxes) {
    for (int d = 0; d < 3; d++) {
      this.boxes.set(LONG, 8L * d, boxes.tensor().dim(d));
      this.boxes.set(LONG, 24 + 8L * d, boxes.box().dim(d));
    }
    return this.boxes.address();
  }

  @Override
  public void softThreshold(DeviceTensor threshold, DeviceTensor w, DeviceMask mask) {
    Shapes.scalar("softThreshold", threshold);
    Shapes.covers("softThreshold", mask, w);
    Abi.check(
        "softThreshold",
        AbiPrune.softThreshold(
            device.handle(),
            device.stream(),
            w.size(),
            device.f32("softThreshold", threshold),
            device.f32("softThreshold", w),
            device.mask("softThreshold", mask)));
  }

  @Override
  public void softThresholdAdam(
      Buffer block, DeviceTensor lambda, DeviceTensor v, DeviceTensor w, DeviceMask mask) {
    String op = "softThresholdAdam";
    Shapes.scalar(op, lambda);
    Shapes.same(op, w, v);
    Shapes.covers(op, mask, w);
    Abi.check(
        op,
        AbiPrune.softThresholdAdam(
            device.handle(),
            device.stream(),
            w.size(),
            NativeNn.block(device, op, block),
            device.f32(op, lambda),
            device.f32(op, v),
            device.f32(op, w),
            device.mask(op, mask)));
  }

  @Override
  public void hardConcrete(DeviceTensor state, long salt, DeviceTensor logAlpha, DeviceTensor z) {
    Shapes.same("hardConcrete", logAlpha, z);
    Abi.check(
        "hardConcrete",
        AbiPrune.hardConcrete(
            device.handle(),
            device.stream(),
            NativeNn.state(device, "hardConcrete", state),
            salt,
            z.size(),
            device.f32("hardConcrete", logAlpha),
            device.f32("hardConcrete", z)));
  }

  @Override
  public void hardConcreteGrad(
      DeviceTensor state,
      long salt,
      DeviceTensor logAlpha,
      DeviceTensor dz,
      DeviceTensor dLogAlpha) {
    Shapes.same("hardConcreteGrad", logAlpha, dz);
    Shapes.same("hardConcreteGrad", logAlpha, dLogAlpha);
    Abi.check(
        "hardConcreteGrad",
        AbiPrune.hardConcreteGrad(
            device.handle(),
            device.stream(),
            NativeNn.state(device, "hardConcreteGrad", state),
            salt,
            logAlpha.size(),
            device.f32("hardConcreteGrad", logAlpha),
            device.f32("hardConcreteGrad", dz),
            device.f32("hardConcreteGrad", dLogAlpha)));
  }

  @Override
  public void hardConcreteEval(DeviceTensor logAlpha, DeviceTensor z) {
    Shapes.same("hardConcreteEval", logAlpha, z);
    Abi.check(
        "hardConcreteEval",
        AbiPrune.hardConcreteEval(
            device.handle(),
            device.stream(),
            z.size(),
            device.f32("hardConcreteEval", logAlpha),
            device.f32("hardConcreteEval", z)));
  }

  @Override
  public void hardConcreteL0(
      DeviceTensor logAlpha, DeviceTensor scale, DeviceTensor expected, DeviceTensor dLogAlpha) {
    String op = "hardConcreteL0";
    Shapes.scalar(op, expected);
    if (dLogAlpha != null) {
      Shapes.same(op, logAlpha, dLogAlpha);
      Shapes.scalar(op, scale);
    }
    Abi.check(
        op,
        AbiPrune.hardConcreteL0(
            device.handle(),
            device.stream(),
            logAlpha.size(),
            device.f32(op, logAlpha),
            scale == null ? 0 : device.f32(op, scale),
            device.f32(op, expected),
            dLogAlpha == null ? 0 : device.f32(op, dLogAlpha)));
  }
}
