"""kernels/gather.cu"""
from common import *


def test(kernels):
    for kernel, unit in (("vectors", 16), ("words", 4), ("bytes", 1)):
        for count, units, src_rows in ((0, 3, 5), (1, 1, 1), (7, 3, 5), (33, 10, 100), (1000, 7, 50)):
            one(kernels, "secateur_gather_" + kernel, unit, count, units, src_rows)


def one(kernels, kernel, unit, count, units, src_rows):
    row = unit * units
    src = random.integers(0, 256, (src_rows, row)).astype(numpy.uint8)
    indices = random.integers(0, src_rows, count).astype(numpy.int32)
    expected, dst = numpy.empty((count, row), numpy.uint8), Device(numpy.zeros((count, row), numpy.uint8))
    cpu.gather_rows(count, ctypes.c_size_t(row), src_rows, src, indices, expected)
    head = [count, units, src_rows, Device(src)]
    blocks = blocks_for(count * units, 256, most=3)
    kernels.launch(kernel, blocks, 256, head + [Device(indices), dst])
    check_bits(dst, expected, f"{kernel}: {count} of {src_rows} rows of {row} bytes")
    if count > 3:  # indices that are no row
        indices[1], indices[2], indices[count - 1] = -1, src_rows, -2**31
        kernels.launch(kernel, blocks, 256, head + [Device(indices), dst])
        expected[[1, 2, count - 1]] = 0xff
        check_bits(dst, expected, f"{kernel}: rows out of range")


main("gather", test)
