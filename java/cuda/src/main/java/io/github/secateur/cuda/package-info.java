/**
 * How the CUDA device comes up: which libraries are here, what they are missing, and a class loader
 * for what runs on them.
 *
 * <p>In: library paths, environment, options. Out: an open device, or one sentence that says what
 * is missing, what was found and the cure. {@code CudaLibraries} finds the driver, cuBLAS and
 * cuSPARSE, {@code Driver} asks the driver what it drives, {@code JCudaLoader} defines JCuda and
 * everything that touches it (the package {@code device}) over native libraries from our own cache,
 * and {@code CudaDeviceProvider} puts them together. No class of this package refers to JCuda.
 */
package io.github.secateur.cuda;
