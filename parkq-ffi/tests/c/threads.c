/* Eight threads share one pipeline; each gets what one thread alone gets. */
#include <pthread.h>

#include "common.h"

#define THREADS 8
#define FRAMES 25

static parkq_pipeline *pipeline;
static char expected[FRAMES][4096];

static void read_frame(unsigned seed, parkq_occupancy *occupancy, char *json) {
  unsigned char nv12[NV12_LENGTH];
  parkq_frame frame;
  size_t n;
  made_up(nv12, seed);
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, nv12, NV12_LENGTH, &frame));
  OK(parkq_pipeline_process_in_place(pipeline, &frame, NULL, occupancy, NULL, NULL, 0, &n));
  OK(parkq_occupancy_to_json(occupancy, json, 4096, &n));
}

static void *work(void *argument) {
  parkq_occupancy *occupancy;
  parkq_lot *none;
  char json[4096], own_error[64];
  unsigned i, thread = *(unsigned *)argument;
  OK(parkq_occupancy_new(&occupancy));
  for (i = 0; i < FRAMES; i++) {
    unsigned seed = (i + thread * 3) % FRAMES;
    read_frame(seed, occupancy, json);
    CHECK(strcmp(json, expected[seed]) == 0);
    /* The last error is the thread's own. */
    sprintf(own_error, "version is %u,", 100 + thread);
    sprintf(json, "{\"version\": %u, \"spaces\": []}", 100 + thread);
    CHECK(parkq_lot_from_json(json, strlen(json), &none) == PARKQ_STATUS_LOT);
    CHECK(strstr(parkq_last_error(), own_error) != NULL);
  }
  parkq_occupancy_free(occupancy);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  unsigned numbers[THREADS], i;
  parkq_lot *lot;
  parkq_occupancy *occupancy;
  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  OK(parkq_pipeline_new(lot, NULL, NULL, &pipeline));
  parkq_lot_free(lot); /* the pipeline has its own */
  OK(parkq_occupancy_new(&occupancy));
  for (i = 0; i < FRAMES; i++) read_frame(i, occupancy, expected[i]);
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  parkq_occupancy_free(occupancy);
  parkq_pipeline_free(pipeline);
  return 0;
}
