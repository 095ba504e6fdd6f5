package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Mask;
import io.github.secateur.train.Training;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lets a pruner choose a set of latent weights: it reads the weights and writes masks that bind
 * nothing; "applying" them writes 1 and +0 to the tensors of the set.
 */
final class LatentSite implements Site, AutoCloseable {
  private final Training training;
  private final String suffix;
  private final Map<String, DeviceMask> masks = new LinkedHashMap<>();

  /**
   * @param suffix of the parameters that hold the set
   */
  LatentSite(Training training, String suffix) {
    this.training = training;
    this.suffix = suffix;
  }

  @Override
  public Device device() {
    return training.device();
  }

  @Override
  public DeviceTensor weight(String parameter) {
    return training.parameters().get(parameter);
  }

  @Override
  public DeviceMask mask(String parameter) {
    return masks.computeIfAbsent(parameter, name -> device().toDevice(first(name)));
  }

  private Mask first(String parameter) {
    return training.model().masks().getOrDefault(parameter, Mask.ones(weight(parameter).shape()));
  }

  /** All masks as the run began, so that what a pruner took may come back. */
  void lift() {
    masks.forEach((name, mask) -> device().upload(first(name).words(), mask.words(), 0));
  }

  /** The set, as F32. */
  DeviceTensor set(String parameter) {
    return training.parameters().get(parameter + suffix);
  }

  @Override
  public void applyMasks(List<String> parameters) {
    for (String name : parameters) {
      device().nn().fill(1, set(name));
      device().prune().applyMask(mask(name), set(name));
    }
  }

  @Override
  public void close() {
    masks.values().forEach(DeviceMask::close);
    masks.clear();
  }
}
