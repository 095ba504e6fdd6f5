"""kernels/average_pool.cu"""
from images import *


def test(kernels):
    for w in WINDOWS:
        for count_padding in (0, 1):
            pool(kernels, w, count_padding, count_padding)


def pool(kernels, w, count_padding, shift):
    x, dy = image(w.inputs()), normal(w.outputs())
    for name, source, n in (("average_pool", x, dy.size), ("average_pool_grad", dy, x.size)):
        expected = numpy.empty(n, numpy.float32)
        getattr(cpu, name)(w, ctypes.c_int32(count_padding), source, expected)
        out = Device(numpy.zeros(n, numpy.float32), shift)
        kernels.launch("secateur_" + name, blocks_for(n, 256, most=2), 256,
                       [packed(w), count_padding, w.planes(), Device(source, shift), out])
        check_bits(out, expected, f"{name} of {w.kernel()[:]}, padding counted: {count_padding}")


main("average_pool", test)
