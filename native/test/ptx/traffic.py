"""What kernels move: PTX on the emulator, the checked simulator, and the floors of the head comments.

sim_traffic (native/test/traffic.cpp) runs operations on the checked simulator, which counts the bytes of every thread's
accesses. Here the same kernels run in the same geometry on the emulator, which counts 32-byte sectors, each once for a
request of a warp. Arrays are aligned, so where every array passes once both are the floor, to the byte. Beyond it
stand, also exactly,

  what threads share   scalars that every thread loads, mask words that eight threads take four bits each of: an access
                       for each thread, but a sector for each warp, and found in the caches;
  small stores         words stored one by one: four bytes, but a sector each.

At a ragged end threads of one warp go separate ways, which may cost the emulator, not the simulator, up to RAGGED bytes
an array. Selections gather and scatter: their totals are compared, within the bounds of SELECTIONS.
"""
import functools

import selection
from common import *
from optimizer import Adam, Sgd, device_struct

BUILD = LIBRARY.resolve().parents[1]
THREADS, SECTOR = 256, 32
WARPS = THREADS // 32
ROW = 256  # elements of a row
RAGGED = 4 * SECTOR
# The emulator's bytes, read and written, over the simulator's: scores go by whole sectors, but samples, counters and
# entries of lists are counted a sector each where the simulator counts two to eight bytes.
SELECTIONS = {"select": (1.0, 1.25), "select_fallback": (1.0, 1.15)}


