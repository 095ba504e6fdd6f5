/* Checks of the native tests, for C and C++: a failed one prints where and what and ends the test.
 */
#ifndef SECATEUR_CHECK_H
#define SECATEUR_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secateur.h"

/* Sanitized builds run many times slower: tests that scale shrink by this. */
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define CHECK(holds)                                                             \
  do {                                                                           \
    if (!(holds)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

/* Like CHECK, with a printf-style note on the case at hand. */
#define CHECK_NOTE(holds, ...)                                                   \
  do {                                                                           \
    if (!(holds)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #holds); \
      fprintf(stderr, __VA_ARGS__);                                              \
      fputc('\n', stderr);                                                       \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

/* The call must return exactly this status; a failing one must leave a sentence. */
#define CHECK_STATUS(expected, call)                                                    \
  do {                                                                                  \
    const secateur_status status_ = (call);                                             \
    if (status_ != (expected)) {                                                        \
      fprintf(stderr, "%s:%d: %s returned %d, not %d: %s\n", __FILE__, __LINE__, #call, \
              (int)status_, (int)(expected), secateur_last_error());                    \
      exit(1);                                                                          \
    }                                                                                   \
    if (status_ != SECATEUR_OK) CHECK(strlen(secateur_last_error()) > 10);              \
  } while (0)

#define CHECK_OK(call) CHECK_STATUS(SECATEUR_OK, call)

#endif
