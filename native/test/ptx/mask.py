"""kernels/mask.cu"""
from common import *

TENSORS, TILE_OF_MANY = 64, 8192  # kernels/common/masked.h


class MaskedTensors(ctypes.Structure):
    _fields_ = [("mask", ctypes.c_uint64 * TENSORS), ("w", ctypes.c_uint64 * TENSORS),
                ("length", ctypes.c_int64 * TENSORS), ("first_tile", ctypes.c_int64 * (TENSORS + 1)),
                ("count", ctypes.c_int32), ("reserved", ctypes.c_int32)]


def random_mask(n, kept=0.5):
    return mask_words(numpy.random.default_rng(n).random(n) < kept)


def test(kernels):
    for n in EDGE_SIZES:
        for shift in (0, 1, 3):
            for kept in (0, 0.1, 0.5, 1):
                apply(kernels, n, shift, kept)
        count(kernels, n)
    many(kernels, [100, 0, 8192, 8193, 1, 40000, 33])
    many(kernels, [7] * TENSORS)
    for rows, cols in ((1, 1), (3, 5), (7, 31), (31, 7), (5, 32), (40, 100), (1, 1000), (1000, 1), (33, 65)):
        for axis in (0, 1):
            units(kernels, axis, rows, cols)


def apply(kernels, n, shift, kept):
    mask, w = random_mask(n, kept), special(n)
    expected = w.copy()
    cpu.mask_apply(n, mask, expected)
    out = Device(w, shift)
    kernels.launch("secateur_mask_apply", blocks_for(n, 1024), 256, [n, Device(mask), out])
    check_bits(out, expected, f"mask over {n} at {shift}")


def many(kernels, lengths):
    table, held, expected, tile = MaskedTensors(count=len(lengths)), [], [], 0
    for t, n in enumerate(lengths):
        mask, w = random_mask(n), special(n)
        expected.append(w.copy())
        cpu.mask_apply(n, mask, expected[-1])
        held.append((Device(mask), Device(w, t % 4)))
        table.mask[t], table.w[t], table.length[t] = held[-1][0].pointer, held[-1][1].pointer, n
        tile += -(-n // TILE_OF_MANY)
        table.first_tile[t + 1] = tile
    kernels.launch("secateur_mask_apply_many", min(tile, 3), 256, [table])
    for t, n in enumerate(lengths):
        check_bits(held[t][1], expected[t], f"mask {t} of {lengths}")


def count(kernels, n):
    mask, w = random_mask(n), special(n)
    w[::3] = 0
    for weights in (None, w):
        kept, zeros = numpy.zeros(1, numpy.int64), numpy.zeros(1, numpy.int64)
        cpu.mask_count(n, mask, weights, kept, zeros)
        blocks = blocks_for(-(-n // 32), 8, most=5)
        partials = Device(numpy.zeros((max(blocks, 1), 2), numpy.int64))
        out = Device(numpy.full(2, 7, numpy.int64))
        kernels.launch("secateur_mask_count", blocks, 256,
                       [n, Device(mask), None if weights is None else Device(weights, 1), partials])
        kernels.launch("secateur_mask_count_total", 1, 256,
                       [blocks, partials, int(weights is not None), out, numpy.uint64(out.pointer + 8)])
        check(out.array.tolist() == [kept[0], zeros[0]], f"counts of {n}: {out.array} for {kept}, {zeros}")


def units(kernels, axis, rows, cols):
    keep, mask = random_mask((rows, cols)[axis], 0.7), random_mask(rows * cols)
    expected = mask.copy()
    cpu.mask_units(ctypes.c_int32(axis), rows, cols, keep, expected)
    out = Device(mask)
    kernels.launch("secateur_mask_units", blocks_for(len(mask), 256, most=2), 256,
                   [axis, rows, cols, Device(keep), out])
    check_bits(out, expected, f"units along axis {axis} of [{rows}, {cols}]")


main("mask", test)