def sectors(count):
    return -(-count // SECTOR) * SECTOR


class Beyond:
    """Bytes moved beyond the floor: as the simulator counts, by threads, and as the emulator does, by warps."""

    def __init__(self, threads=0, warps=0):
        self.threads, self.warps = threads, warps

    def __add__(self, other):
        return Beyond(self.threads + other.threads, self.warps + other.warps)


def scalars(blocks, size, requests=1):
    """Every thread loads `size` bytes in so many requests."""
    return Beyond(blocks * THREADS * size, blocks * WARPS * requests * SECTOR)


def vector_mask(n):
    """What reading mask words by vectors of four elements adds to the n / 8 bytes of the mask."""
    vectors, loose = n // 4, n % 4
    words = 4 * -(-n // 32)
    return Beyond(4 * (vectors + loose) - words, SECTOR * (-(-vectors // 32) + (loose > 0)) - sectors(words))


class Operation:
    """A kernel file, its launches (kernel, blocks, arguments), and the bytes of each array that must be read and
    written."""

    def __init__(self, file, launches, read, written, more_read=Beyond(), more_written=Beyond()):
        self.file, self.launches, self.read, self.written = file, launches, read, written
        self.more_read, self.more_written = more_read, more_written


def operations(n, blocks_of):
    """By the names that sim_traffic prints."""
    b, size, f32 = blocks_of(n, 4 * THREADS), 4 * n, numpy.float32
    scalar, state = Device(numpy.zeros(1, f32)), Device(numpy.array([7, 9], numpy.uint64))
    sgd = device_struct(Sgd(0.1, 0.9, 0.01, 0, 2))
    adam = device_struct(Adam(0.1, 0.9, 0.999, 1e-8, 0.01, 0, 0.19, 0.0447))

    def x(dtype=f32):
        return Device(numpy.ones(n, dtype))

    def mask(kept):
        return Device(mask_words(numpy.full(n, kept)))

    def one(file, kernel, args, read, written, more=Beyond()):
        """One launch that reads and writes so many arrays of floats."""
        return Operation(file, [(kernel, b, args)], [size] * read, [size] * written, more)

    result = {
        "fill": one("fill", "fill", [f32(2), n, x()], 0, 1),
        "relu": one("unary", "unary", [0, f32(0), n, x(), x()], 1, 1),
        "relu_grad": one("unary", "unary_grad", [0, f32(0), n, x(), x(), x(), x()], 2, 1),
        "add": one("binary", "binary", [0, n, x(), 1, x(), 1, x()], 2, 1),
        "mse_grad": one("mse", "mse_grad", [n, x(), x(), scalar, x()], 2, 1, scalars(b, 4)),
        "gates": one("gates", "hard_concrete_eval", [n, x(), x()], 1, 1),
        "uniform": one("random", "uniform", [state, 3, n, x()], 0, 1, scalars(b, 16, 2)),
        "dropout": one("random", "dropout", [state, 3, f32(0.5), n, x(), x()], 1, 1, scalars(b, 16, 2)),
        "magnitude": one("score", "score_magnitude", [1, 0, n, x(), x()], 1, 1),
        "magnitude_f16": Operation("score", [("score_magnitude", b, [1, 1, n, x(numpy.uint16), x()])], [2 * n], [size]),
        "taylor": one("score", "score_gradient", [0, 0, 0, n, x(), x(), x()], 2, 1),
        "taylor_accumulated": one("score", "score_gradient", [0, 1, 0, n, x(), x(), x()], 3, 1),
    }
    for masked in (False, True):
        bits, words = mask(True) if masked else None, [4 * -(-n // 32)] if masked else []
        steps = {
            "sgd": one("optimizer", "sgd_step", [n, sgd, x(), x(), x(), bits], 3, 2, scalars(b, 20, 5)),
            "adam": one("optimizer", "adam_step", [n, adam, x(), x(), x(), x(), bits], 4, 3, scalars(b, 32, 8)),
            "soft_threshold": one("soft_threshold", "soft_threshold", [n, scalar, x(), bits], 1, 1, scalars(b, 4)),
            "soft_threshold_adam": one("soft_threshold", "soft_threshold_adam", [n, adam, scalar, x(), x(), bits], 2, 1,
                                       scalars(b, 16, 4)),
        }
        for name, step in steps.items():
            step.read += words
            step.more_read += vector_mask(n) if masked else Beyond()
            result[name + ("_masked" if masked else "")] = step
    words = 4 * -(-n // 32)
    for name, kept, written in (("mask_apply_pruned", False, [size]), ("mask_apply_kept", True, [])):
        result[name] = Operation("mask", [("mask_apply", b, [n, mask(kept), x()])], [words], written, vector_mask(n))
    result["mask_count"] = count(n, blocks_of(-(-n // 32), THREADS), mask(True), None, [words], Beyond())
    # A warp takes a word: its threads share it.
    result["mask_count_weights"] = count(n, blocks_of(-(-n // 32), WARPS), mask(True), x(), [words, size],
                                         Beyond(31 * words, 8 * words - sectors(words)))
    if n % ROW == 0:
        rows(result, n, blocks_of, x, mask)
    return result


def count(n, blocks, mask, weights, read, more_read):
    """A block stores 16 bytes, which the second launch reads, in two numbers; it stores two."""
    partials, out = Device(numpy.zeros((blocks, 2), numpy.int64)), Device(numpy.zeros(2, numpy.int64))
    launches = [("mask_count", blocks, [n, mask, weights, partials]),
                ("mask_count_total", 1, [blocks, partials, int(weights is not None), out,
                                         numpy.uint64(out.pointer + 8)])]
    return Operation("mask", launches, read, [], more_read + Beyond(16 * blocks, 2 * sectors(16 * blocks)),
                     Beyond(16 * blocks + 16, 2 * SECTOR * (blocks + 1)))


def rows(result, n, blocks_of, x, mask):
    b, count, size, words = blocks_of(n // ROW, WARPS), n // ROW, 4 * n, n // 32
    result["softmax"] = Operation("softmax", [("softmax", b, [count, ROW, x(), x()])], [size], [size])
    result["softmax_grad"] = Operation("softmax", [("softmax_grad", b, [count, ROW, x(), x(), x()])], [size] * 2,
                                       [size])
    # Twice the scores: for NaN, and ranked. A warp stores one word at a time.
    b, nan = blocks_of(words, WARPS), Device(numpy.array([-1], numpy.int64))
    launches = [("nm_nan", blocks_of(n, THREADS), [0, n, x(), None, nan]),
                ("nm_words", b, [0, 0, 2, 4, n, x(), None, mask(True), nan])]
    result["nm"] = Operation("select_nm", launches, [size] * 2, [4 * words], scalars(b, 8),
                             Beyond(0, SECTOR * words - sectors(4 * words)))


def compare(name, n, operation, file, simulated):
    """Returns the emulator's bytes read and written."""
    stats = [file(operation.file).launch("secateur_" + kernel, blocks, THREADS, args)
             for kernel, blocks, args in operation.launches]
    emulated = [sum(s.load_bytes for s in stats), sum(s.store_bytes for s in stats)]
    sides = (("read", operation.read, operation.more_read), ("written", operation.written, operation.more_written))
    for (word, arrays, more), of_simulator, of_emulator in zip(sides, simulated, emulated):
        wanted = sum(arrays) + more.threads
        check(of_simulator == wanted, f"{name} of {n}: the simulator counts {of_simulator} bytes {word}, not {wanted}: "
              f"{arrays} and {more.threads} beyond")
        wanted = sum(map(sectors, arrays)) + more.warps
        slack = len(arrays) * RAGGED if n % (4 * THREADS) else 0
        check(wanted <= of_emulator <= wanted + slack, f"{name} of {n}: the emulator counts {of_emulator} bytes "
              f"{word}, not {wanted}: {arrays} and {more.warps} beyond")
    return emulated


def scores(n):
    """As traffic.cpp makes them."""
    mixed = numpy.arange(n, dtype=numpy.uint32) * numpy.uint32(2654435761)
    return (mixed >> 8).astype(numpy.float32) - numpy.float32(8388608)


def select(name, n, kernels, multiprocessors, simulated):
    tiles = -(-n // selection.TILE_ELEMENTS)
    blocks = min(max(-(-tiles // 4), 1), 4 * multiprocessors)
    selection.run(kernels, name, [selection.Tensor(scores(n))], [n // 2], force=name == "select_fallback",
                  blocks=blocks)
    emulated, total = selection.select.moved, sum(simulated)
    low, high = SELECTIONS[name]
    check(low <= emulated / total <= high,
          f"{name} of {n}: {emulated} bytes in sectors beside {total} of the simulator, not within {low} to {high}")
    return emulated


def simulate():
    """{(name, n): (read, written)} by sim_traffic, and {"multiprocessors": ...} of the simulator."""
    tool = needed(BUILD / "native/test/sim_traffic", "sim_traffic", "build the preset release with the simulator")
    run = subprocess.run([str(tool)], stdout=subprocess.PIPE, text=True, env=os.environ | {
        "LD_LIBRARY_PATH": f"{BUILD}/sim/checked:{BUILD}/sim", "SECATEUR_SIM_SEED": "0"})
    check(run.returncode == 0, f"sim_traffic ends with {run.returncode}: {run.stdout}")
    result, about = {}, {}
    for name, n, *counted in map(str.split, run.stdout.splitlines()):
        if counted:
            result[name, int(n)] = tuple(map(int, counted))
        else:
            about[name] = int(n)
    check(about["checked"] == 1, "sim_traffic did not meet the checked simulator, which alone counts accesses")
    return result, about


def test(architecture, simulated, multiprocessors):
    """Compares all that sim_traffic measured; returns how much that was."""
    selecting = {stem: KernelFile("select_" + stem, architecture) for stem in selection.FILES}
    left, largest = dict(simulated), max(n for name, n in simulated if name == "fill")

    @functools.cache
    def file(stem):
        return KernelFile(stem, architecture)

    def blocks_of(items, items_per_block):  # native/cuda/grid.h
        return min(-(-items // items_per_block), 8 * multiprocessors)

    print(f"{architecture}: bytes read and written an element, simulator | emulator")
    for n in sorted({n for name, n in simulated if name == "fill"}):
        for name, operation in operations(n, blocks_of).items():
            counted = left.pop((name, n))
            by_sectors = compare(name, n, operation, file, counted)
            if n == largest:
                print(f"  {name:26}{counted[0] / n:8.3f}{counted[1] / n:8.3f}  |"
                      f"{by_sectors[0] / n:8.3f}{by_sectors[1] / n:8.3f}")
    for name, n in [key for key in left if key[0] in SELECTIONS]:
        counted = left.pop((name, n))
        total = select(name, n, selecting, multiprocessors, counted)
        print(f"  {name + ' of ' + str(n):26}{sum(counted) / n:8.3f} in all  |{total / n:8.3f} in all")
    check(not left, f"not compared: {sorted(left)}")
    return len(simulated)


def main_traffic():
    simulated, about = simulate()
    for architecture in ARCHITECTURES:
        start = time.time()
        alike = test(architecture, simulated, about["multiprocessors"])
        print(f"traffic {architecture}: {alike} measurements alike in {time.time() - start:.1f} s")


if __name__ == "__main__":
    main_traffic()
