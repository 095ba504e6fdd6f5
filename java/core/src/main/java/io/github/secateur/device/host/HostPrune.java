package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import java.lang.foreign.Arena;
import java.util.List;

/** Scores, selection, masks and the steps of sparsifying training. */
final class HostPrune implements PruneOps {
  private final HostDevice device;
  private final HostSelect select;

  HostPrune(HostDevice device, Arena arena) {
    this.device = device;
    this.select = new HostSelect(device, arena);
  }

  @Override
  public void scoreMagnitude(Norm norm, DeviceTensor w, DeviceTensor scores) {
    Shapes.same("scoreMagnitude", w, scores);
    Abi.check(
        "scoreMagnitude",
        AbiPrune.scoreMagnitude(
            device.handle(),
            code(norm),
            w.size(),
            device.f32("scoreMagnitude", w),
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
            code(norm),
            axis,
            w.shape().dim(0),
            w.shape().dim(1),
            device.f32("scoreUnits", w),
            device.f32("scoreUnits", scores)));
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
            x.shape().dim(0),
            units,
            device.f32("accumulateActivation", x),
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
  public void applyMask(DeviceMask mask, DeviceTensor w) {
    Shapes.covers("applyMask", mask, w);
    Abi.check(
        "applyMask",
        AbiPrune.maskApply(
            device.handle(), w.size(), device.mask("applyMask", mask), device.f32("applyMask", w)));
  }

  @Override
  public long keptCount(DeviceMask mask) {
    count("keptCount", mask, 0);
    return device.results().get(LONG, 0);
  }

  @Override
  public long keptZeros(DeviceMask mask, DeviceTensor w) {
    Shapes.covers("keptZeros", mask, w);
    count("keptZeros", mask, device.f32("keptZeros", w));
    return device.results().get(LONG, 8);
  }

  private void count(String op, DeviceMask mask, long w) {
    long results = device.results().address();
    Abi.check(
        op,
        AbiPrune.maskCount(
            device.handle(), mask.size(), device.mask(op, mask), w, results, results + 8));
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
            axis,
            mask.shape().dim(0),
            mask.shape().dim(1),
            device.mask("maskUnits", units),
            device.mask("maskUnits", mask)));
  }

  @Override
  public void softThreshold(DeviceTensor threshold, DeviceTensor w, DeviceMask mask) {
    Shapes.scalar("softThreshold", threshold);
    Shapes.covers("softThreshold", mask, w);
    Abi.check(
        "softThreshold",
        AbiPrune.softThreshold(
            device.handle(),
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
            w.size(),
            HostNn.block(device, op, block),
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
            HostNn.state(device, "hardConcrete", state),
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
            HostNn.state(device, "hardConcreteGrad", state),
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
            logAlpha.size(),
            device.f32(op, logAlpha),
            scale == null ? 0 : device.f32(op, scale),
            device.f32(op, expected),
            dLogAlpha == null ? 0 : device.f32(op, dLogAlpha)));
  }
}
