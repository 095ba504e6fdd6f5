"""kernels/unary.cu"""
from common import *

OPERATORS = 12


def test(kernels):
    for op in range(OPERATORS):
        sizes = EDGE_SIZES if op == 0 else (33, 4097)
        for n in sizes:
            for shifts in ((0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 3, 1)):
                one(kernels, op, n, shifts)


def one(kernels, op, n, shifts):
    what = f"operator {op} of {n} at {shifts}"
    alpha, blocks = 0.125, blocks_for(n, 1024)
    head = [op, numpy.float32(alpha), n]
    x, dy = special(n), special(n)
    y, dx = numpy.empty_like(x), numpy.empty_like(x)
    cpu.unary(ctypes.c_int32(op), alpha, n, x, y)
    cpu.unary_grad(ctypes.c_int32(op), alpha, n, x, y, dy, dx)

    result = Device(numpy.zeros_like(x), shifts[1])
    kernels.launch("secateur_unary", blocks, 256, head + [Device(x, shifts[0]), result])
    check_bits(result, y, what)
    in_place = Device(x, shifts[0])
    kernels.launch("secateur_unary", blocks, 256, head + [in_place, in_place])
    check_bits(in_place, y, what + " in place")

    inputs = head + [Device(x, shifts[0]), Device(y, shifts[1])]
    in_place, result = Device(dy, shifts[3]), Device(numpy.zeros_like(dy), shifts[2])
    kernels.launch("secateur_unary_grad", blocks, 256, inputs + [in_place, result])
    check_bits(result, dx, what + ", derivative")
    kernels.launch("secateur_unary_grad", blocks, 256, inputs + [in_place, in_place])
    check_bits(in_place, dx, what + ", derivative in place")


main("unary", test)
