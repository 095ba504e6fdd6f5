package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * ONNX TensorProto to {@link Tensor} and back. What a Tensor does not hold (documentation, unknown
 * fields) stays in a stub: the message without its elements. Types without a {@link DType}
 * (strings, 4-bit, 8-bit floats, complex) and segments are left whole.
 */
final class OnnxTensors {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private OnnxTensors() {}

  /** The element type of an ONNX code, or null when Tensor does not hold it. */
  static DType dtype(int code) {
    return switch (TensorProto.DataType.forNumber(code)) {
      case FLOAT -> DType.F32;
      case DOUBLE -> DType.F64;
      case FLOAT16 -> DType.F16;
      case BFLOAT16 -> DType.BF16;
      case INT8 -> DType.I8;
      case INT16 -> DType.I16;
      case INT32 -> DType.I32;
      case INT64 -> DType.I64;
      case UINT8 -> DType.U8;
      case UINT16 -> DType.U16;
      case UINT32 -> DType.U32;
      case UINT64 -> DType.U64;
      case BOOL -> DType.BOOL;
      case null, default -> null;
    };
  }

  /** The ONNX code of an element type. */
  static int code(DType dtype) {
    return switch (dtype) {
      case F32 -> TensorProto.DataType.FLOAT_VALUE;
      case F64 -> TensorProto.DataType.DOUBLE_VALUE;
      case F16 -> TensorProto.DataType.FLOAT16_VALUE;
      case BF16 -> TensorProto.DataType.BFLOAT16_VALUE;
      case I8 -> TensorProto.DataType.INT8_VALUE;
      case I16 -> TensorProto.DataType.INT16_VALUE;
      case I32 -> TensorProto.DataType.INT32_VALUE;
      case I64 -> TensorProto.DataType.INT64_VALUE;
      case U8 -> TensorProto.DataType.UINT8_VALUE;
      case U16 -> TensorProto.DataType.UINT16_VALUE;
      case U32 -> TensorProto.DataType.UINT32_VALUE;
      case U64 -> TensorProto.DataType.UINT64_VALUE;
      case BOOL -> TensorProto.DataType.BOOL_VALUE;
    };
  }

  /** Whether the message can become a Tensor. */
  static boolean isModelled(TensorProto proto) {
    return dtype(proto.getDataType()) != null && !proto.hasSegment();
  }

  /** The message without its shape and elements; the name and the type stay. */
  static TensorProto stub(TensorProto proto) {
    return proto.toBuilder()
        .clearDims()
        .clearRawData()
        .clearFloatData()
        .clearInt32Data()
        .clearInt64Data()
        .clearUint64Data()
        .clearDoubleData()
        .clearExternalData()
        .clearDataLocation()
        .build();
  }

  /** A stub with type, shape and elements; the elements are not copied. */
  static TensorProto.Builder fill(TensorProto stub, Tensor tensor) {
    return declare(stub, tensor)
        .setRawData(UnsafeByteOperations.unsafeWrap(tensor.data().asByteBuffer()));
  }

  /** A stub with type and shape. */
  static TensorProto.Builder declare(TensorProto stub, Tensor tensor) {
    TensorProto.Builder builder = stub.toBuilder().setDataType(code(tensor.dtype())).clearDims();
    for (long dim : tensor.shape().dims()) {
      builder.addDims(dim);
    }
    return builder;
  }

  /**
   * Copies the elements out of the message, or out of the file that it points to.
   *
   * @param model the model's file
   */
  static Tensor decode(TensorProto proto, Path model) throws IOException {
    DType dtype = dtype(proto.getDataType());
    Shape shape = shape(proto, dtype, model);
    if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      return OnnxExternalData.read(proto, dtype, shape, model);
    }
    int typed = typedCount(proto, dtype);
    ByteString raw = proto.getRawData();
    boolean useRaw = !raw.isEmpty() || typed == 0;
    long found = useRaw ? raw.size() / dtype.byteSize() : typed;
    if (found != shape.size() || (useRaw && raw.size() % dtype.byteSize() != 0)) {
      throw new FormatException(
          model.toString(),
          -1,
          "%d elements in tensor '%s' of %s%s"
              .formatted(shape.size(), proto.getName(), dtype, shape),
          useRaw ? raw.size() + " bytes" : typed + " elements");
    }
    Tensor tensor = Tensor.zeros(dtype, shape);
    if (useRaw) {
      tensor.data().copyFrom(MemorySegment.ofBuffer(raw.asReadOnlyByteBuffer()));
    } else {
      copyTyped(proto, tensor);
    }
    return tensor;
  }

  private static Shape shape(TensorProto proto, DType dtype, Path model) throws FormatException {
    long[] dims = new long[proto.getDimsCount()];
    long bytes = dtype.byteSize();
    for (int i = 0; i < dims.length; i++) {
      dims[i] = proto.getDims(i);
      if (dims[i] < 0 || (dims[i] != 0 && bytes > Long.MAX_VALUE / dims[i])) {
        throw new FormatException(
            model.toString(),
            -1,
            "dimensions of tensor '" + proto.getName() + "' that are not negative or too large",
            proto.getDimsList().toString());
      }
      bytes *= dims[i];
    }
    return checked(dims, model, proto.getName());
  }

  /** A shape of dimensions from a file: {@code [2^40, 2^40, 0]} is refused as well. */
  static Shape checked(long[] dims, Path model, String name) throws FormatException {
    try {
      return Shape.of(dims);
    } catch (IllegalArgumentException e) {
      throw new FormatException(
          model.toString(), -1, "a valid shape of tensor '" + name + "'", e.getMessage(), e);
    }
  }

  private static int typedCount(TensorProto proto, DType dtype) {
    return switch (dtype) {
      case F32 -> proto.getFloatDataCount();
      case F64 -> proto.getDoubleDataCount();
      case I64 -> proto.getInt64DataCount();
      case U32, U64 -> proto.getUint64DataCount();
      case I8, I16, I32, U8, U16, F16, BF16, BOOL -> proto.getInt32DataCount();
    };
  }

  private static void copyTyped(TensorProto proto, Tensor tensor) {
    MemorySegment data = tensor.data();
    int n = (int) tensor.size();
    for (int i = 0; i < n; i++) {
      switch (tensor.dtype()) {
        case F32 -> data.set(F32, 4L * i, proto.getFloatData(i));
        case F64 -> data.set(F64, 8L * i, proto.getDoubleData(i));
        case I64 -> data.set(I64, 8L * i, proto.getInt64Data(i));
        case U64 -> data.set(I64, 8L * i, proto.getUint64Data(i));
        case U32 -> data.set(I32, 4L * i, (int) proto.getUint64Data(i));
        case I32 -> data.set(I32, 4L * i, proto.getInt32Data(i));
        case I16, U16, F16, BF16 -> data.set(I16, 2L * i, (short) proto.getInt32Data(i));
        case I8, U8, BOOL -> data.set(ValueLayout.JAVA_BYTE, i, (byte) proto.getInt32Data(i));
      }
    }
  }
}
