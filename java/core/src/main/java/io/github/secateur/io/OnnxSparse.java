package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * ONNX SparseTensorProto: values [nnz] and I64 indices, either flat [nnz] or one row a value [nnz,
 * rank], strictly ascending. Here they are dense tensors; a stub remembers that, and how, a tensor
 * is to be written sparse. An element is left out where all its bits are 0 (so −0 stays).
 */
final class OnnxSparse {
  private static final long FREE_DENSE_BYTES = 1 << 20;
  private static final long MAX_RATIO = 1 << 12;
  private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private OnnxSparse() {}

  /** Whether the message can become a Tensor. */
  static boolean isModelled(SparseTensorProto proto) {
    return OnnxTensors.isModelled(proto.getValues())
        && OnnxTensors.isModelled(proto.getIndices())
        && OnnxTensors.dtype(proto.getIndices().getDataType()) == DType.I64;
  }

  /** The message without its elements; the indices' number of dimensions stays. */
  static SparseTensorProto stub(SparseTensorProto proto) {
    TensorProto.Builder indices = OnnxTensors.stub(proto.getIndices()).toBuilder();
    for (int i = 0; i < proto.getIndices().getDimsCount(); i++) {
      indices.addDims(0);
    }
    return proto.toBuilder()
        .setValues(OnnxTensors.stub(proto.getValues()))
        .setIndices(indices)
        .build();
  }

  /** A stub for a tensor that was not sparse when it was read. */
  static SparseTensorProto stub(TensorProto dense) {
    return SparseTensorProto.newBuilder()
        .setValues(dense)
        .setIndices(
            TensorProto.newBuilder().setDataType(TensorProto.DataType.INT64_VALUE).addDims(0))
        .build();
  }

  /** The dense tensor. */
  static Tensor decode(SparseTensorProto proto, Path model) throws IOException {
    Tensor values = OnnxTensors.decode(proto.getValues(), model);
    Tensor indices = OnnxTensors.decode(proto.getIndices(), model);
    String name = proto.getValues().getName();
    Shape shape =
        OnnxTensors.checked(
            proto.getDimsList().stream().mapToLong(Long::longValue).toArray(), model, name);
    long nnz = values.size();
    int width = indices.shape().rank() == 2 ? shape.rank() : 1;
    boolean fits =
        values.shape().rank() == 1
            && (indices.shape().equals(Shape.of(nnz))
                || indices.shape().equals(Shape.of(nnz, shape.rank())));
    int elementSize = values.dtype().byteSize();
    if (!fits || shape.size() > (FREE_DENSE_BYTES + MAX_RATIO * values.byteSize()) / elementSize) {
      throw new FormatException(
          model.toString(),
          -1,
          "values [n] and indices [n] or [n, %d] of sparse tensor '%s' of shape %s"
              .formatted(shape.rank(), name, shape),
          "values " + values.shape() + ", indices " + indices.shape());
    }
    Tensor dense = Tensor.zeros(values.dtype(), shape);
    long before = -1;
    for (long i = 0; i < nnz; i++) {
      long at = flat(indices, i, width, shape);
      if (at <= before || at >= shape.size()) {
        throw new FormatException(
            model.toString(),
            -1,
            "ascending indices inside %s in sparse tensor '%s'".formatted(shape, name),
            "another index at position " + i);
      }
      MemorySegment.copy(
          values.data(), i * elementSize, dense.data(), at * elementSize, elementSize);
      before = at;
    }
    return dense;
  }

  /** Flat index of a value, or -1 when a coordinate is outside the shape. */
  private static long flat(Tensor indices, long i, int width, Shape shape) {
    if (indices.shape().rank() == 1) {
      return indices.getLong(i);
    }
    long flat = 0;
    for (int axis = 0; axis < width; axis++) {
      long c = indices.getLong(i * width + axis);
      if (c < 0 || c >= shape.dim(axis)) {
        return -1;
      }
      flat = flat * shape.dim(axis) + c;
    }
    return flat;
  }

  /** Writes a dense tensor the way that its stub says. */
  static SparseTensorProto encode(SparseTensorProto stub, Tensor dense) {
    long nnz = countNonzero(dense);
    int rank = dense.shape().rank();
    boolean rows = stub.getIndices().getDimsCount() == 2;
    int elementSize = dense.dtype().byteSize();
    Tensor values = Tensor.zeros(dense.dtype(), Shape.of(nnz));
    Tensor indices = Tensor.zeros(DType.I64, rows ? Shape.of(nnz, rank) : Shape.of(nnz));
    long written = 0;
    for (long at = 0; at < dense.size(); at++) {
      if (isZero(dense, at)) {
        continue;
      }
      MemorySegment.copy(
          dense.data(), at * elementSize, values.data(), written * elementSize, elementSize);
      if (rows) {
        long rest = at;
        for (int axis = rank - 1; axis >= 0; axis--) {
          indices.data().set(I64, 8 * (written * rank + axis), rest % dense.shape().dim(axis));
          rest /= dense.shape().dim(axis);
        }
      } else {
        indices.data().set(I64, 8 * written, at);
      }
      written++;
    }
    SparseTensorProto.Builder builder =
        stub.toBuilder()
            .clearDims()
            .setValues(OnnxTensors.fill(stub.getValues(), values))
            .setIndices(OnnxTensors.fill(stub.getIndices(), indices));
    for (long dim : dense.shape().dims()) {
      builder.addDims(dim);
    }
    return builder.build();
  }

  /** Whether flat indices and values take fewer bytes than all elements. */
  static boolean pays(Tensor dense) {
    return dense.shape().rank() > 0
        && countNonzero(dense) * (8 + dense.dtype().byteSize()) < dense.byteSize();
  }

  /** Number of elements with any bit set. */
  static long countNonzero(Tensor dense) {
    long count = 0;
    for (long i = 0; i < dense.size(); i++) {
      count += isZero(dense, i) ? 0 : 1;
    }
    return count;
  }

  private static boolean isZero(Tensor t, long i) {
    return switch (t.dtype().byteSize()) {
      case 1 -> t.data().get(ValueLayout.JAVA_BYTE, i) == 0;
      case 2 -> t.data().get(I16, 2 * i) == 0;
      case 4 -> t.data().get(I32, 4 * i) == 0;
      default -> t.data().get(I64, 8 * i) == 0;
    };
  }
}
