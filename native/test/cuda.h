/* Opening the CUDA device in tests, test_cuda_*: on the simulator where it is built (CMakeLists.txt
 * puts it on the library path), else on a real driver; without either, the test is skipped. */
#ifndef SECATEUR_TEST_CUDA_H
#define SECATEUR_TEST_CUDA_H

#include "check.h"

static inline secateur_device *open_cuda(void) {
  secateur_device *device = NULL;
  if (secateur_device_open(SECATEUR_CUDA, 0, &device) == SECATEUR_OK) return device;
  if (getenv("SECATEUR_TEST_CUDA") != NULL) { /* set where the simulator is built */
    fprintf(stderr, "the CUDA device does not open: %s\n", secateur_last_error());
    exit(1);
  }
  printf("skipped: %s\n", secateur_last_error());
  exit(77);
}

#endif
