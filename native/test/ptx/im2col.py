"""kernels/im2col.cu"""
from images import *


def test(kernels):
    for w in WINDOWS:
        for shift in (0, 1):
            columns(kernels, w, shift)


def columns(kernels, w, shift):
    rows = w.kernel_h * w.kernel_w
    x, matrix = image(w.inputs()), normal(w.outputs() * rows)
    for name, source, n in (("im2col", x, matrix.size), ("col2im", matrix, x.size)):
        expected = numpy.empty(n, numpy.float32)
        getattr(cpu, name)(w, source, expected)
        out = Device(numpy.zeros(n, numpy.float32), shift)
        kernels.launch("secateur_" + name, (2, min(2, w.channels)), 256,
                       [packed(w), w.batch, w.channels, Device(source, shift), out])
        check_bits(out, expected, f"{name} of {w.kernel()[:]} at {shift}")


main("im2col", test)
