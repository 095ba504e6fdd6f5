/* Devices and memory through the ABI from plain C. */
#include <stdint.h>

#include "check.h"

static secateur_device *open_cpu(void) {
  secateur_device *device = NULL;
  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  return device;
}

static void opens_only_what_is_there(void) {
  secateur_device *device = NULL;
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_device_open(SECATEUR_CUDA, 0, &device));
  CHECK(strstr(secateur_last_error(), "CUDA") != NULL);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_open(SECATEUR_CPU, 1, &device));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_open(SECATEUR_CPU, 0, NULL));
  CHECK(device == NULL);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_close(NULL));
}

static void accounts_for_memory(void) {
  static const size_t sizes[] = {
      0, 1, 63, 64, 4096, ((size_t)2 << 20) - 1, (size_t)2 << 20, ((size_t)5 << 20) + 3};
  enum { COUNT = sizeof sizes / sizeof *sizes };
  secateur_device *device = open_cpu();
  void *blocks[COUNT];
  int64_t live, bytes, expected = 0;
  for (int i = 0; i < COUNT; ++i) {
    CHECK_OK(secateur_alloc(device, sizes[i], &blocks[i]));
    CHECK(blocks[i] != NULL);
    CHECK((uintptr_t)blocks[i] % (sizes[i] >= (size_t)2 << 20 ? (size_t)2 << 20 : 128) == 0);
    memset(blocks[i], 1, sizes[i]);
    expected += (int64_t)sizes[i];
    CHECK_OK(secateur_memory(device, &live, &bytes));
    CHECK(live == i + 1 && bytes == expected);
  }
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_close(device));
  int32_t on_stack;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(device, &on_stack));
  for (int i = 0; i < COUNT; ++i) CHECK_OK(secateur_free(device, blocks[i]));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(device, blocks[0]));
  CHECK_OK(secateur_free(device, NULL));
  CHECK_OK(secateur_memory(device, &live, &bytes));
  CHECK(live == 0 && bytes == 0);

  void *untouched = &on_stack;
  CHECK_STATUS(SECATEUR_OUT_OF_MEMORY, secateur_alloc(device, SIZE_MAX / 4, &untouched));
  CHECK(untouched == &on_stack);
  CHECK_OK(secateur_device_close(device));
}

static void copies_and_fills(void) {
  enum { BYTES = (3 << 20) + 5, FLOATS = 300001 };
  secateur_device *device = open_cpu();
  unsigned char *host = malloc(BYTES), *back = malloc(BYTES);
  for (int i = 0; i < BYTES; ++i) host[i] = (unsigned char)(i * 2654435761u >> 24);
  void *a, *b;
  CHECK_OK(secateur_alloc(device, BYTES, &a));
  CHECK_OK(secateur_alloc(device, BYTES, &b));
  CHECK_OK(secateur_upload(device, NULL, host, a, BYTES));
  CHECK_OK(secateur_copy(device, NULL, a, b, BYTES));
  CHECK_OK(secateur_zero(device, NULL, a, BYTES));
  CHECK_OK(secateur_download(device, NULL, b, back, BYTES));
  CHECK(memcmp(host, back, BYTES) == 0);
  for (int i = 0; i < BYTES; ++i) CHECK(((unsigned char *)a)[i] == 0);
  CHECK_OK(secateur_fill(device, NULL, -1.5f, FLOATS, (float *)a));
  for (int i = 0; i < FLOATS; ++i) CHECK(((float *)a)[i] == -1.5f);
  CHECK(((float *)a)[FLOATS] == 0);
  CHECK_OK(secateur_synchronize(device, NULL));

  CHECK_OK(secateur_copy(device, NULL, NULL, NULL, 0));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_copy(device, NULL, a, (char *)a + 8, 9));
  CHECK_OK(secateur_copy(device, NULL, a, (char *)a + 8, 8));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_copy(device, NULL, NULL, a, 4));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_copy(device, device, a, b, 4));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_fill(device, NULL, 0, -1, (float *)a));
  CHECK_OK(secateur_free(device, a));
  CHECK_OK(secateur_free(device, b));
  CHECK_OK(secateur_device_close(device));
  free(host);
  free(back);
}

static void restricts_instruction_set_and_threads(void) {
  CHECK(secateur_abi_version() == SECATEUR_ABI_VERSION);
  char best[16];
  snprintf(best, sizeof best, "%s", secateur_cpu_isa());
  CHECK_OK(secateur_cpu_set_isa("plain"));
  CHECK(strcmp(secateur_cpu_isa(), "plain") == 0);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_cpu_set_isa("sse9"));
  CHECK_OK(secateur_cpu_set_isa(NULL));
  CHECK(strcmp(secateur_cpu_isa(), best) == 0);

  CHECK_OK(secateur_set_threads(0));
  const int32_t all = secateur_threads();
  CHECK(all >= 1);
  CHECK_OK(secateur_set_threads(3));
  CHECK(secateur_threads() == 3);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_set_threads(-1));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_set_threads(1025));
  CHECK(secateur_threads() == 3);
  CHECK_OK(secateur_set_threads(all));
}

int main(void) {
  CHECK(strcmp(secateur_last_error(), "") == 0);
  opens_only_what_is_there();
  accounts_for_memory();
  copies_and_fills();
  restricts_instruction_set_and_threads();
  return 0;
}
