"""kernels/score.cu"""
from common import *

DTYPES = {0: numpy.float32, 1: numpy.uint16, 2: numpy.uint16}


def typed(dtype, n, seed=0):
    """Numbers of a type, some of them special, as stored."""
    if dtype == 0:
        return special(n)
    return numpy.random.default_rng(n + seed).integers(0, 65536, n, numpy.uint16)


def test(kernels):
    for dtype in DTYPES:
        for n in EDGE_SIZES:
            for shift in (0, 3):
                magnitude(kernels, dtype, n, shift)
        for kind in range(3):
            for accumulate in (0, 1):
                for n, shifts in ((0, (0, 0, 0)), (33, (0, 0, 0)), (4097, (0, 0, 0)), (4097, (1, 2, 3)),
                                  (4096, (3, 3, 3))):
                    gradient(kernels, kind, accumulate, dtype, n, shifts)
        for rows, cols in ((1, 1), (3, 33), (33, 3), (7, 100), (100, 7), (2, 4097), (4097, 9), (9, 8200)):
            for norm in (1, 2):
                for axis in (0, 1):
                    units(kernels, norm, axis, dtype, rows, cols)


def magnitude(kernels, dtype, n, shift):
    w = typed(dtype, n)
    for norm in (1, 2):
        expected = numpy.empty(n, numpy.float32)
        cpu.score_magnitude(ctypes.c_int32(norm), ctypes.c_int32(dtype), n, w, expected)
        out = Device(numpy.zeros(n, numpy.float32), 1)
        kernels.launch("secateur_score_magnitude", blocks_for(n, 1024), 256, [norm, dtype, n, Device(w, shift), out])
        check_bits(out, expected, f"norm {norm} of {n} of type {dtype} at {shift}")


def gradient(kernels, kind, accumulate, dtype, n, shifts):
    w, g, before = typed(dtype, n), typed(dtype, n, 1), special(n)
    expected = before.copy()
    cpu.score_gradient(ctypes.c_int32(kind), ctypes.c_int32(accumulate), ctypes.c_int32(dtype), n, w, g, expected)
    out = Device(before, shifts[2])
    weights = None if kind == 2 else Device(w, shifts[0])
    kernels.launch("secateur_score_gradient", blocks_for(n, 1024), 256,
                   [kind, accumulate, dtype, n, weights, Device(g, shifts[1]), out])
    check_bits(out, expected, f"score {kind} of {n} of type {dtype}, accumulate {accumulate}, at {shifts}")


def units(kernels, norm, axis, dtype, rows, cols):
    w, count = typed(dtype, rows * cols), (rows, cols)[axis]
    expected = numpy.empty(count, numpy.float32)
    cpu.score_units(ctypes.c_int32(norm), ctypes.c_int32(axis), ctypes.c_int32(dtype), rows, cols, w, expected)
    out = Device(numpy.zeros(count, numpy.float32), 1)
    kernels.launch(("secateur_score_rows", "secateur_score_columns")[axis], blocks_for(count, 8, most=3), 256,
                   [norm, dtype, rows, cols, Device(w, 1), out])
    check_bits(out, expected, f"norm {norm} along axis {axis} of [{rows}, {cols}] of type {dtype}")


main("score", test)
