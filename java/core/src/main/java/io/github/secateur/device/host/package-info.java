/**
 * The CPU device: libsecateur and OpenBLAS behind the foreign-function interface.
 *
 * <p>In: device buffers and scalars. Out: values in buffers, or one exception that says what, where
 * and the cure. {@code HostDevice} owns memory, {@code Blas} the library behind dense products;
 * what is common to all native devices is in {@code device.abi}.
 *
 * <p>Who embeds the engine grants native access to it, or the JVM prints a warning: {@code
 * --enable-native-access=ALL-UNNAMED} when it is on the class path, {@code
 * --enable-native-access=io.github.secateur.core} when it is on the module path; an executable jar
 * can say {@code Enable-Native-Access: ALL-UNNAMED} in its manifest instead.
 *
 * <p>System properties: {@code secateur.cache} the folder libraries are unpacked to, {@code
 * secateur.library} a libsecateur to use as it is, {@code secateur.blas} a CBLAS library to use as
 * it is.
 */
package io.github.secateur.device.host;
