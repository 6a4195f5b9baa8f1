/* The whole life of every type, in the C and C++ that all compilers know.
 * With a number as argument, it does it for that many frames. */
#include "common.h"

static unsigned logged;

static void count(void *user, uint32_t level, const char *message) {
  CHECK(user == &logged && level <= PARKQ_LOG_LEVEL_INFO && message != NULL);
  logged++;
}

int main(int argc, char **argv) {
  int frames = argc > 1 ? atoi(argv[1]) : 1, i;
  unsigned char *nv12 = (unsigned char *)malloc(NV12_LENGTH);
  parkq_lot *lot = NULL;
  parkq_estimator *estimator = NULL;
  parkq_pipeline *pipeline = NULL;
  parkq_occupancy *occupancy = NULL;
  parkq_estimator_options options;
  parkq_frame frame;
  parkq_counts counts;
  parkq_reading readings[3];
  parkq_model_info model;
  char text[4096], id[2];
  size_t n;

  CHECK(nv12 != NULL);
  CHECK(parkq_abi_version() == PARKQ_ABI_VERSION);
  sprintf(text, "%d.%d.%d", PARKQ_VERSION_MAJOR, PARKQ_VERSION_MINOR, PARKQ_VERSION_PATCH);
  CHECK(strcmp(parkq_version(), text) == 0);
  CHECK(strcmp(parkq_last_error(), "") == 0);
  OK(parkq_log_set(PARKQ_LOG_LEVEL_INFO, count, &logged));
  OK(parkq_threads_set_cap(2));

  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  OK(parkq_lot_space_count(lot, &n));
  CHECK(n == 3);
  OK(parkq_lot_space_id(lot, 1, text, sizeof text, &n));
  CHECK(n == 2 && strcmp(text, "A2") == 0);
  OK(parkq_lot_space_id(lot, 1, id, sizeof id, &n)); /* cut, and said so */
  CHECK(n == 2 && strcmp(id, "A") == 0);

  OK(parkq_estimator_options_default(&options));
  options.threads = 1;
  OK(parkq_estimator_new(lot, &options, &estimator));
  OK(parkq_estimator_model(estimator, &model));
  CHECK(strcmp(model.name, "space-classifier") == 0 && strlen(model.sha256) == 64);
  OK(parkq_occupancy_new(&occupancy));

  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, nv12, NV12_LENGTH, &frame));
  CHECK(frame.plane[1] == nv12 + WIDTH * HEIGHT && frame.stride[1] == WIDTH);
  for (i = 0; i < frames; i++) {
    made_up(nv12, (unsigned)i);
    OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
    OK(parkq_occupancy_counts(occupancy, &counts));
    CHECK(counts.free + counts.occupied + counts.unknown + counts.closed == 3);
    CHECK(counts.closed == 1 && counts.occupied_low <= counts.occupied_high);
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(n == 3 && readings[2].state == PARKQ_STATE_CLOSED && readings[2].space == 2);
    CHECK(readings[1].unknown == PARKQ_UNKNOWN_MASKED);
    CHECK(readings[1].probability != readings[1].probability); /* NaN */
    CHECK(readings[0].probability >= 0.0 && readings[0].probability <= 1.0);
    OK(parkq_occupancy_to_json(occupancy, text, sizeof text, &n));
    CHECK(n == strlen(text) && strstr(text, model.sha256) != NULL);
    OK(parkq_occupancy_to_svg(occupancy, lot, 4.0 / 3.0, text, sizeof text, &n));
    CHECK(strncmp(text, "<svg", 4) == 0);
  }

  OK(parkq_pipeline_new(lot, NULL, &pipeline));

  CHECK(logged == 0);
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER);
  CHECK(strcmp(parkq_last_error(), "lot is NULL") == 0 && logged == 1);
  OK(parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER && logged == 1);

  parkq_pipeline_free(pipeline);
  parkq_estimator_free(estimator);
  parkq_occupancy_free(occupancy);
  parkq_lot_free(lot);
  free(nv12);
  return 0;
}
