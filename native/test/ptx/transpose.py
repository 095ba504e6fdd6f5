"""kernels/transpose.cu"""
from common import *


def test(kernels):
    for rows, cols in ((1, 1), (1, 40), (31, 33), (32, 32), (64, 96), (65, 100), (3, 500), (130, 257)):
        for shift in (0, 1):
            permute(kernels, [rows, cols], [1, 0], shift)
            tiles(kernels, [rows, cols], shift)
    for shape in ([5, 33, 40], [2, 3, 4]):
        tiles(kernels, shape, 0)
    for perm in ([0, 2, 1], [1, 0, 2], [2, 0, 1], [2, 1, 0]):
        permute(kernels, [5, 7, 9], perm, 1)
    permute(kernels, [2, 3, 2, 3, 2, 3, 2, 5], [7, 1, 5, 3, 4, 2, 6, 0], 0)
    permute(kernels, [6, 5, 16], [1, 0, 2], 0, vectors=True)


def transposed(shape, perm, x):
    expected = numpy.empty(x.size, numpy.float32)
    cpu.transpose(ctypes.c_int32(len(shape)), numpy.array(shape, numpy.int64), numpy.array(perm, numpy.int32), x,
                  expected)
    return expected


def permute(kernels, shape, perm, shift, vectors=False):
    x = special(int(numpy.prod(shape)))
    expected = transposed(shape, perm, x)
    if vectors:
        shape = shape[:-1] + [shape[-1] // 4]
    out = Device(numpy.zeros_like(x), 0 if vectors else 2)
    n, dense = int(numpy.prod(shape)), dense_strides(shape)
    blocks = blocks_for(n, 256, most=1)
    axes = strides(8, [[shape[p], dense[p]] for p in reversed(perm)], blocks * 256)
    kernels.launch("secateur_permute_vectors" if vectors else "secateur_permute", blocks, 256,
                   [n, axes, Device(x, shift), out])
    check_bits(out, expected, f"{shape} permuted by {perm} at {shift}, vectors {vectors}")


def tiles(kernels, shape, shift):
    """[planes..., rows, cols] to [cols, planes..., rows]."""
    planes, (rows, cols) = shape[:-2], shape[-2:]
    x = special(int(numpy.prod(shape)))
    last = len(shape) - 1
    expected = transposed(shape, [last, *range(last)], x)
    count = int(numpy.prod(planes, dtype=numpy.int64))
    axes = [[extent, rows * cols, rows] for extent in planes]
    out = Device(numpy.zeros_like(x), shift)
    units = count * -(-rows // 32) * -(-cols // 32)
    kernels.launch("secateur_transpose_tiles", blocks_for(units, 1), 256,
                   [rows, cols, cols, rows * count, count, strides(8, axes or [[1, 0, 0]], 1), Device(x), out])
    check_bits(out, expected, f"tiles of {shape} at {shift}")


main("transpose", test)
