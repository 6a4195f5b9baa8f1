/* The whole life of every type, in the C and C++ that all compilers know.
 * With a number as argument, it does it for that many frames, the detector for every 50th. */
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
  parkq_detector *detector = NULL;
  parkq_anonymizer *anonymizer = NULL;
  parkq_stream *stream = NULL;
  parkq_pipeline *pipeline = NULL;
  parkq_occupancy *occupancy = NULL;
  parkq_estimator_options options;
  parkq_detector_options looking;
  parkq_stream_options keeping;
  parkq_policy policy;
  parkq_detection found[4];
  parkq_redacted redacted[8];
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
  OK(parkq_detector_options_default(&looking));
  looking.tiling = PARKQ_TILING_WHOLE;
  looking.threads = 1;
  looking.min_score.plate = 0.0f;
  OK(parkq_detector_new(&looking, &detector));
  OK(parkq_detector_model(detector, &model));
  CHECK(strcmp(model.name, "detector") == 0);
  OK(parkq_policy_default(&policy));
  CHECK(policy.plates == 1 && policy.faces == 1 && policy.persons == 1);
  policy.redaction = PARKQ_REDACTION_SURROUNDINGS;
  OK(parkq_anonymizer_new(&policy, lot, &anonymizer));
  OK(parkq_stream_options_default(&keeping));
  OK(parkq_stream_new(anonymizer, &keeping, &stream));
  parkq_anonymizer_free(anonymizer); /* the stream shares it */
  OK(parkq_estimator_model(estimator, &model));
  OK(parkq_pipeline_new(lot, &options, NULL, &pipeline));

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

    if (i % 50 != 0) continue; /* the detector is 100 times the work */
    OK(parkq_detector_detect(detector, &frame, NULL, found, 4, &n));
    CHECK(n > 0 && found[0].label >= PARKQ_LABEL_VEHICLE && found[0].label <= PARKQ_LABEL_FACE);
    CHECK(found[0].score >= 0.0f && found[0].rect.x >= 0.0f && found[0].rect.width <= WIDTH);
    OK(parkq_detector_detect(detector, &frame, lot, NULL, 0, &n));
    OK(parkq_stream_anonymize_in_place(stream, &frame, redacted, 8, &n));
    CHECK(n >= 1 && redacted[0].cause == PARKQ_CAUSE_MASK && redacted[0].leak_bits == 0.0);
    CHECK(redacted[0].label == PARKQ_LABEL_NONE && nv12[30] == 16); /* under the mask: black */
    made_up(nv12, (unsigned)i);
    OK(parkq_pipeline_process_in_place(pipeline, &frame, occupancy, redacted, 8, &n));
    CHECK(n >= 1 && redacted[0].cause == PARKQ_CAUSE_MASK && nv12[30] == 16);
    OK(parkq_occupancy_counts(occupancy, &counts));
    CHECK(counts.closed == 1);
  }

  parkq_pipeline_free(pipeline);
  OK(parkq_pipeline_from_parts(&estimator, &detector, NULL, &pipeline));
  CHECK(estimator == NULL && detector == NULL);
  OK(parkq_detector_new(NULL, &detector));
  OK(parkq_anonymizer_from_detector(&detector, NULL, NULL, &anonymizer));
  CHECK(detector == NULL);

  CHECK(logged == 0);
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER);
  CHECK(strcmp(parkq_last_error(), "lot is NULL") == 0 && logged == 1);
  OK(parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER && logged == 1);

  parkq_pipeline_free(pipeline);
  parkq_stream_free(stream);
  parkq_anonymizer_free(anonymizer);
  parkq_detector_free(detector);
  parkq_estimator_free(estimator);
  parkq_occupancy_free(occupancy);
  parkq_lot_free(lot);
  free(nv12);
  return 0;
}
