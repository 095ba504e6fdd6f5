"""Times epochs of training LeNet-300-100 in PyTorch, for bench/epoch.sh.

60,000 samples of 784 numbers in memory as float tensors, batch 100 gathered by an index tensor, Adam
1.2e-3, mean cross-entropy: the counterpart of EpochBenchmark.java. Prints the seconds of each epoch,
one a line; a first epoch is left out as warm-up.

Arguments: epochs (5), threads (2).
"""

import sys
import time

import torch

SAMPLES, FEATURES, CLASSES, BATCH = 60_000, 784, 10, 100


def main(epochs: int, threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x = torch.rand(SAMPLES, FEATURES)
    labels = torch.randint(0, CLASSES, (SAMPLES,))
    model = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 300),
        torch.nn.ReLU(),
        torch.nn.Linear(300, 100),
        torch.nn.ReLU(),
        torch.nn.Linear(100, CLASSES),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1.2e-3)
    loss_function = torch.nn.CrossEntropyLoss()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", file=sys.stderr)
    for epoch in range(epochs + 1):
        start = time.perf_counter()
        order = torch.randperm(SAMPLES)
        total = torch.zeros(())
        for i in range(0, SAMPLES, BATCH):
            rows = order[i : i + BATCH]
            optimizer.zero_grad(set_to_none=True)
            loss = loss_function(model(x[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        mean = total.item() * BATCH / SAMPLES
        seconds = time.perf_counter() - start
        if not mean == mean:
            raise SystemExit("the loss is not a number")
        if epoch > 0:
            print(f"{seconds:.4f}")


if __name__ == "__main__":
    main(*(int(a) for a in (sys.argv[1:] + ["5", "2"][len(sys.argv) - 1 :])))
