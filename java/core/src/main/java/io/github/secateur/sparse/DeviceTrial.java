package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.Conv;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.OptionalLong;

/** Trials on a device, by {@link Stopwatch}. */
record DeviceTrial(Device device) implements Trial {
  private static final double SAMPLE_MICROS = 1000;

  @Override
  public boolean supports(SparseFormat format) {
    return device.sparse().supports(format);
  }

  @Override
  public OptionalLong pack(Tensor weight, boolean transposed, SparseFormat format) {
    try (DeviceTensor w = device.toDevice(weight);
        SparseOps.PackedWeight packed = device.sparse().pack(w, transposed, null, format)) {
      return OptionalLong.of(packed.byteSize());
    } catch (DeviceException e) {
      if (e.status() == DeviceException.Status.UNAVAILABLE) {
        return OptionalLong.empty();
      }
      throw e;
    } catch (IllegalArgumentException e) {
      if (format instanceof SparseFormat.Blocks || format instanceof SparseFormat.NM) {
        return OptionalLong.empty(); // such as blocks that do not divide the weight
      }
      throw e;
    }
  }

  @Override
  public OptionalLong packFilters(Node convolution, Shape images, Tensor weight) {
    boolean signal = images.rank() == 3;
    Shape x = signal ? image(images) : images;
    Shape w = signal ? image(weight.shape()) : weight.shape();
    ImageOps.Convolution geometry =
        new ImageOps.Convolution(Conv.window(convolution, images, weight.shape()), 1);
    try (DeviceTensor filters = device.toDevice(weight.reshape(w));
        SparseOps.PackedFilters packed = device.sparse().packFilters(geometry, x, filters, null)) {
      return OptionalLong.of(packed.byteSize());
    } catch (DeviceException e) {
      if (e.status() == DeviceException.Status.UNAVAILABLE) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private static Shape image(Shape signal) {
    return Shape.of(signal.dim(0), signal.dim(1), 1, signal.dim(2));
  }

  @Override
  public List<Spread> race(List<Model> models, long batch, int repeats) {
    Stopwatch.Options options = new Stopwatch.Options(repeats, SAMPLE_MICROS);
    return Bound.with(device, models, batch, runs -> Stopwatch.knockout(device, runs, options));
  }
}
