/* The README's example in C. */
#include <secateur.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  float w[6] = {0.3f, -0.1f, 0.2f, 0.5f, -0.4f, 0.1f};
  _Alignas(128) uint32_t mask[SECATEUR_MASK_WORDS(6)];
  secateur_segment layer = {.scores = w, .length = 6, .mask = mask};
  int64_t k = 3; /* prune exactly three weights: 50 % */
  secateur_select_result result;
  secateur_device *cpu;
  size_t bytes;

  if (secateur_device_open(SECATEUR_CPU, 0, &cpu) ||
      secateur_select(cpu, NULL, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &layer, 1, &k, &result, NULL,
                      &bytes)) {
    fprintf(stderr, "%s\n", secateur_last_error());
    return 1;
  }
  void *workspace = malloc(bytes);
  if (secateur_select(cpu, NULL, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &layer, 1, &k, &result,
                      workspace, &bytes) ||
      secateur_mask_apply(cpu, NULL, 6, mask, w)) {
    fprintf(stderr, "%s\n", secateur_last_error());
    return 1;
  }
  printf("pruned %lld, threshold %g:", (long long)result.pruned, result.threshold);
  for (int i = 0; i < 6; i++) printf(" %g", w[i]); /* 0.3 0 0 0.5 -0.4 0 */
  printf("\n");
  free(workspace);
  return secateur_device_close(cpu) != SECATEUR_OK || w[0] != 0.3f || w[1] != 0.0f || w[5] != 0.0f;
}
