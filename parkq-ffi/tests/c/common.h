/* What the test programs share: a check that says where it failed, and a made-up frame. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parkq.h"

#define CHECK(condition)                                                                        \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition,           \
              parkq_last_error());                                                              \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

#define OK(call) CHECK((call) == PARKQ_STATUS_OK)

static const char LOT[] =
    "{\"version\": 1, \"spaces\": ["
    "{\"id\": \"A1\", \"quad\": [[0.1, 0.2], [0.3, 0.2], [0.3, 0.9], [0.1, 0.9]]},"
    "{\"id\": \"A2\", \"quad\": [[0.4, 0.2], [0.6, 0.2], [0.6, 0.9], [0.4, 0.9]]},"
    "{\"id\": \"A3\", \"quad\": [[0.7, 0.2], [0.9, 0.2], [0.9, 0.9], [0.7, 0.9]],"
    " \"closed\": true}],"
    "\"masks\": [[[0.4, 0.0], [0.6, 0.0], [0.6, 1.0], [0.4, 1.0]]]}";

#define WIDTH 64u
#define HEIGHT 48u
#define NV12_LENGTH (WIDTH * HEIGHT * 3u / 2u)

/* A frame of noise that is the same everywhere. */
static void made_up(unsigned char *nv12, unsigned seed) {
  size_t i;
  for (i = 0; i < NV12_LENGTH; i++) {
    seed = seed * 1664525u + 1013904223u;
    nv12[i] = (unsigned char)(seed >> 24);
  }
}

#endif
