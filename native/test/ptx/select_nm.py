"""kernels/select_nm.cu"""
from common import *

NONE = numpy.uint64(2 ** 64 - 1)


def test(kernels):
    for n, m in ((2, 4), (4, 8), (1, 2), (1, 32), (31, 32), (3, 3), (2, 5), (1, 1), (7, 13)):
        for rows, cols in ((1, 1), (4, 8), (3, 31), (33, 7), (64, 96), (5, 320), (100, 3)):
            for axis in (0, 1):
                for variant in range(4):
                    select(kernels, n, m, axis, rows, cols, variant)
        for axis in (0, 1):
            for variant in range(4):
                select(kernels, n, m, axis, 7, 9, variant, outer=5)


def select(kernels, n, m, axis, rows, cols, variant, outer=1):
    """Variants: plain; few values and a previous mask; in place, of f16; with a NaN."""
    count, random = outer * rows * cols, numpy.random.default_rng(rows * cols + n + m + variant)
    dtype = 1 if variant == 2 else 0
    scores = random.standard_normal(count).astype(numpy.float16 if dtype else numpy.float32)
    if variant == 1:
        scores = numpy.round(scores)
    if variant == 3:
        scores[count // 2:] = numpy.nan
    scores = scores.view(numpy.uint16) if dtype else scores
    before = mask_words(random.random(count) < 0.7)
    is_signed = variant & 1
    previous = before if variant in (1, 2) else None
    expected, nan = before.copy(), numpy.zeros(1, numpy.int64)
    int32 = ctypes.c_int32
    status = cpu.call("select_nm", int32(dtype), int32(is_signed), int32(n), int32(m), int32(axis), outer, rows, cols, scores,
                      previous, expected, nan)
    check(status == (3 if variant == 3 else 0), f"the CPU device answers {status}")
    out, first = Device(before), Device(numpy.array([NONE], numpy.uint64))
    x = Device(scores, 1)
    old = None if previous is None else out if variant == 2 else Device(previous)
    kernels.launch("secateur_nm_nan", blocks_for(count, 256, most=3), 256, [dtype, count, x, old, first])
    if axis == 1 and 32 % m == 0 and cols % m == 0:
        kernels.launch("secateur_nm_words", blocks_for(len(before), 8, most=3), 256,
                       [dtype, is_signed, n, m, count, x, old, out, first])
    else:
        kernels.launch("secateur_nm_start", blocks_for(len(before), 256, most=2), 256, [count, old, out, first])
        kernels.launch("secateur_nm_groups", blocks_for(count, 256, most=3), 256,
                       [dtype, is_signed, n, m, axis, outer, rows, cols, x, out, first])
    what = f"{n}:{m} along axis {axis} of [{rows}, {cols}], variant {variant}"
    check(first.array.view(numpy.int64)[0] == nan[0], f"{what}: NaN at {first.array}, not {nan}")
    check_bits(out, expected, what)


main("select_nm", test)
