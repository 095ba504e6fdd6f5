"""kernels/binary.cu"""
from common import *


class Broadcast(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int32), ("shape", ctypes.c_int64 * 8), ("a", ctypes.c_int64 * 8),
                ("b", ctypes.c_int64 * 8)]


def broadcast(axes):
    """axes: (extent, stride of a, stride of b), outermost first."""
    result = Broadcast(rank=len(axes))
    for d, (result.shape[d], result.a[d], result.b[d]) in enumerate(axes):
        pass
    return result


def test(kernels):
    for op in range(4):
        for n in EDGE_SIZES if op == 0 else (33, 4097):
            for dense in ((1, 1), (1, 0), (0, 1), (0, 0)):
                for shifts in ((0, 0, 0), (3, 3, 3), (0, 1, 2)):
                    flat(kernels, op, n, dense, shifts)
        for rows, cols in ((1, 1), (7, 1), (5, 3), (33, 10), (64, 128), (101, 257)):
            for shift in (0, 1, 2):
                bias(kernels, op, rows, cols, shift)
        for axes in ([(5, 3, 1), (3, 1, 5)],  # a dense, b transposed
                     [(2, 0, 12), (3, 4, 0), (4, 1, 1)], [(6, 35, 0), (7, 5, 1), (5, 1, 0)],
                     [(2, 0, 1)] + [(2, 2 ** d, 3 * d) for d in range(7)], [(300, 1, 7), (70, 300, 0)],
                     [(9, 35, 1), (3, 0, 9), (7, 5, 0), (5, 1, 27)]):
            strided(kernels, op, axes)


def flat(kernels, op, n, dense, shifts):
    a, b = (special(n if is_dense else 1) for is_dense in dense)
    expected = numpy.empty(n, numpy.float32)
    cpu.binary(ctypes.c_int32(op), broadcast([(n, *dense)]), a, b, expected)
    out = Device(numpy.zeros(n, numpy.float32), shifts[2])
    kernels.launch("secateur_binary", blocks_for(n, 1024), 256,
                   [op, n, Device(a, shifts[0]), dense[0], Device(b, shifts[1]), dense[1], out])
    check_bits(out, expected, f"operator {op} of {n}, dense {dense}, at {shifts}")


def bias(kernels, op, rows, cols, shift):
    matrix, vector, n = special(rows * cols), special(cols), rows * cols
    for vector_first in (0, 1):
        axes = [(rows, cols, 0), (cols, 1, 1)]
        expected = numpy.empty(n, numpy.float32)
        if vector_first:
            cpu.binary(ctypes.c_int32(op), broadcast([(e, b, a) for e, a, b in axes]), vector, matrix, expected)
        else:
            cpu.binary(ctypes.c_int32(op), broadcast(axes), matrix, vector, expected)
        out = Device(matrix, shift)  # in place
        kernels.launch("secateur_binary_bias", blocks_for(n, 1024), 256,
                       [op, n, cols, out, Device(vector, 1), vector_first, out])
        check_bits(out, expected, f"operator {op} of [{rows}, {cols}] and [{cols}] at {shift}, first {vector_first}")


def strided(kernels, op, axes):
    n = int(numpy.prod([extent for extent, _, _ in axes]))
    a, b = (special(1 + sum((axis[0] - 1) * axis[i] for axis in axes)) for i in (1, 2))
    expected = numpy.empty(n, numpy.float32)
    cpu.binary(ctypes.c_int32(op), broadcast(axes), a, b, expected)
    out = Device(numpy.zeros(n, numpy.float32))
    blocks = blocks_for(n, 256, most=2)
    kernels.launch("secateur_binary_strided", blocks, 256,
                   [op, n, strides(8, axes[::-1], blocks * 256), Device(a), Device(b), out])
    check_bits(out, expected, f"operator {op} of {axes}")


main("binary", test)
