"""kernels/batch_norm_grad.cu"""
from norms import *


def test(kernels):
    for shape in SHAPES:
        gradient(kernels, shape)


def gradient(kernels, shape):
    batch, channels, spatial = shape
    c_shape, k_shape = shapes(*shape)
    what = f"gradients of the normalization of {shape}"
    x, dy, scale = normal(batch * channels * spatial), normal(batch * channels * spatial), normal(channels)
    statistics = abs(normal(2 * channels))
    dx, dnorm = numpy.empty_like(x), numpy.empty_like(statistics)
    cpu.normalize_grad(c_shape, x, dy, scale, statistics, dx, dnorm)
    found, known = Device(numpy.zeros_like(dnorm)), Device(statistics)
    data, slopes = Device(x, 1), Device(dy, 1)
    for first, count in halves(channels):
        sums = Device(numpy.zeros(2 * count * k_shape.tiles))
        kernels.launch("secateur_norm_grad_sums", blocks_for(count * k_shape.tiles, 8, most=2), 256,
                       [k_shape, first, count, data, slopes, known, sums])
        kernels.launch("secateur_norm_grad_totals", 1, 256, [k_shape, first, count, sums, found])
    check_bits(found, dnorm, what)
    for vectors in (False, True) if spatial % 4 == 0 else (False,):
        n, axes, blocks = walk(*shape, vectors)
        shift = 0 if vectors else 1
        out = Device(dy, shift)  # in place
        kernels.launch("secateur_norm_grad_apply" + ("_vectors" if vectors else ""), blocks, 256,
                       [n, axes, k_shape, Device(x, shift), out, Device(scale), known, found, out])
        check_bits(out, dx, f"{what}, vectors {vectors}")


main("batch_norm_grad", test)
