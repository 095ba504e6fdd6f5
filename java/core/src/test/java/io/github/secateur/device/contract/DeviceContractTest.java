package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Device;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The whole contract on one device: a device's module extends this and opens it. */
public abstract class DeviceContractTest
    implements MemoryContract,
        GemmContract,
        UnaryContract,
        BroadcastContract,
        LossContract,
        RandomContract,
        OptimizerContract,
        ScoreContract,
        SelectContract,
        SelectNmContract,
        MaskContract,
        BoxContract,
        GateContract,
        SparseContract,
        SparseConvContract,
        SparseTrainingContract,
        ImageContract,
        NormContract,
        ReplayContract {
  private Device device;

  /** Opens the device under test. */
  protected abstract Device open();

  @Override
  public Device device() {
    return device;
  }

  @BeforeEach
  void openDevice() {
    device = open();
  }

  @AfterEach
  void closeDevice() {
    assertEquals(0, device.liveBuffers(), "live buffers after the test");
    assertEquals(0, device.liveBytes(), "live bytes after the test");
    device.close();
  }
}
