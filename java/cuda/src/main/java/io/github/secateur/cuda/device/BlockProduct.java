package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;

/**
 * The product of square blocks of weights (BSR). Its buffer, of the size the library asks for (none
 * today), belongs to this plan alone: a captured product goes on using it.
 */
final class BlockProduct implements WeightProduct {
  private final CudaDevice device;
  private final CusparseBlocks library;
  private final CusparseBlocks.Operands operands;
  private final Buffer external;

  /** Plans it; x and y are any addresses that the product may later take. */
  BlockProduct(
      CudaDevice device, CusparseBlocks library, CompressedRows weight, Activations first) {
    this.device = device;
    this.library = library;
    CudaDevice.Cleanup undo = new CudaDevice.Cleanup();
    try {
      device.context().enter();
      long matrix = library.matrix(weight);
      undo.add(() -> library.destroyMatrix(matrix));
      long x = library.columns(weight.cols(), first.batch(), first.x());
      undo.add(() -> library.destroyColumns(x));
      long y = library.columns(weight.rows(), first.batch(), first.y());
      undo.add(() -> library.destroyColumns(y));
      operands = new CusparseBlocks.Operands(matrix, x, y);
      external = device.allocate(library.bufferSize(operands));
    } catch (RuntimeException e) {
      undo.run();
      throw e;
    }
  }

  @Override
  public void run(String operation, Activations activations) {
    device.context().enter();
    library.point(operands.x(), activations.x());
    library.point(operands.y(), activations.y());
    library.multiply(operation, operands, external.address());
  }

  @Override
  public void close() {
    library.destroyMatrix(operands.matrix());
    library.destroyColumns(operands.x());
    library.destroyColumns(operands.y());
    external.close();
  }
}
