package io.github.secateur.tensor;

/** Element type of a tensor, little-endian in memory and in files. */
public enum DType {
  F32(4),
  F64(8),
  F16(2),
  BF16(2),
  I8(1),
  I16(2),
  I32(4),
  I64(8),
  U8(1),
  U16(2),
  U32(4),
  U64(8),
  BOOL(1);

  private final int byteSize;

  DType(int byteSize) {
    this.byteSize = byteSize;
  }

  /** Bytes of one element. */
  public int byteSize() {
    return byteSize;
  }

  /** Whether the type is a floating-point type. */
  public boolean isFloating() {
    return this == F32 || this == F64 || this == F16 || this == BF16;
  }
}
