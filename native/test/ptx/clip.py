"""kernels/clip.cu"""
from common import *


def test(kernels):
    for n in EDGE_SIZES:
        for shift in (0, 1):
            clip(kernels, n, shift)


def clip(kernels, n, shift):
    low, high = -0.5, 6.0
    x, dy = special(n), special(n)
    y, dx = numpy.empty_like(x), numpy.empty_like(x)
    cpu.clip(low, high, n, x, y)
    cpu.clip_grad(low, high, n, x, dy, dx)
    bounds = [numpy.float32(low), numpy.float32(high), n]
    data, slopes = Device(x, shift), Device(dy, shift)
    out = Device(numpy.zeros_like(x), shift)
    kernels.launch("secateur_clip", blocks_for(n, 1024), 256, [*bounds, data, out])
    check_bits(out, y, f"clipping of {n} at {shift}")
    kernels.launch("secateur_clip_grad", blocks_for(n, 1024), 256, [*bounds, data, slopes, slopes])
    check_bits(slopes, dx, f"gradient of clipping of {n} at {shift}")


main("clip", test)
