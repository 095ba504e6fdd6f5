"""kernels/mse.cu"""
from common import *


def test(kernels):
    for n in EDGE_SIZES[1:]:
        for shifts in ((0, 0, 0), (1, 1, 1), (0, 1, 2)):
            one(kernels, n, shifts)


def one(kernels, n, shifts):
    what, dloss = f"mse of {n} at {shifts}", numpy.array([-1.25], numpy.float32)
    x, t = normal(n) * numpy.float32(3), normal(n)
    tiles = -(-n // TILE)
    sums = Device(numpy.zeros(tiles, numpy.float32))
    divisor = n if tiles == 1 else 1
    kernels.launch("secateur_mse", blocks_for(tiles, 4, most=3), 128,
                   [n, Device(x, shifts[0]), Device(t, shifts[1]), numpy.float32(divisor), sums])
    expected = numpy.empty(tiles, numpy.float32)
    for tile in range(tiles):  # the loss of a tile is its sum divided by its elements: sum the squares instead
        squares = (x[tile * TILE:][:TILE] - t[tile * TILE:][:TILE])**2
        cpu.reduce_sum(ctypes.c_int32(1), numpy.array([squares.size], numpy.int64), ctypes.c_uint32(1), squares,
                       expected[tile:])
    check_bits(sums, expected / numpy.float32(divisor), what)
    if tiles == 1:
        loss = numpy.empty(1, numpy.float32)
        cpu.mse(n, x, t, loss)
        check_bits(sums, loss, what + ", the loss")

    x, t = special(n), special(n)
    dx = numpy.empty_like(x)
    cpu.mse_grad(n, x, t, dloss, dx)
    result = Device(numpy.zeros_like(x), shifts[2])
    kernels.launch("secateur_mse_grad", blocks_for(n, 1024), 256,
                   [n, Device(x, shifts[0]), Device(t, shifts[1]), Device(dloss), result])
    check_bits(result, dx, what + ", derivative")


main("mse", test)
