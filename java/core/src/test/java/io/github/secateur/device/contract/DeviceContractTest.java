package io.github.secateur.device.contract;

import io.github.secateur.device.Device;

/** The whole contract on one device: a device's module extends this and opens it. */
public abstract class DeviceContractTest extends OnDevice
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
  @Override
  public Device device() {
    return device;
  }
}
