"""kernels/select_*.cu: the launches of a selection, as native/cuda/select.cpp makes them, against a sort.

Prints the bytes that the kernels moved, by access, as a multiple of the least (scores read once, masks written once),
and how often scores scaled by rows, columns or filters fall back.
"""
from common import *

FILES = ("table", "sample", "pass", "digit", "finish")
TILE_ELEMENTS, TILE_WORDS, UNIT, ONCE = 8192, 256, 256, 64
HEADER_BYTES, GROUP_BYTES, COUNTER_BYTES, DIRECTORY_BYTES = 40, 280, 4 * 16384, 20
NAN32 = 0x7fc00000
GUARD = 0xdeadbeef


class Segment(ctypes.Structure):
    _fields_ = [("scores", ctypes.c_uint64), ("previous", ctypes.c_uint64), ("mask", ctypes.c_uint64),
                ("length", ctypes.c_int64), ("first_element", ctypes.c_int64), ("first_tile", ctypes.c_uint32),
                ("group", ctypes.c_int32), ("id", ctypes.c_int32), ("list_start", ctypes.c_uint32)]


class Table(ctypes.Structure):
    _fields_ = [("segments", Segment * ONCE)]


class Select(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in
                ("header", "groups", "counters", "segments", "row_ties", "row_counts", "directory", "drafts", "lists",
                 "k", "results")] + \
               [("tiles", ctypes.c_uint32), ("blocks", ctypes.c_uint32), ("segment_count", ctypes.c_int32),
                ("group_count", ctypes.c_int32), ("dtype", ctypes.c_int32), ("is_signed", ctypes.c_int32),
                ("force_fallback", ctypes.c_int32), ("reserved", ctypes.c_int32)]


RESULT = numpy.dtype([("pruned", "i8"), ("threshold", "f4"), ("path", "i4"), ("tied", "i8"), ("bytes_read", "i8"),
                      ("nan_segment", "i4"), ("reserved", "i4"), ("nan_index", "i8")])


