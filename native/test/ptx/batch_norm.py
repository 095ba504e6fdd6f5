"""kernels/batch_norm.cu"""
from norms import *


def test(kernels):
    for shape in SHAPES:
        for offset in (0, 1000):
            norm(kernels, shape, numpy.float32(offset))


def norm(kernels, shape, offset):
    batch, channels, spatial = shape
    c_shape, k_shape = shapes(*shape)
    what = f"normalization of {shape} near {offset}"
    x = normal(batch * channels * spatial) + offset
    scale, shift, mean, variance = normal(channels), normal(channels), normal(channels), abs(normal(channels))
    y = numpy.empty_like(x)
    cpu.normalize(c_shape, x, scale, shift, mean, variance, y)
    inverse = Device(numpy.zeros_like(scale), 1)
    kernels.launch("secateur_norm_inverse", 1, 256, [channels, numpy.float32(EPSILON), Device(variance), inverse])
    apply(kernels, shape, x, (Device(mean), inverse, Device(scale), Device(shift)), y, what)

    running, moved = Device(mean), Device(variance)
    statistics = numpy.empty(2 * channels, numpy.float32)
    cpu.normalize_train(c_shape, x, scale, shift, mean, variance, y, statistics)
    found = Device(numpy.zeros_like(statistics))
    data = Device(x, 1)
    for first, count in halves(channels):
        sums = Device(numpy.zeros(2 * count * k_shape.tiles))
        kernels.launch("secateur_norm_sums", blocks_for(count * k_shape.tiles, 8, most=2), 256,
                       [k_shape, first, count, data, sums])
        kernels.launch("secateur_norm_statistics", 1, 256,
                       [k_shape, first, count, numpy.float32(EPSILON), numpy.float32(MOMENTUM), data, sums, running,
                        moved, found])
    check_bits(found, statistics, what + ": statistics")
    check_bits(running, mean, what + ": running mean")
    check_bits(moved, variance, what + ": running variance")
    parts = Device(statistics[:channels]), Device(statistics[channels:])
    apply(kernels, shape, x, (*parts, Device(scale), Device(shift)), y, what)


def apply(kernels, shape, x, parameters, expected, what):
    for vectors in (False, True) if shape[2] % 4 == 0 else (False,):
        n, axes, blocks = walk(*shape, vectors)
        out = Device(numpy.zeros_like(x), 0 if vectors else 1)
        kernels.launch("secateur_norm_apply" + ("_vectors" if vectors else ""), blocks, 256,
                       [n, axes, Device(x, 0 if vectors else 1), *parameters, out])
        check_bits(out, expected, f"{what}, vectors {vectors}")


main("batch_norm", test)
