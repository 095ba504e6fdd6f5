"""Makes mask_rules.safetensors: small weights and the masks (1 kept, 0 pruned) that other tools make of them.

Cases torch-* come from torch.nn.utils.prune itself (PyTorch 1.13). The others are transcriptions, in numpy, of what
the tools publish: TensorFlow Model Optimization pruning_impl (threshold of a descending sort, >=), JaxPruner
mask_calculator (count in single precision, of equal scores the lower index; N:M by ranks of a stable sort), Wanda
lib/prune.py (stable sort of each output's scores) and SparseGPT (sorted scores of 128 columns, <=). They use scores
with many ties. Weights are stored as they are given to Secateur: [out, in, ...], or [in, out] where the name ends so.
"""
import json
import pathlib
import struct

import numpy
import torch
import torch.nn.utils.prune

rng = numpy.random.default_rng(5)
tensors = {}


def normal(*shape):
    return rng.standard_normal(shape).astype(numpy.float32)


def tied(*shape):
    return (numpy.round(normal(*shape) * 2) / 2).astype(numpy.float32)


def add(case, weight, mask):
    tensors[case + ".weight"] = weight
    tensors[case + ".mask"] = numpy.asarray(mask, numpy.float32)


def module(weight):
    m = torch.nn.Module()
    m.weight = torch.nn.Parameter(torch.from_numpy(weight.copy()))
    return m


def torch_cases():
    for amount in (0.25, 0.5, 0.93):
        w = normal(7, 9)
        m = module(w)
        torch.nn.utils.prune.l1_unstructured(m, "weight", amount)
        add(f"torch-l1-{amount}", w, m.weight_mask.numpy())
    a, b = normal(5, 8), normal(3, 5, 2, 2)
    modules = [module(a), module(b)]
    torch.nn.utils.prune.global_unstructured(
        [(m, "weight") for m in modules], torch.nn.utils.prune.L1Unstructured, amount=0.37)
    add("torch-global-0.37-a", a, modules[0].weight_mask.numpy())
    add("torch-global-0.37-b", b, modules[1].weight_mask.numpy())
    for dim in (0, 1):
        w = normal(10, 5, 3, 2)
        m = module(w)
        torch.nn.utils.prune.ln_structured(m, "weight", amount=0.4, n=2, dim=dim)
        add(f"torch-ln-0.4-{dim}", w, m.weight_mask.numpy())


def float_count(n, sparsity):
    return int(max(1, numpy.round(numpy.float32(n) * (numpy.float32(1) - numpy.float32(sparsity)))))


def tfmot(w, sparsity):
    magnitude = numpy.abs(w)
    threshold = numpy.sort(magnitude.ravel())[::-1][float_count(w.size, sparsity) - 1]
    return magnitude >= threshold


def jaxpruner(w, sparsity):
    order = numpy.argsort(-numpy.abs(w).ravel(), kind="stable")
    mask = numpy.zeros(w.size, bool)
    mask[order[:float_count(w.size, sparsity)]] = True
    return mask.reshape(w.shape)


def jaxpruner_nm(w, n, m):
    """Along the last axis."""
    scores = numpy.abs(w).reshape(-1, m)
    ranks = numpy.argsort(numpy.argsort(scores, 1, kind="stable"), 1, kind="stable")
    return (ranks >= m - n).reshape(w.shape)


def wanda(scores, sparsity):
    mask = numpy.ones(scores.shape, bool)
    order = numpy.argsort(scores, 1, kind="stable")
    numpy.put_along_axis(mask, order[:, :int(scores.shape[1] * sparsity)], False, 1)
    return mask


def sparsegpt(scores, sparsity):
    mask = numpy.ones(scores.shape, bool)
    for first in range(0, scores.shape[1], 128):
        block = scores[:, first:first + 128]
        threshold = numpy.sort(block.ravel())[int(block.size * sparsity)]
        mask[:, first:first + 128] = block > threshold
    return mask


def transcribed():
    for sparsity in (0.1, 0.5, 0.9):
        w = tied(6, 11)
        add(f"tfmot-{sparsity}", w, tfmot(w, sparsity))
        add(f"jaxpruner-{sparsity}", w, jaxpruner(w, sparsity))
        w = tied(5, 4, 3, 2)
        scores = numpy.abs(w).reshape(5, -1)
        add(f"wanda-{sparsity}", w, wanda(scores, sparsity).reshape(w.shape))
        w = tied(3, 150)
        add(f"sparsegpt-{sparsity}", w, sparsegpt(numpy.abs(w), sparsity))
        add(f"wanda-{sparsity}-in-out", w.T.copy(), wanda(numpy.abs(w), sparsity).T.copy())
        add(f"sparsegpt-{sparsity}-in-out", w.T.copy(), sparsegpt(numpy.abs(w), sparsity).T.copy())
    w = tied(9, 16)
    add("jaxpruner-2:4", w, jaxpruner_nm(w, 2, 4))
    w = tied(4, 15)
    add("jaxpruner-1:5", w, jaxpruner_nm(w, 1, 5))


def save(path):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = numpy.ascontiguousarray(tensor, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


torch_cases()
transcribed()
save(pathlib.Path(__file__).with_name("mask_rules.safetensors"))
