"""kernels/compress.cu"""
from common import *


class Matrix(ctypes.Structure):  # secateur_matrix
    _fields_ = [("out", ctypes.c_int64), ("inputs", ctypes.c_int64), ("transposed", ctypes.c_int32),
                ("by_input", ctypes.c_int32), ("block_rows", ctypes.c_int32), ("block_cols", ctypes.c_int32),
                ("keep_zeros", ctypes.c_int32)]


class Layout(ctypes.Structure):  # kernels/common/layout.h
    _fields_ = [("rows", ctypes.c_int64), ("cols", ctypes.c_int64), ("row_stride", ctypes.c_int64),
                ("col_stride", ctypes.c_int64), ("height", ctypes.c_int32), ("width", ctypes.c_int32),
                ("keep_zeros", ctypes.c_int32)]


def test(kernels):
    for out, inputs in ((1, 1), (4, 8), (33, 70), (70, 33), (1100, 4)):
        for transposed in (0, 1):
            for by_input in (0, 1):
                for density in (0, 0.2, 1):
                    for keep_zeros in (0, 1):
                        compress(kernels, Matrix(out, inputs, transposed, by_input, 1, 1, keep_zeros), density)
    for by_input in (0, 1):
        for block in ((4, 1), (1, 8), (3, 5)):
            extents = (block[0] * 7, block[1] * 9)[::-1 if by_input else 1]
            for transposed in (0, 1):
                compress(kernels, Matrix(*extents, transposed, by_input, *block), 0.1)


def compress(kernels, matrix, density):
    n, random = matrix.out * matrix.inputs, numpy.random.default_rng(matrix.out + 7 * matrix.transposed)
    w = random.standard_normal(n).astype(numpy.float32)
    w[random.random(n) >= density] = 0
    mask = mask_words(random.random(n) < 0.8) if density < 1 else None
    what = f"[{matrix.out}, {matrix.inputs}] {matrix.transposed} {matrix.by_input} {density}"
    rows, cols = (matrix.inputs, matrix.out) if matrix.by_input else (matrix.out, matrix.inputs)
    neighbours = matrix.by_input == matrix.transposed
    layout = Layout(rows // matrix.block_rows, cols // matrix.block_cols, cols if neighbours else 1,
                    1 if neighbours else rows, matrix.block_rows, matrix.block_cols,
                    matrix.keep_zeros if mask is not None else 0)
    size = numpy.array([1 << 20], numpy.uint64)
    offsets = numpy.zeros(layout.rows + 1, numpy.int32)
    cpu.compress_offsets(matrix, w, mask, offsets, numpy.zeros(1 << 17), size)
    stored, area = int(offsets[-1]), matrix.block_rows * matrix.block_cols
    columns, values = numpy.zeros(stored, numpy.int32), numpy.zeros(stored * area, numpy.float32)
    cpu.compress_fill(matrix, w, mask, offsets, ctypes.c_int32(0), columns, values)

    weights, bits = Device(w, 1), None if mask is None else Device(mask)
    places = Device(numpy.zeros_like(offsets))
    kind = "rows" if neighbours else "columns"
    blocks = blocks_for(layout.rows, 8 if neighbours else 256, most=3)
    kernels.launch("secateur_compress_count_" + kind, blocks, 256, [layout, weights, bits, places])
    kernels.launch("secateur_compress_scan", 1, 1024, [layout.rows, places])
    check_bits(places, offsets, "offsets of " + what)
    own_columns, own_values = Device(numpy.zeros_like(columns)), Device(numpy.zeros_like(values), 1)
    kernels.launch("secateur_compress_fill_" + kind, blocks, 256,
                   [layout, weights, bits, places, own_columns, own_values])
    check_bits(own_columns, columns, "columns of " + what)
    check_bits(own_values, values, "values of " + what)
    doubled, fresh = Device(w * 2), Device(numpy.zeros_like(values))
    kernels.launch("secateur_compress_refresh", blocks_for(layout.rows, 8, most=3), 256,
                   [layout, doubled, bits, places, own_columns, fresh])
    check_bits(fresh, values * 2, "fresh values of " + what)
    if area == 1:
        expected = numpy.zeros_like(w)
        cpu.compress_scatter(matrix, offsets, columns, values, expected)
        back = Device(numpy.zeros_like(w), 3)
        kernels.launch("secateur_compress_scatter", blocks_for(layout.rows, 8, most=3), 256,
                       [layout, places, own_columns, own_values, back])
        check_bits(back, expected, what + " scattered")


main("compress", test)
