"""kernels/softmax.cu"""
from common import *

SHAPES = ((1, 1), (3, 2), (40, 10), (5, 31), (5, 32), (5, 33), (9, 257), (3, 1023), (3, 1024))
LONG_SHAPES = ((1, 1), (5, 33), (3, 1025), (2, 4096), (5, 4097), (2, 12289))


def rows_with_specials(rows, cols):
    """Logits; in the last rows NaN first, NaN last, +inf, only -inf, a lone large one, zeros of both signs."""
    x = normal(rows, cols) * numpy.float32(5)
    edits = [lambda r: r.__setitem__(0, numpy.nan), lambda r: r.__setitem__(-1, numpy.nan),
             lambda r: r.__setitem__(cols // 2, numpy.inf), lambda r: r.fill(-numpy.inf),
             lambda r: r.__setitem__(cols // 2, 300), lambda r: r.__setitem__(slice(None, None, 2), -0.0)]
    for row, edit in zip(x[::-1][:rows - 1], edits):
        edit(row)
    return x


def test(kernels):
    for suffix, shapes, threads in (("", SHAPES, 8), ("_long", LONG_SHAPES, 1)):
        for rows, cols in shapes:
            for shift in (0, 1):
                one(kernels, suffix, rows, cols, shift, blocks_for(rows, threads, most=2))


def one(kernels, suffix, rows, cols, shift, blocks):
    what = f"softmax{suffix} of [{rows}, {cols}] at {shift}"
    x = rows_with_specials(rows, cols)
    y, dx, dy = numpy.empty_like(x), numpy.empty_like(x), special(x.size).reshape(x.shape)
    dy[:-1] = normal(rows - 1, cols)
    cpu.softmax(rows, cols, x, y)
    cpu.softmax_grad(rows, cols, y, dy, dx)
    result = Device(numpy.zeros_like(x), shift)
    kernels.launch("secateur_softmax" + suffix, blocks, 256, [rows, cols, Device(x, shift), result])
    check_bits(result, y, what)
    in_place = Device(x)
    kernels.launch("secateur_softmax" + suffix, blocks, 256, [rows, cols, in_place, in_place])
    check_bits(in_place, y, what + " in place")
    result = Device(numpy.zeros_like(x))
    kernels.launch("secateur_softmax_grad" + suffix, blocks, 256,
                   [rows, cols, Device(y, shift), Device(dy), result])
    check_bits(result, dx, what + ", derivative")
    in_place = Device(dy)
    kernels.launch("secateur_softmax_grad" + suffix, blocks, 256, [rows, cols, Device(y), in_place, in_place])
    check_bits(in_place, dx, what + ", derivative in place")


main("softmax", test)
