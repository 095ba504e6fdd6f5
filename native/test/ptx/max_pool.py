"""kernels/max_pool.cu"""
from images import *


def test(kernels):
    for w in WINDOWS:
        for shift in (0, 1):
            pool(kernels, w, shift)


def pool(kernels, w, shift):
    what = f"largest values of {w.kernel()[:]} at {shift}"
    x, dy = image(w.inputs()), normal(w.outputs())
    y, places = numpy.empty_like(dy), numpy.empty(dy.size, numpy.int32)
    cpu.max_pool(w, x, y, places)
    values, winners = Device(numpy.zeros_like(y), shift), Device(numpy.zeros_like(places), shift)
    for to in (None, winners):
        kernels.launch("secateur_max_pool", blocks_for(dy.size, 256, most=2), 256,
                       [packed(w), w.planes(), Device(x, shift), values, to])
        check_bits(values, y, what)
    check_bits(winners, places, what)
    dx = numpy.empty_like(x)
    cpu.max_pool_grad(w, dy, places, dx)
    out = Device(numpy.zeros_like(x), shift)
    kernels.launch("secateur_max_pool_grad", blocks_for(x.size, 256, most=2), 256,
                   [packed(w), w.planes(), Device(dy, shift), winners, out])
    check_bits(out, dx, what)


main("max_pool", test)
