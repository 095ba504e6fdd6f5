/**
 * The device interface: memory, and four groups of operations on it. Engine code above is written
 * against these types alone; {@code device.host} and the CUDA module implement them, over {@code
 * device.abi}.
 *
 * <p>In: host tensors and scalar arguments. Out: values in device memory.
 */
package io.github.secateur.device;
