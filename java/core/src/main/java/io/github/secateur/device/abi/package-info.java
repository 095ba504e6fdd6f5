/**
 * What every device behind the C ABI has in common; internal to Secateur's device modules.
 *
 * <p>In: a native device's handle, its stream and addresses of its buffers ({@code NativeDevice}).
 * Out: enqueued operations, or one exception that says what, where and the cure. {@code
 * NativeCache} unpacks shared libraries, {@code NativeLibraries} finds and opens them, {@code Abi}
 * binds the functions of libsecateur, the {@code Abi*} classes declare them one to one, {@code
 * Shapes} checks, and the {@code Native*} groups implement the operations that need nothing but the
 * ABI.
 */
package io.github.secateur.device.abi;
