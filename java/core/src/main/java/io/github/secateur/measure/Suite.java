package io.github.secateur.measure;

import io.github.secateur.measure.WeightMatrix.Layer;
import java.util.List;

/**
 * Shapes of the networks whose pruned weights make up the Deep Learning Matrix Collection.
 *
 * <p>Source: Gale, Zaharia, Young and Elsen, "Sparse GPU Kernels for Deep Learning", 2020, arXiv
 * 2006.10901; the layers are those of Vaswani et al., arXiv 1706.03762, table 3, and of He et al.,
 * arXiv 1512.03385, table 1.
 */
public enum Suite {
  /**
   * Attention and feed-forward layers of the Transformer, base (width 512) and big (width 1024),
   * and the fused query, key and value; a batch counts tokens.
   */
  TRANSFORMER(
      List.of(1L, 64L, 256L),
      List.of(
          Layer.of(512, 512),
          Layer.of(1536, 512),
          Layer.of(2048, 512),
          Layer.of(512, 2048),
          Layer.of(1024, 1024),
          Layer.of(3072, 1024),
          Layer.of(4096, 1024),
          Layer.of(1024, 4096))),

  /**
   * The distinct convolutions of ResNet-50 on 224 x 224 images as matrices [out, in · kh · kw] that
   * multiply the unfolded image, height · width columns a sample (strides stand in the 3 x 3
   * convolutions), and its classifier; without the first convolution, which pruning leaves dense. A
   * batch counts images; unfolding is not timed, dense or sparse.
   */
  RESNET50(
      List.of(1L, 8L),
      List.of(
          conv("stage 2 reduce", 64, 256, 1, 56),
          conv("stage 2 3x3", 64, 64, 3, 56),
          conv("stage 2 expand", 256, 64, 1, 56),
          conv("stage 3 enter", 128, 256, 1, 56),
          conv("stage 3 project", 512, 256, 1, 28),
          conv("stage 3 reduce", 128, 512, 1, 28),
          conv("stage 3 3x3", 128, 128, 3, 28),
          conv("stage 3 expand", 512, 128, 1, 28),
          conv("stage 4 enter", 256, 512, 1, 28),
          conv("stage 4 project", 1024, 512, 1, 14),
          conv("stage 4 reduce", 256, 1024, 1, 14),
          conv("stage 4 3x3", 256, 256, 3, 14),
          conv("stage 4 expand", 1024, 256, 1, 14),
          conv("stage 5 enter", 512, 1024, 1, 14),
          conv("stage 5 project", 2048, 1024, 1, 7),
          conv("stage 5 reduce", 512, 2048, 1, 7),
          conv("stage 5 3x3", 512, 512, 3, 7),
          conv("stage 5 expand", 2048, 512, 1, 7),
          new Layer("classifier", 1000, 2048, 1)));

  private final List<Long> batches;
  private final List<Layer> layers;

  Suite(List<Long> batches, List<Layer> layers) {
    this.batches = batches;
    this.layers = layers;
  }

  private static Layer conv(String name, long out, long in, long kernel, long size) {
    return new Layer(name, out, in * kernel * kernel, size * size);
  }

  /** Its layers, in the order of the network. */
  public List<Layer> layers() {
    return layers;
  }

  /** Batch sizes that are usual for the network. */
  public List<Long> batches() {
    return batches;
  }
}
