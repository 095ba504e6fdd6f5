"""kernels/cross_entropy.cu"""
from common import *

SHAPES = ((1, 1), (3, 2), (40, 10), (5, 31), (70, 33), (9, 257), (3, 1024))
LONG_SHAPES = ((1, 1), (5, 33), (3, 1025), (2, 4096), (5, 4097))


def test(kernels):
    for suffix, shapes, threads in (("", SHAPES, 8), ("_long", LONG_SHAPES, 1)):
        for rows, cols in shapes:
            one(kernels, suffix, rows, cols, blocks_for(rows, threads, most=2))
    bad_labels(kernels)


def one(kernels, suffix, rows, cols, blocks):
    """The row losses, by the loss of each row alone."""
    what = f"cross-entropy{suffix} of [{rows}, {cols}]"
    x, labels = normal(rows, cols) * numpy.float32(5), random.integers(0, cols, rows).astype(numpy.int32)
    if rows > 2:
        x[1, cols // 2], x[2, cols - 1] = numpy.nan, 200
    p, losses = numpy.empty_like(x), numpy.empty(rows, numpy.float32)
    for r in range(rows):
        cpu.softmax_cross_entropy(1, cols, x[r], labels[r:], p[r], losses[r:])
    softmax, result = Device(numpy.zeros_like(x), 1), Device(numpy.zeros(rows, numpy.float32))
    kernels.launch("secateur_cross_entropy" + suffix, blocks, 256,
                   [rows, cols, Device(x), Device(labels), softmax, result])
    check_bits(softmax, p, what + ", softmax")
    check_bits(result, losses, what)

    dloss, dx = numpy.array([0.75], numpy.float32), numpy.empty_like(x)
    cpu.softmax_cross_entropy_grad(rows, cols, p, labels, dloss, dx)
    for shifts in ((0, 0), (1, 1), (3, 2)):
        result = Device(numpy.zeros_like(x), shifts[1])
        kernels.launch("secateur_cross_entropy_grad", blocks_for(x.size, 1024, most=2), 256,
                       [rows, cols, Device(p, shifts[0]), Device(labels), Device(dloss), result])
        check_bits(result, dx, what + f", derivative at {shifts}")


def bad_labels(kernels):
    """The loss of a row with a label that is no column is NaN, as is that row of the derivative; others are as ever."""
    rows, cols = 6, 11
    x, labels = normal(rows, cols), numpy.array([3, -1, 10, 11, 0, 2**31 - 1], numpy.int32)
    bad = (labels < 0) | (labels >= cols)
    for suffix, blocks in (("", 1), ("_long", 3)):
        p, losses = Device(numpy.zeros_like(x)), Device(numpy.zeros(rows, numpy.float32))
        kernels.launch("secateur_cross_entropy" + suffix, blocks, 256,
                       [rows, cols, Device(x), Device(labels), p, losses])
        check((numpy.isnan(losses.array) == bad).all(), f"losses of the labels {labels}: {losses.array}")
    dx = Device(numpy.zeros_like(x))
    kernels.launch("secateur_cross_entropy_grad", 1, 256,
                   [rows, cols, p, Device(labels), Device(numpy.ones(1, numpy.float32)), dx])
    check((numpy.isnan(dx.array) == bad[:, None]).all(), f"derivative of the labels {labels}: {dx.array}")


main("cross_entropy", test)
