/*
 * What the simulated driver (native/sim, libcuda.so.1) exports beside the driver API, for tests:
 * counters, faults on order and the schedule's seed. Found with dlsym; the product never asks.
 *
 * Environment, read when the library is loaded:
 *   SECATEUR_SIM_SEED        schedule: 0 (default) runs work as late as the API allows, blocks in
 *                            parallel; any other value runs at random points and orders, one block
 * at a time, and replays exactly SECATEUR_SIM_CAPABILITY  compute capability, "7.5" by default
 *   SECATEUR_SIM_MEMORY      device memory in MiB, 4096 by default
 *   SECATEUR_SIM_THREADS     threads that run blocks, all processors by default
 */
#ifndef SECATEUR_SIMULATOR_H
#define SECATEUR_SIMULATOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Since the last reset. */
typedef struct secateur_sim_counters {
  uint64_t launches;                  /* kernels launched by cuLaunchKernel, not those of graphs */
  uint64_t graph_launches;            /* cuGraphLaunch */
  uint64_t kernels;                   /* kernels run, those of graphs too */
  uint64_t library_calls;             /* products enqueued by the cuBLAS and cuSPARSE stand-ins */
  uint64_t synchronizations;          /* calls that wait: stream, context, event, blocking copies */
  uint64_t allocations;               /* device and pinned memory */
  uint64_t uploads, upload_bytes;     /* host to device */
  uint64_t downloads, download_bytes; /* device to host */
  uint64_t copies, copy_bytes;        /* within the device */
  uint64_t memsets, memset_bytes;
  uint64_t kernel_bytes_read;    /* by kernels from device memory; 0 in the unchecked build */
  uint64_t kernel_bytes_written; /* atomics count as both */
  uint64_t live_bytes;           /* device memory now; survives a reset */
  uint64_t peak_bytes;           /* most since the reset */
} secateur_sim_counters;

void secateur_sim_counters_get(secateur_sim_counters *counters);
void secateur_sim_counters_reset(void);

/* Faults on order, counted from now; nth from 1, 0 takes an order back. */
enum { SECATEUR_SIM_ALLOCATION = 0, SECATEUR_SIM_LAUNCH = 1, SECATEUR_SIM_LOST = 2 };
/* ALLOCATION: the nth allocation fails with CUDA_ERROR_OUT_OF_MEMORY. LAUNCH: the nth launch
 * (kernel, graph or library call) fails with CUDA_ERROR_LAUNCH_FAILED when it runs, sticky. LOST:
 * the nth launch fails at once with CUDA_ERROR_DEVICE_UNAVAILABLE, and so does everything after it.
 */
void secateur_sim_fail(int what, uint64_t nth);
/* How many allocations or launches the order is still away; 0 when it was met or there is none. */
uint64_t secateur_sim_pending(int what);

/* Another seed from now on; see SECATEUR_SIM_SEED. */
void secateur_sim_seed(uint64_t seed);

/* 1 in the checked build, whose kernels' every access is checked. */
int secateur_sim_checked(void);

/* The sentence of the last thing found wrong: what, which kernel, block, thread and address, or
 * which call; "" if nothing. Cleared by the call that forgets sticky errors. */
const char *secateur_sim_last_fault(void);

/* What was created in the current context and is not destroyed yet: memory, streams, events, graphs
 * and modules, in one sentence; "" if nothing. Written to stderr when the process ends with some.
 */
const char *secateur_sim_leaks(void);

/* For tests of the simulator: as if the process had restarted, sticky errors, leaks and orders
 * forgotten. Every handle dies. */
void secateur_sim_restart(void);

#ifdef __cplusplus
}
#endif

#endif
