package io.github.secateur.graph;

import io.github.secateur.device.NnOps;
import io.github.secateur.graph.op.AveragePool;
import io.github.secateur.graph.op.AveragePoolGrad;
import io.github.secateur.graph.op.BatchNormalization;
import io.github.secateur.graph.op.BatchNormalizationGrad;
import io.github.secateur.graph.op.Binary;
import io.github.secateur.graph.op.BoxCopyGrad;
import io.github.secateur.graph.op.ChannelSum;
import io.github.secateur.graph.op.Clip;
import io.github.secateur.graph.op.ClipGrad;
import io.github.secateur.graph.op.Concat;
import io.github.secateur.graph.op.ConcatGrad;
import io.github.secateur.graph.op.Constant;
import io.github.secateur.graph.op.ConstantOfShape;
import io.github.secateur.graph.op.Conv;
import io.github.secateur.graph.op.ConvInputGrad;
import io.github.secateur.graph.op.ConvWeightGrad;
import io.github.secateur.graph.op.Dropout;
import io.github.secateur.graph.op.DropoutGrad;
import io.github.secateur.graph.op.Flatten;
import io.github.secateur.graph.op.FlattenRows;
import io.github.secateur.graph.op.Gemm;
import io.github.secateur.graph.op.HardConcrete;
import io.github.secateur.graph.op.HardConcreteGrad;
import io.github.secateur.graph.op.Identity;
import io.github.secateur.graph.op.MaskedGemm;
import io.github.secateur.graph.op.MaskedGemmInputGrad;
import io.github.secateur.graph.op.MaskedGemmWeightGrad;
import io.github.secateur.graph.op.MatMul;
import io.github.secateur.graph.op.MaxPool;
import io.github.secateur.graph.op.MaxPoolGrad;
import io.github.secateur.graph.op.MeanSquaredError;
import io.github.secateur.graph.op.MeanSquaredErrorGrad;
import io.github.secateur.graph.op.Pad;
import io.github.secateur.graph.op.Reduce;
import io.github.secateur.graph.op.ReduceGrad;
import io.github.secateur.graph.op.ReduceSumTo;
import io.github.secateur.graph.op.Reshape;
import io.github.secateur.graph.op.ReshapeLike;
import io.github.secateur.graph.op.Slice;
import io.github.secateur.graph.op.Softmax;
import io.github.secateur.graph.op.SoftmaxCrossEntropy;
import io.github.secateur.graph.op.SoftmaxCrossEntropyGrad;
import io.github.secateur.graph.op.SoftmaxGrad;
import io.github.secateur.graph.op.SparseConv;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.graph.op.StraightThrough;
import io.github.secateur.graph.op.Sum;
import io.github.secateur.graph.op.Transpose;
import io.github.secateur.graph.op.Unary;
import io.github.secateur.graph.op.UnaryGrad;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All operators that can be executed. */
public final class Ops {
  private static final Map<OpId, Op> ALL =
      index(
          List.of(
              new Gemm(),
              new MatMul(),
              new Binary(Binary.ADD, NnOps.Binary.ADD),
              new Binary(Binary.SUB, NnOps.Binary.SUB),
              new Binary(Binary.MUL, NnOps.Binary.MUL),
              new Binary(Binary.DIV, NnOps.Binary.DIV),
              new Unary(OpId.onnx("Relu"), NnOps.Unary.RELU),
              new Unary(OpId.onnx("LeakyRelu"), NnOps.Unary.LEAKY_RELU),
              new Unary(OpId.onnx("Sigmoid"), NnOps.Unary.SIGMOID),
              new Unary(OpId.onnx("Tanh"), NnOps.Unary.TANH),
              new Unary(OpId.onnx("Gelu"), NnOps.Unary.GELU),
              new Unary(Unary.NEG, NnOps.Unary.NEG),
              new Unary(OpId.onnx("Exp"), NnOps.Unary.EXP),
              new Unary(OpId.onnx("Log"), NnOps.Unary.LOG),
              new Unary(OpId.onnx("Sqrt"), NnOps.Unary.SQRT),
              new Unary(OpId.onnx("Erf"), NnOps.Unary.ERF),
              new Unary(OpId.onnx("Abs"), NnOps.Unary.ABS),
              new Softmax(),
              new Flatten(),
              new Reshape(),
              new Identity(),
              new Dropout(),
              new Transpose(),
              new Constant(),
              new ConstantOfShape(),
              new SoftmaxCrossEntropy(),
              new SoftmaxCrossEntropyGrad(),
              new MeanSquaredError(),
              new MeanSquaredErrorGrad(),
              new UnaryGrad(),
              new SoftmaxGrad(),
              new DropoutGrad(),
              new ReduceSumTo(),
              new ReshapeLike(),
              new FlattenRows(),
              new HardConcrete(),
              new HardConcreteGrad(),
              new StraightThrough(),
              new SparseConv(),
              new SparseGemm(),
              new MaskedGemm(),
              new MaskedGemmInputGrad(),
              new MaskedGemmWeightGrad(),
              new Conv(),
              new ConvInputGrad(),
              new ConvWeightGrad(),
              new ChannelSum(),
              new MaxPool(MaxPool.WINDOWS),
              new MaxPool(MaxPool.GLOBAL),
              new MaxPoolGrad(),
              new AveragePool(AveragePool.WINDOWS),
              new AveragePool(AveragePool.GLOBAL),
              new AveragePoolGrad(),
              new BatchNormalization(),
              new BatchNormalizationGrad(),
              new Concat(),
              new ConcatGrad(),
              new Slice(),
              BoxCopyGrad.ofSlice(),
              new Pad(),
              BoxCopyGrad.ofPad(),
              new Clip(),
              new ClipGrad(),
              new Reduce(Reduce.MEAN),
              new ReduceGrad(Reduce.MEAN),
              new Reduce(Reduce.SUM),
              new ReduceGrad(Reduce.SUM),
              new Sum()));

  private Ops() {}

  private static Map<OpId, Op> index(List<Op> ops) {
    Map<OpId, Op> map = new LinkedHashMap<>();
    for (Op op : ops) {
      map.put(op.id(), op);
    }
    return map;
  }

  /** The operator of a node, if the engine knows it. */
  public static Optional<Op> find(Node node) {
    String domain = node.domain().equals("ai.onnx") ? "" : node.domain();
    return Optional.ofNullable(ALL.get(new OpId(domain, node.opType())));
  }

  /**
   * The operator of a node.
   *
   * @throws IllegalArgumentException when the engine cannot execute it
   */
  public static Op get(Node node) {
    return find(node)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    node
                        + " cannot be executed by Secateur; data-free pruning and 'eval --with"
                        + " onnxruntime' still work"));
  }

  /** All known operators. */
  public static List<OpId> known() {
    return List.copyOf(ALL.keySet());
  }
}
