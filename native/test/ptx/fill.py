"""kernels/fill.cu"""
from common import *


def test(kernels):
    for n in EDGE_SIZES:
        for shift in (0, 1, 3):
            dst = Device(numpy.zeros(n, numpy.float32), shift)
            kernels.launch("secateur_fill", blocks_for(n, 1024), 256, [numpy.float32(-2.5), n, dst])
            expected = numpy.empty(n, numpy.float32)
            cpu.fill(-2.5, n, expected)
            check_bits(dst, expected, f"fill of {n} at {shift}")


main("fill", test)
