package io.github.secateur.exec;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Graph;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The floating-point initializers of a graph in device memory, shared by all executables of the
 * graph (training and evaluation, any batch size). They stay on the device between steps and
 * epochs.
 */
public final class Parameters implements AutoCloseable {
  private final Device device;
  private final Map<String, DeviceTensor> tensors = new LinkedHashMap<>();

  private Parameters(Device device) {
    this.device = device;
  }

  /** Uploads all floating-point initializers of a graph. */
  public static Parameters upload(Device device, Graph graph) {
    Parameters p = new Parameters(device);
    try {
      graph
          .initializers()
          .forEach(
              (name, tensor) -> {
                if (tensor.dtype().isFloating()) {
                  p.tensors.put(name, device.toDevice(tensor));
                }
              });
    } catch (RuntimeException e) {
      p.close();
      throw e;
    }
    return p;
  }

  /** The device they live on. */
  public Device device() {
    return device;
  }

  /** Names in the graph's order. */
  public Set<String> names() {
    return tensors.keySet();
  }

  /** Whether there is a parameter of this name. */
  public boolean contains(String name) {
    return tensors.containsKey(name);
  }

  /**
   * A parameter.
   *
   * @throws IllegalArgumentException when there is none of this name
   */
  public DeviceTensor get(String name) {
    DeviceTensor t = tensors.get(name);
    if (t == null) {
      throw new IllegalArgumentException("there is no parameter '" + name + "'");
    }
    return t;
  }

  /** Adds a parameter (such as the log α of a gate); this object owns it from now on. */
  public void add(String name, DeviceTensor tensor) {
    if (tensors.putIfAbsent(name, tensor) != null) {
      throw new IllegalArgumentException("there is a parameter '" + name + "' already");
    }
  }

  /** Overwrites a parameter with a host tensor of the same shape. */
  public void set(String name, Tensor value) {
    device.upload(value, get(name));
  }

  /** A host copy of a parameter. */
  public Tensor toHost(String name) {
    return device.toHost(get(name));
  }

  /** Puts host copies of those parameters that the graph has into its initializers. */
  public void download(Graph graph) {
    for (String name : tensors.keySet()) {
      graph.initializers().computeIfPresent(name, (n, old) -> toHost(n));
    }
  }

  @Override
  public void close() {
    tensors.values().forEach(DeviceTensor::close);
    tensors.clear();
  }
}
