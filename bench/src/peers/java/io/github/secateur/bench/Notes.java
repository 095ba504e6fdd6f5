package io.github.secateur.bench;

/** What the tables say about how their figures came about. */
final class Notes {
  private Notes() {}

  static final String MEASURING =
      """

      All sides work on the same data in one run, in turns: each round gives every side a block of
      runs, then waits until its threads sleep. Figures are medians over the runs of all rounds;
      results are compared (to 1e-4 of the largest) before anything is timed. Memory is allocated
      and touched beforehand, with huge pages; `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` are unset.
      Peak and bandwidth are measured by Secateur on the spot, for the same number of threads.

      """;

  static final String PRODUCTS =
      """

      W [2048, 2048] (256 in a quick run) times dense activations of so many columns. Useful GFLOP
      are 2 · nonzeros · columns. Secateur's times are those of its fastest format and include
      packing the activations, which it takes as [batch, in]; the CSR products of the others get
      theirs as [in, batch], the faster order for them. Best dense is the fastest of OpenBLAS (by
      Secateur), oneDNN (weights reordered beforehand), MKL and PyTorch. PyTorch CSR is the faster of
      its own build (CSR by MKL) and Debian's. MKL is hinted and optimized as its manual says; on
      processors that are not Intel's it takes slower paths. SciPy has one thread. × is how many
      times as fast Secateur is.
      """;

  static final String MODELS =
      """

      The pruned model as Secateur chooses to run it, against ONNX Runtime on the same file with the
      same number of threads and its default settings.
      """;

  static final String TRAINING =
      """

      A step of one layer W [2048, 2048] (256 in a quick run) under a mask: forward product, input
      gradient, masked weight gradient; the optimizer is left out. Secateur's sparse step takes the
      new values of the weights into its layouts first. × is how many times as fast that is.
      """;

  static final String THRESHOLDS =
      """

      The exact k-th smallest of |w| and the mask. `numpy.partition` and `torch.kthvalue` are given
      |w| and find the threshold alone; "and mask" starts from w and ends with a mask, as Secateur
      does. Read rate is bytes of the weights over time.
      """;
}
