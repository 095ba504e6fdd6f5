package io.github.secateur.cuda.device;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiSparse;
import io.github.secateur.device.abi.SparseShapes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A weight in compressed rows on the device. Its elements are single weights (CSR) or square blocks
 * of them (BSR): offsets int32 [rows / block + 1], columns int32 [blocks], values F32 [blocks,
 * block, block]. Rows are the outputs of W, or its inputs (that is, Wᵀ).
 *
 * <p>Built by our own kernels from the weight as stored; the host learns one number, the count of
 * blocks, and waits for it once.
 */
final class CompressedRows implements AutoCloseable {
  private static final String OP = "sparse pack";

  /**
   * Bytes of secateur_matrix: out, in, transposed, by_input, block_rows, block_cols, keep_zeros.
   */
  private static final long MATRIX = 40;

  private final CudaDevice device;
  private final MemorySegment matrix;
  private final long rows;
  private final long cols;
  private final int block;
  private final Buffer offsets;
  private final long blocks;
  private Buffer columns;
  private Buffer values;

  /**
   * How a weight is compressed.
   *
   * @param byInput whether rows are the inputs
   * @param block rows and columns of a block, 1 for single weights
   * @param trainable whether all that a mask keeps is stored, zeros too
   */
  record Layout(SparseShapes shapes, boolean byInput, int block, boolean trainable) {}

  CompressedRows(CudaDevice device, Layout layout, DeviceTensor w, DeviceMask mask) {
    this.device = device;
    SparseShapes shapes = layout.shapes();
    this.rows = layout.byInput() ? shapes.in() : shapes.out();
    this.cols = layout.byInput() ? shapes.out() : shapes.in();
    this.block = layout.block();
    this.matrix = Arena.ofAuto().allocate(MATRIX, 8);
    matrix.set(LONG, 0, shapes.out());
    matrix.set(LONG, 8, shapes.in());
    matrix.set(INT, 16, shapes.transposed() ? 1 : 0);
    matrix.set(INT, 20, layout.byInput() ? 1 : 0);
    matrix.set(INT, 24, block);
    matrix.set(INT, 28, block);
    matrix.set(INT, 32, layout.trainable() ? 1 : 0);
    this.offsets = device.allocate(4 * (rows / block + 1));
    try {
      blocks = count(w, mask);
      columns = device.allocate(Math.max(4, 4 * blocks));
      values = device.allocate(Math.max(4, 4 * nonzeros()));
      fill(w, mask, false);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private long count(DeviceTensor w, DeviceMask mask) {
    long size = device.sizes().address();
    Abi.check(OP, offsets(w, mask, 0, size));
    long bytes = device.sizes().get(LONG, 0);
    long workspace = device.workspace(bytes);
    device.sizes().set(LONG, 0, bytes);
    Abi.check(OP, offsets(w, mask, workspace, size));
    device.download(offsets, 4 * (rows / block), device.sizes().asSlice(0, 4));
    return device.sizes().get(INT, 0);
  }

  private int offsets(DeviceTensor w, DeviceMask mask, long workspace, long size) {
    return AbiSparse.compressOffsets(
        device.handle(),
        device.stream(),
        matrix.address(),
        device.f32(OP, w),
        device.mask(OP, mask),
        offsets.address(),
        workspace,
        size);
  }

  private void fill(DeviceTensor w, DeviceMask mask, boolean columnsGiven) {
    Abi.check(
        OP,
        AbiSparse.compressFill(
            device.handle(),
            device.stream(),
            matrix.address(),
            device.f32(OP, w),
            device.mask(OP, mask),
            offsets.address(),
            columnsGiven ? 1 : 0,
            columns.address(),
            values.address()));
  }

  /** Takes the values anew; offsets and columns stay. */
  void refresh(DeviceTensor w) {
    fill(w, null, true);
  }

  /** Writes values [nonzeros] to their places in a tensor as stored, +0 everywhere else. */
  void scatter(Buffer from, DeviceTensor target) {
    Abi.check(
        "sparse weight gradient",
        AbiSparse.compressScatter(
            device.handle(),
            device.stream(),
            matrix.address(),
            offsets.address(),
            columns.address(),
            from.address(),
            device.f32("sparse weight gradient", target)));
  }

  long rows() {
    return rows;
  }

  long cols() {
    return cols;
  }

  /** Rows and columns of a block. */
  int block() {
    return block;
  }

  /** Stored blocks. */
  long blocks() {
    return blocks;
  }

  /** Stored values, zeros inside blocks too. */
  long nonzeros() {
    return blocks * block * block;
  }

  Buffer offsets() {
    return offsets;
  }

  Buffer columns() {
    return columns;
  }

  Buffer values() {
    return values;
  }

  long byteSize() {
    return offsets.byteSize() + columns.byteSize() + values.byteSize();
  }

  @Override
  public void close() {
    offsets.close();
    if (columns != null) {
      columns.close();
    }
    if (values != null) {
      values.close();
    }
  }
}