def capacity(n):
    room = max(n // 32, min(n, 1 << 18))
    return -(-min(room, max(1 << 31, 0)) // UNIT) * UNIT


class Kernels:
    """All files of the selection; counts what the launches move."""

    def __init__(self, architecture):
        self.files = {stem: KernelFile("select_" + stem, architecture) for stem in FILES}
        self.moved = self.launches = 0

    def launch(self, stem, suffix, blocks, args, threads=256, order=0):
        stats = self.files[stem].launch("secateur_select_" + stem + suffix, blocks, threads, args, order)
        self.launches += 1


class Tensor:
    """Scores (f4, f2, or u2 for bf16), a group, whether pruned before; shift: elements past an aligned address."""

    def __init__(self, scores, group=0, shift=0, live=None):
        self.scores, self.group, self.live = scores, group, live
        self.n = scores.size
        self.device = Device(scores, shift)
        words = (self.n + 31) // 32
        self.mask = Device(numpy.full(words, GUARD, numpy.uint32))
        self.previous = None if live is None else Device(mask_words(live))


def keys(scores, dtype, signed):
    bits = scores.view(numpy.uint32 if dtype == 0 else numpy.uint16).astype(numpy.int64)
    top = 31 if dtype == 0 else 15
    magnitude = bits & ((1 << top) - 1)
    return numpy.where(bits >> top != 0, -magnitude, magnitude) if signed else magnitude


def infinity(dtype):
    return (0x7f800000, 0x7c00, 0x7f80)[dtype]


def score_of(key, dtype):
    size, sign = abs(int(key)), -1.0 if key < 0 else 1.0
    if dtype == 1:
        return numpy.float32(sign) * numpy.array([size], numpy.uint16).view(numpy.float16).astype(numpy.float32)[0]
    bits = size if dtype == 0 else size << 16
    return numpy.float32(sign) * numpy.array([bits], numpy.uint32).view(numpy.float32)[0]


def expected(tensors, dtype, signed, k):
    """Kept flags by tensor, and by group (pruned, threshold, tied): by sorting."""
    kept = [numpy.ones(t.n, bool) if t.live is None else t.live.copy() for t in tensors]
    results = []
    for g, wanted in enumerate(k):
        mine = [i for i, t in enumerate(tensors) if t.group == g]
        live = numpy.concatenate([kept[i] for i in mine] + [numpy.zeros(0, bool)])
        key = numpy.concatenate([keys(tensors[i].scores, dtype, signed) for i in mine] + [numpy.zeros(0, numpy.int64)])
        dead = int((~live).sum())
        rank = max(0, int(wanted) - dead)
        threshold, tied = numpy.float32(numpy.nan), 0
        if rank:
            where = numpy.flatnonzero(live)[::-1]  # of equal keys the last go first
            where = where[numpy.argsort(key[where], kind="stable")][:rank]
            live = live.copy()
            last = key[where[-1]]
            tied = int((live & (key == last)).sum())
            live[where] = False
            threshold = score_of(last, dtype)
            at = 0
            for i in mine:
                kept[i] = live[at:at + tensors[i].n]
                at += tensors[i].n
        results.append((dead + rank, threshold, tied))
    return kept, results


def select(kernels, tensors, k, dtype=0, signed=False, force=False, blocks=8, order=0, in_place=False):
    """Results; the masks are in the tensors."""
    if in_place:
        for t in tensors:
            if t.live is not None:
                t.mask.array[:] = t.previous.array
    suffix = "_32" if dtype == 0 else "_16"
    groups = len(k)
    lengths = [sum(t.n for t in tensors if t.group == g) for g in range(groups)]
    starts, at = [], 0
    for n in lengths:
        starts.append(at // UNIT)
        at += capacity(n) if n else 0
    ordered = sorted((t.group, i) for i, t in enumerate(tensors) if t.n)
    segments, tiles, element, before = [], 0, 0, -1
    for group, i in ordered:
        t = tensors[i]
        element = element if group == before else 0
        before = group
        mask = t.mask.pointer
        previous = 0 if t.live is None else mask if in_place else t.previous.pointer
        segments.append(Segment(t.device.pointer, previous, mask, t.n, element, tiles, group, i, starts[group]))
        tiles += -(-t.n // TILE_ELEMENTS)
        element += t.n
    blocks = max(1, min(blocks, tiles))
    zeroed = numpy.zeros

    def space(count, fill=0xA5):
        return Device(numpy.full(int(count), fill, numpy.uint8))

    parts = {"header": space(HEADER_BYTES, 0), "groups": space(GROUP_BYTES * groups, 0),
             "counters": space(COUNTER_BYTES * groups, 0), "segments": space(56 * len(segments)),
             "row_ties": space(8 * (blocks + groups)), "row_counts": space(4096 * (blocks + groups)),
             "directory": space(DIRECTORY_BYTES * tiles), "drafts": space(4 * TILE_WORDS * tiles),
             "lists": space(2 * at), "k": Device(numpy.array(k, numpy.int64)),
             "results": Device(numpy.zeros(groups, RESULT).view(numpy.uint8))}
    s = Select(tiles=tiles, blocks=blocks, segment_count=len(segments), group_count=groups, dtype=dtype,
               is_signed=int(signed), force_fallback=int(force), **{n: d.pointer for n, d in parts.items()})
    total = 0

    def launch(stem, grid, *args, threads=256, suffix=suffix):
        nonlocal total
        stats = kernels[stem].launch("secateur_select_" + stem + suffix, grid, threads, [s, *args], order,
                                      hands_over=stem != "table")
        total += moved(stats)

    for first in range(0, len(segments), ONCE):
        count = min(ONCE, len(segments) - first)
        table = Table()
        for i in range(count):
            table.segments[i] = segments[first + i]
        launch("table", 1, table, first, count, segments[first - 1].group if first else -1,
               segments[first + count].group if first + count < len(segments) else -1, threads=ONCE, suffix="")
    strata = max([1] + [min(1 << 14, max(512, n // 768)) for n in lengths])
    launch("sample", (-(-strata // 1024), max(1, groups)))
    launch("pass", blocks)
    for stage in range(3):
        launch("digit", blocks, stage)
    launch("finish", blocks)
    results = parts["results"].buffer.np.view(RESULT)[:groups].copy()
    select.moved = total
    return results


def moved(stats):
    """Bytes, by 32-byte sectors of each warp's request; an atomic counts as four read and four written."""
    return stats.load_bytes + stats.store_bytes + 8 * stats.atomics


def run(kernels, what, tensors, k, dtype=0, signed=False, **options):
    """Checks masks and results; returns (traffic ratio, results)."""
    results = select(kernels, tensors, k, dtype, signed, **options)
    what = f"{what}, k {list(k)}, dtype {dtype}, {'signed' if signed else 'abs'}, {options}"
    kept, wanted = expected(tensors, dtype, signed, k)
    for i, t in enumerate(tensors):
        check_bits(t.mask, mask_words(kept[i]), f"{what}: mask {i}")
    for g, (pruned, threshold, tied) in enumerate(wanted):
        r = results[g]
        same = r["threshold"] == threshold or (numpy.isnan(r["threshold"]) and numpy.isnan(threshold))
        check(r["pruned"] == pruned and same and r["tied"] == tied, f"{what}: group {g} is {r}, not {wanted[g]}")
        check((r["path"] == 0) == bool(numpy.isnan(threshold)), f"{what}: path {r['path']}")
        check(r["nan_segment"] == -1 and r["nan_index"] == -1, what)
    n = sum(t.n for t in tensors)
    least = n * (4 if dtype == 0 else 2) + n / 8
    return select.moved / max(least, 1), results


def draws(n):
    """Scores of many kinds, by name."""
    x = normal(n)
    index = numpy.arange(n)
    signs = numpy.where(random.random(n) < 0.5, -1, 1).astype(numpy.float32)
    tiny = numpy.float32(1e-45)
    bits = random.integers(0, 1 << 32, n, numpy.uint64).astype(numpy.uint32).view(numpy.float32)
    return {
        "normal": x,
        "all equal": numpy.full(n, -0.5, numpy.float32),
        "zeros of both signs": numpy.where(index % 3 == 0, -0.0, 0.0).astype(numpy.float32),
        "60 % zeros": numpy.where(random.random(n) < 0.6, 0, x).astype(numpy.float32),
        "two values": numpy.where(random.random(n) < 0.3, 1, -2).astype(numpy.float32),
        "few values": random.integers(-8, 9, n).astype(numpy.float32),
        "denormals": random.integers(-50000, 50000, n).astype(numpy.float32) * tiny,
        "infinities": numpy.where(index % 8 == 0, numpy.inf, numpy.where(index % 8 == 1, -numpy.inf, x)).astype(
            numpy.float32),
        "any bits": numpy.where(numpy.isnan(bits), 0, bits).astype(numpy.float32),
        "sorted": (index - n // 2).astype(numpy.float32),
        "falling": (1 / (index + 1)).astype(numpy.float32),
        "in one bin": (1 + random.integers(0, 40, n) * numpy.float32(2**-23)).astype(numpy.float32) * signs,
        "in one bin, dense": (1 + random.random(n) * numpy.float32(2**-12)).astype(numpy.float32) * signs,
        "tie in the middle": numpy.where(random.random(n) < 0.5, 0.7, x).astype(numpy.float32),
        "of 8 bits": (numpy.round(x * 40).clip(-127, 127) / 40).astype(numpy.float32),
    }


def halves(x, dtype):
    if dtype == 0:
        return x
    with numpy.errstate(over="ignore"):
        if dtype == 1:
            return x.astype(numpy.float16)
    return (x.view(numpy.uint32) >> 16).astype(numpy.uint16)  # bf16, rounded toward zero


def some_live(n):
    """Pruned before: a share that differs from word to word."""
    return random.integers(0, 4, n) > numpy.arange(n) // 32 % 5 - 1


def with_dead_nan(x, live):
    x = x.copy()
    x[~live & (numpy.arange(n_of(x)) % 3 == 0)] = numpy.nan
    return x


def n_of(x):
    return x.size


def ranks(n):
    return sorted({0, 1 % (n + 1), n // 2, max(n - 1, 0), n})


def small(kernels):
    for n in (0, 1, 2, 31, 32, 33, 8191, 8193, 20011):
        all_draws = draws(n)
        for d, (name, x) in enumerate(all_draws.items()):
            if n > 33 and (d + n) % 4:
                continue
            for signed in (False, True):
                dtype = (d + n + signed) % 3
                live = some_live(n) if (d + signed) % 3 == 0 else None
                y = x if live is None else with_dead_nan(x, live)
                k = ranks(n)
                k = [k[(d + signed) % len(k)]] if n > 33 else k
                for one in k:
                    run(kernels, name, [Tensor(halves(y, dtype), shift=d % 4, live=live)], [one], dtype, signed,
                        order=d % 4, in_place=d % 2 == 0)


def large(kernels):
    """Beyond kMinSampled: the sample, the pass and the fallback at work."""
    for n in (65536, 150001, 600011):
        for d, (name, x) in enumerate(draws(n).items()):
            if n > 65536 and (d + n) % 3:
                continue
            for signed in (False, True):
                dtype = 0 if (d + signed) % 3 else 1 + d % 2
                live = some_live(n) if (d + signed) % 4 == 0 else None
                y = x if live is None else with_dead_nan(x, live)
                k = (n // 2, n // 10, n - 3, int(random.integers(0, n + 1)))[(d + 2 * signed) % 4]
                run(kernels, name, [Tensor(halves(y, dtype), shift=d % 5, live=live)], [k], dtype, signed,
                    force=(d + signed) % 5 == 0, blocks=1 + d, in_place=d % 2 == 0, order=d % 3)


def grouped(kernels):
    for turn in range(6):
        groups, tensors = 1 + turn % 4, []
        for t in range(3 + 25 * (turn % 3) + 20 * (turn == 5)):  # once more than a table holds
            n = int(random.integers(0, 3) if t % 3 == 0 else random.integers(0, 60000 if t % 7 == 1 else 3000))
            x = list(draws(n).values())[t % 15]
            live = some_live(n) if t % 2 else None
            y = x if live is None else with_dead_nan(x, live)
            tensors.append(Tensor(y, int(random.integers(0, groups)), t % 4, live))
        sizes = [sum(t.n for t in tensors if t.group == g) for g in range(groups)]
        k = [int(random.integers(0, n + 1)) for n in sizes]
        run(kernels, "groups", tensors, k, 0, turn % 2 == 1, blocks=13, order=turn, in_place=turn % 2 == 0)
    # Equal scores everywhere: the last segments go first. Below the number of dead ones all those stay pruned.
    tied = [Tensor(numpy.full(30000, 3, numpy.float32), 0, t) for t in range(4)]
    for k in (1, 29999, 30001, 75000, 120000):
        run(kernels, "tied segments", tied, [k])
    dead = [Tensor(normal(70000), 0, 0, numpy.arange(70000) % 2 == 0)]
    for k in (0, 17, 35000, 35001, 70000):
        run(kernels, "k around the dead", dead, [k])


def nan(kernels):
    for n in (1, 33, 9000, 100000):
        for force in (False, True):
            for dtype in (0, 1, 2):
                x = [halves(normal(n), dtype) for _ in range(3)]
                first = int(random.integers(0, n))
                for at in (first, n - 1):
                    x[2][at] = numpy.nan if dtype < 2 else 0xffc1
                tensors = [Tensor(x[0], 0), Tensor(x[1], 1, 1, some_live(n)), Tensor(x[2], 0, 2)]
                results = select(kernels, tensors, [n // 2, n // 2], dtype, True, force, in_place=True)
                what = f"NaN at {first} of {n}, dtype {dtype}, {force}"
                for r in results:
                    check(r["nan_segment"] == 2 and r["nan_index"] == first, f"{what}: {r}")
                    check(r["pruned"] == 0 and numpy.isnan(r["threshold"]), what)
                for t in tensors:
                    before = t.previous.array if t.live is not None else numpy.full((n + 31) // 32, GUARD, numpy.uint32)
                    check_bits(t.mask, before, what + ": the masks")


def test(kernels):
    small(kernels)
    large(kernels)
    grouped(kernels)
    nan(kernels)


def main_selection():
    for architecture in ARCHITECTURES:
        start = time.time()
        kernels = {stem: KernelFile("select_" + stem, architecture) for stem in FILES}
        test(kernels)
        for stem, file in kernels.items():
            check(file.launched == set(file.module.sigs), f"select_{stem}.cu: not all kernels were launched")
        print(f"select_*.cu {architecture}: right in {time.time() - start:.1f} s")


if __name__ == "__main__":
    main_selection()
