package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** Weights uploaded for pruning outside a training run, with the masks they had. */
final class HeldSite implements Site, AutoCloseable {
  private final Device device;
  private final Map<String, DeviceTensor> weights = new LinkedHashMap<>();
  private final Map<String, DeviceMask> masks = new LinkedHashMap<>();

  /** Uploads F32 weights and masks by parameter name. */
  HeldSite(Device device, Map<String, Tensor> weights, Map<String, Mask> masks) {
    this.device = device;
    try {
      weights.forEach((name, tensor) -> this.weights.put(name, device.toDevice(tensor)));
      masks.forEach((name, mask) -> this.masks.put(name, device.toDevice(mask)));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public DeviceTensor weight(String parameter) {
    return weights.get(parameter);
  }

  @Override
  public DeviceMask mask(String parameter) {
    return masks.computeIfAbsent(
        parameter, name -> device.toDevice(Mask.ones(weight(name).shape())));
  }

  /** Host copies of all weights. */
  Map<String, Tensor> weightsToHost() {
    Map<String, Tensor> host = new LinkedHashMap<>();
    weights.forEach((name, tensor) -> host.put(name, device.toHost(tensor)));
    return host;
  }

  /** Host copies of all masks that there are. */
  Map<String, Mask> masksToHost() {
    Map<String, Mask> host = new LinkedHashMap<>();
    masks.forEach((name, mask) -> host.put(name, device.toHost(mask)));
    return host;
  }

  @Override
  public void close() {
    weights.values().forEach(DeviceTensor::close);
    masks.values().forEach(DeviceMask::close);
    weights.clear();
    masks.clear();
  }
}
