"""kernels/random.cu"""
from common import *


def test(kernels):
    state = numpy.array([0x0123456789abcdef, 2**33 + 7], numpy.uint64)
    for n in EDGE_SIZES:
        for shifts in ((0, 0), (1, 1), (0, 3)):
            one(kernels, state, n, shifts)


def one(kernels, state, n, shifts):
    salt, ratio, blocks = 2**40 + 5, 0.3, blocks_for(n, 1024)
    x = special(n)
    u, y = numpy.empty_like(x), numpy.empty_like(x)
    cpu.uniform(state, ctypes.c_uint64(salt), n, u)
    cpu.dropout(state, ctypes.c_uint64(salt), ratio, n, x, y)
    result = Device(numpy.zeros_like(x), shifts[1])
    kernels.launch("secateur_uniform", blocks, 256, [Device(state), salt, n, result])
    check_bits(result, u, f"{n} uniforms at {shifts}")
    head = [Device(state), salt, numpy.float32(ratio), n]
    result = Device(numpy.zeros_like(x), shifts[1])
    kernels.launch("secateur_dropout", blocks, 256, head + [Device(x, shifts[0]), result])
    check_bits(result, y, f"dropout of {n} at {shifts}")
    in_place = Device(x, shifts[0])
    kernels.launch("secateur_dropout", blocks, 256, head + [in_place, in_place])
    check_bits(in_place, y, f"dropout of {n} in place")


main("random", test)
