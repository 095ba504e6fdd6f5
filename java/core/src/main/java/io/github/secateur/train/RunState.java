package io.github.secateur.train;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * All that changes while a run goes on, between two steps. Random draws need no state of their own:
 * they follow from the seed and the step, as the order of samples follows from seed and epoch.
 *
 * @param step steps done
 * @param finished whether the run is over
 * @param parameters by name
 * @param masks by parameter name
 * @param optimizer momentum or moments; names of {@link OptimizerStep#state}
 * @param hooks state of each hook, in the order of the hooks
 * @param losses F32, of the steps done in an epoch that is not over
 * @param history of the epochs that are over
 * @param breakEven sparsities from which on layers run sparse, where that was measured
 * @param best epoch of lowest validation loss, where patience asks for it
 */
record RunState(
    long step,
    boolean finished,
    Map<String, Tensor> parameters,
    Map<String, Mask> masks,
    Map<String, Tensor> optimizer,
    List<Map<String, Tensor>> hooks,
    Tensor losses,
    List<EpochRecord> history,
    Map<String, Double> breakEven,
    BestEpoch best) {}
