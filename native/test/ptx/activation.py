"""kernels/activation.cu"""
from common import *


def test(kernels):
    for dtype in range(3):
        for rows, units in ((1, 1), (3, 33), (33, 3), (100, 7), (4096, 8), (4097, 9), (8200, 2)):
            accumulate(kernels, dtype, rows, units)
    for statistic in range(4):
        for units in (1, 33, 300):
            scores(kernels, statistic, units)


def accumulate(kernels, dtype, rows, units):
    n = rows * units
    x = special(n) if dtype == 0 else numpy.random.default_rng(n).integers(0, 65536, n, numpy.uint16)
    before = numpy.random.default_rng(n).standard_normal((4, units))
    expected = before.copy()
    cpu.activation_accumulate(ctypes.c_int32(dtype), rows, units, x, expected)
    out = Device(before, 1)
    kernels.launch("secateur_activation_accumulate", blocks_for(units, 8, most=3), 256,
                   [dtype, rows, units, Device(x, 1), out])
    check_bits(out, expected, f"sums over [{rows}, {units}] of type {dtype}")


def scores(kernels, statistic, units):
    accumulators = numpy.abs(numpy.random.default_rng(units).standard_normal((4, units))) * 100
    expected = numpy.empty(units, numpy.float32)
    cpu.activation_scores(ctypes.c_int32(statistic), 77, units, accumulators, expected)
    out = Device(numpy.zeros(units, numpy.float32), 1)
    kernels.launch("secateur_activation_scores", blocks_for(units, 256, most=1), 256,
                   [statistic, 77, units, Device(accumulators), out])
    check_bits(out, expected, f"statistic {statistic} of {units}")


main("activation", test)
