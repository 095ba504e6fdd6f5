/**
 * The CUDA device on JCuda: memory, stream, graphs, dense products by cuBLAS, sparse ones by
 * cuSPARSE; every other operation is a kernel of our own behind the C ABI.
 *
 * <p>In: device buffers and scalars. Out: operations enqueued on one stream, or one exception that
 * says what, where and the cure. These classes are defined by {@code JCudaLoader}, never by the
 * application's class loader: nobody outside may refer to them, they are known as {@code Device}.
 */
package io.github.secateur.cuda.device;
