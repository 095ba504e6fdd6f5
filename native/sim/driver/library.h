/*
 * What libcuda.so.1 of the simulator exports for its stand-ins of cuBLAS and cuSPARSE: a place in
 * the queues for work that is not a kernel. They link against it or find it with dlsym.
 */
#ifndef SECATEUR_SIM_LIBRARY_H
#define SECATEUR_SIM_LIBRARY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SECATEUR_SIM_READ = 1, SECATEUR_SIM_WRITE = 2, SECATEUR_SIM_UPDATE = 3 };

/* Device memory that a piece of work touches: count runs of bytes, pitch bytes apart. When the work
 * runs, each must lie inside one live allocation; what is read must have been written and what is
 * written counts as written from then on. Two streams that touch the same bytes, one of them
 * writing, must be ordered by events. */
typedef struct secateur_sim_range {
  const char *what; /* "A", "workspace"; copied */
  const void *address;
  size_t bytes, count, pitch; /* count 1: pitch does not matter; count or bytes 0: nothing */
  int access;                 /* SECATEUR_SIM_READ, _WRITE or _UPDATE */
} secateur_sim_range;

typedef struct secateur_sim_work {
  const char *name; /* of the library's function; copied */
  const secateur_sim_range *ranges;
  size_t range_count;
  void *data;
  /* Does the work; the ranges were checked and device memory is open. NULL when all is well, else
   * what is wrong, valid until the thread's next call. A captured work runs at each replay. */
  const char *(*run)(void *data);
  /* Called once, when the work will not run again, or at once when it is refused; may be NULL. */
  void (*destroy)(void *data);
} secateur_sim_work;

/* Queues work on a stream, or adds it to the graph that the stream captures. Returns a CUresult:
 * faults of the work show later, as those of a kernel do. Counted as library_calls. */
int secateur_sim_enqueue(void *stream, const secateur_sim_work *work);

/* Makes a sentence the last fault (secateur_sim_last_fault) without breaking the context: for calls
 * that the documentation forbids and a real library may not notice. */
void secateur_sim_record_fault(const char *sentence);

#ifdef __cplusplus
}
#endif

#endif
