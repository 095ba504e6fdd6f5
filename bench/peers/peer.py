"""Times NumPy, SciPy and PyTorch for bench/peers.sh: reads one JSON object a line, answers with one.

  {"op": "versions"}                                    versions of the libraries
  {"op": "product", "weight": W.npy, "x": X.npy, "y": Y.npy, "threads": n}
      W [out, in] times X [in, columns]: SciPy and PyTorch, both CSR; Y [out, columns] is what the
      result has to be
  {"op": "threshold", "weight": W.npy, "pruned": k, "threads": n, "slow": bool}
      the k smallest of |W|, and their mask
  {"op": "scripts", "folder": F}                        TorchScript modules for PyTorch under Java
  {"op": "block", "name": side, "seconds": s}           microseconds of single runs of a side

Answers to product and threshold: {"names": sides}. The first run of a block is left out when others
follow, as the Java side does. Memory is allocated and touched before it is timed, where the library
lets it be.
"""

import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import numpy
import scipy
import scipy.sparse
import torch
import torch.nn.utils.prune

torch.set_grad_enabled(False)
sides = {}


def versions(_):
    return {
        "NumPy": numpy.__version__,
        "SciPy": scipy.__version__,
        "PyTorch (Python)": torch.__version__,
        "Python": sys.version.split()[0],
    }


def product(request):
    torch.set_num_threads(request["threads"])
    weight = numpy.load(request["weight"])
    x = numpy.load(request["x"])
    wanted = numpy.load(request["y"])
    torch_x = torch.from_numpy(x)
    if x.shape[1] == 1:  # a vector has methods of its own, which are faster; Debian's PyTorch has none
        x = x[:, 0].copy()
    scipy_weight = scipy.sparse.csr_matrix(weight)
    torch_weight = torch.from_numpy(weight).to_sparse_csr()
    sides.clear()
    if request["threads"] == 1:  # SciPy has no threads
        sides["scipy csr"] = lambda: scipy_weight @ x
    sides["torch (Python) csr"] = lambda: torch_weight @ torch_x
    for name, run in sides.items():
        difference = numpy.abs(numpy.asarray(run()).reshape(wanted.shape) - wanted).max()
        if not difference <= 1e-4 * max(1.0, numpy.abs(wanted).max()):
            raise ValueError(f"{name} differs from Secateur's product by {difference}")
    return {"names": list(sides)}


def threshold(request):
    torch.set_num_threads(request["threads"])
    weight = numpy.load(request["weight"])
    pruned = request["pruned"]
    scores = numpy.abs(weight)
    buffer = scores.copy()
    mask = numpy.ones(weight.shape, dtype=bool)
    torch_scores = torch.from_numpy(scores)
    parameter = torch.nn.Parameter(torch.from_numpy(weight))
    module = torch.nn.Module()

    def partition():
        numpy.copyto(buffer, scores)
        buffer.partition(pruned - 1)
        return buffer[pruned - 1]

    def partition_and_mask():
        numpy.abs(weight, out=buffer)
        buffer.partition(pruned - 1)
        limit = buffer[pruned - 1]
        numpy.abs(weight, out=buffer)
        numpy.greater(buffer, limit, out=mask)
        return limit

    def global_unstructured():
        module.weight = parameter
        torch.nn.utils.prune.global_unstructured(
            [(module, "weight")], torch.nn.utils.prune.L1Unstructured, amount=pruned
        )
        torch.nn.utils.prune.remove(module, "weight")

    sides.clear()
    if request["threads"] == 1:  # NumPy's partition has no threads
        sides["numpy.partition"] = partition
        sides["numpy.partition and mask"] = partition_and_mask
    if request["slow"]:
        sides["torch.kthvalue"] = lambda: torch.kthvalue(torch_scores, pruned)
        sides["torch global_unstructured"] = global_unstructured
    return {"names": list(sides), "threshold": float(partition())}


class Dense(torch.nn.Module):
    """y = x Wᵀ, n times; writing to y keeps the compiler from dropping repetitions."""

    def forward(self, weight: torch.Tensor, x: torch.Tensor, y: torch.Tensor, n: torch.Tensor):
        t = weight.t()
        for _ in range(int(n.item())):
            torch.mm(x, t, out=y)
        return y


class Sparse(torch.nn.Module):
    """y = W x of a CSR matrix, n times."""

    def forward(self, weight: torch.Tensor, x: torch.Tensor, y: torch.Tensor, n: torch.Tensor):
        for _ in range(int(n.item())):
            torch.mm(weight, x, out=y)
        return y


class SparseVector(torch.nn.Module):
    """y = W x of a CSR matrix and a vector, n times."""

    def forward(self, weight: torch.Tensor, x: torch.Tensor, y: torch.Tensor, n: torch.Tensor):
        for _ in range(int(n.item())):
            torch.mv(weight, x, out=y)
        return y


class LayerStep(torch.nn.Module):
    """A training step of a masked layer, n times: y = x Wᵀ, dx = dy W, dw = mask · (dyᵀ x)."""

    def forward(
        self,
        weight: torch.Tensor,
        mask: torch.Tensor,
        x: torch.Tensor,
        dy: torch.Tensor,
        y: torch.Tensor,
        dx: torch.Tensor,
        dw: torch.Tensor,
        n: torch.Tensor,
    ):
        for _ in range(int(n.item())):
            torch.mm(x, weight.t(), out=y)
            torch.mm(dy, weight, out=dx)
            torch.mm(dy.t(), x, out=dw)
            dw.mul_(mask)
        return dw


class ToCsr(torch.nn.Module):
    def forward(self, weight: torch.Tensor):
        return weight.to_sparse_csr()


def scripts(request):
    for name, module in {
        "dense": Dense(),
        "csr": Sparse(),
        "csr-vector": SparseVector(),
        "to-csr": ToCsr(),
        "layer-step": LayerStep(),
    }.items():
        torch.jit.script(module).save(os.path.join(request["folder"], name + ".pt"))
    return {}


def block(request):
    run = sides[request["name"]]
    micros = []
    begin = last = time.perf_counter()
    while not micros or last - begin < request["seconds"]:
        run()
        now = time.perf_counter()
        micros.append((now - last) * 1e6)
        last = now
    return {"micros": micros[1:] if len(micros) > 1 else micros}


def main():
    operations = {f.__name__: f for f in (versions, product, threshold, scripts, block)}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes beside the answers
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = operations[request["op"]](request)
        except Exception as e:  # the Java side shows it and ends
            answer = {"error": f"{type(e).__name__}: {e}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
