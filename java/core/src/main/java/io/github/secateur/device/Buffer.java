package io.github.secateur.device;

/** Memory on a device. Whoever allocated it closes it; closing twice does nothing. */
public interface Buffer extends AutoCloseable {
  /** Address in the device's memory; not to be read by Java code except through the device. */
  long address();

  /** Size in bytes. */
  long byteSize();

  @Override
  void close();
}
