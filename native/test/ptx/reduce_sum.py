"""kernels/reduce_sum.cu"""
from common import *


def test(kernels):
    for n in EDGE_SIZES[1:]:
        for shift in (0, 1):
            reduce(kernels, [n], 1, shift)
    for rows, cols in ((1, 1), (3, 5), (33, 7), (64, 8), (40, 17), (4096, 9), (4097, 3), (9000, 12)):
        for axes in (0, 1, 2, 3):
            reduce(kernels, [rows, cols], axes, 0)
    for axes in range(8):
        reduce(kernels, [5, 6, 7], axes, 1)
    for axes in (0b0101, 0b1010, 0b1001, 0b0110, 0b1101):
        reduce(kernels, [40, 3, 5, 36], axes, 0)
    for axes in (0b01010101, 0b10101010):
        reduce(kernels, [3, 2, 2, 5, 2, 3, 5, 9], axes, 0)
    reduce(kernels, [3, 50000], 2, 0)
    long(kernels)


def split(shape, axes):
    """Merged (extent, stride, is reduced), outermost first."""
    runs = []
    for d, (extent, stride) in enumerate(zip(shape, dense_strides(shape))):
        reduced = bool(axes >> d & 1)
        if extent == 1:
            continue
        if runs and runs[-1][2] == reduced:
            runs[-1] = (runs[-1][0] * extent, stride, reduced)
        else:
            runs.append((extent, stride, reduced))
    return runs


def inner_first(runs):
    return [[extent, stride] for extent, stride, _ in reversed(runs)]


def product(runs):
    return int(numpy.prod([run[0] for run in runs], dtype=numpy.int64))


def reduce(kernels, shape, axes, shift):
    what = f"sum of {shape} over {axes:b} at {shift}"
    x = normal(*shape) * numpy.float32(100)
    x.ravel()[::11] = -0.0
    runs = split(shape, axes)
    kept, reduced = ([run for run in runs if run[2] == which] for which in (False, True))
    outputs, n = product(kept), product(reduced)
    expected = numpy.empty(outputs, numpy.float32)
    cpu.reduce_sum(ctypes.c_int32(len(shape)), numpy.array(shape, numpy.int64), ctypes.c_uint32(axes), x, expected)
    out = Device(numpy.zeros(outputs, numpy.float32))
    sum_to(kernels, kept, reduced, outputs, n, Device(x, shift), out)
    check_bits(out, expected, what)


def sum_to(kernels, kept, reduced, outputs, n, x, out, divisor=1):
    tiles = -(-n // TILE)
    to = out if tiles == 1 else Device(numpy.zeros(outputs * tiles, numpy.float32))
    axes = strides(4, inner_first(reduced), 32)
    last = numpy.float32(divisor if tiles == 1 else 1)
    if not kept or kept[-1][1] != 1:
        kernels.launch("secateur_sum_rows", blocks_for(outputs * tiles, 4), 128,
                       [strides(4, inner_first(kept), 1), axes, 0, outputs, n, tiles, last, x, to])
    else:
        cols = kept[-1][0]
        chunks = outputs // cols * -(-cols // 8)
        half = chunks // 2  # in two launches, as for sums too large for the scratch
        outer = strides(4, inner_first(kept[:-1]), 1)
        for first, count in ((0, half), (half, chunks - half)):
            origin = 0
            kernels.launch("secateur_sum_columns", blocks_for(count * tiles, 1), 256,
                           [outer, axes, cols, first, count, origin, n, tiles, x, to])
    if tiles > 1:
        sum_to(kernels, [(outputs, tiles, False)], [(tiles, 1, True)], outputs, tiles, to, out, divisor)


def long(kernels):
    """More than 4096 tiles: three levels."""
    n = TILE * TILE + 3 * TILE + 5
    x = normal(n)
    expected = numpy.empty(1, numpy.float32)
    cpu.reduce_sum(ctypes.c_int32(1), numpy.array([n], numpy.int64), ctypes.c_uint32(1), x, expected)
    out = Device(numpy.zeros(1, numpy.float32))
    sum_to(kernels, [], [(n, 1, True)], 1, n, Device(x), out, 3)
    check_bits(out, expected / numpy.float32(3), f"sum of {n}")


main("reduce_sum", test)
