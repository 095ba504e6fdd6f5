"""kernels/gates.cu"""
from common import *


def test(kernels):
    state = numpy.array([2**63 + 11, 3], numpy.uint64)
    for n in EDGE_SIZES:
        for shifts in ((0, 0), (1, 1), (0, 3)):
            one(kernels, state, n, shifts)
        if n > 0:
            expected_gates(kernels, n, shift=n & 1)


def logits(n):
    """Gates clamped at both ends and between, and special values."""
    x = normal(n) * numpy.float32(4)
    some = random.random(n) < 0.05
    x[some] = random.choice(SPECIAL, int(some.sum()))
    return x


def one(kernels, state, n, shifts):
    salt, blocks = 77, blocks_for(n, 1024)
    log_alpha, dz = logits(n), special(n)
    z, slope, still = (numpy.empty_like(dz) for _ in range(3))
    cpu.hard_concrete(state, ctypes.c_uint64(salt), n, log_alpha, z)
    cpu.hard_concrete_grad(state, ctypes.c_uint64(salt), n, log_alpha, dz, slope)
    cpu.hard_concrete_eval(n, log_alpha, still)
    head, source = [Device(state), salt, n], Device(log_alpha, shifts[0])
    result = Device(numpy.zeros_like(dz), shifts[1])
    kernels.launch("secateur_hard_concrete", blocks, 256, head + [source, result])
    check_bits(result, z, f"{n} gates at {shifts}")
    in_place = Device(dz, shifts[1])
    kernels.launch("secateur_hard_concrete_grad", blocks, 256, head + [source, in_place, in_place])
    check_bits(in_place, slope, f"derivative of {n} gates at {shifts}, in place")
    result = Device(numpy.zeros_like(dz), shifts[1])
    kernels.launch("secateur_hard_concrete_eval", blocks, 256, [n, source, result])
    check_bits(result, still, f"{n} gates without noise at {shifts}")


def expected_gates(kernels, n, shift):
    log_alpha, scale, slope = normal(n) * numpy.float32(4), numpy.array([0.375], numpy.float32), normal(n)
    for with_slope in (False, True):
        tiles = -(-n // TILE)
        sums, result = Device(numpy.zeros(tiles, numpy.float32)), Device(slope, shift)
        kernels.launch("secateur_hard_concrete_l0", blocks_for(tiles, 4, most=3), 128,
                       [n, Device(log_alpha), Device(scale) if with_slope else None, result if with_slope else None,
                        sums])
        expected, total = slope.copy(), numpy.empty(tiles, numpy.float32)
        for tile in range(tiles):
            part = slice(tile * TILE, min(n, (tile + 1) * TILE))
            cpu.hard_concrete_l0(part.stop - part.start, log_alpha[part], scale, total[tile:],
                                 expected[part] if with_slope else None)
        check_bits(sums, total, f"expected gates of the tiles of {n}")
        check_bits(result, expected, f"derivative of the expected gates of {n}, given {with_slope}")


main("gates", test)
