/* The whole life of every type, in the C and C++ that all compilers know.
 * With a number as argument, it does it for that many frames, the detector for every 50th. */
#include "common.h"

static const char ULTRALYTICS[] =
    "[{\"points\": [[64, 48], [128, 48], [128, 96], [64, 96]]}]";
static const char COCO[] =
    "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 100, \"height\": 100}],"
    "\"annotations\": [{\"id\": 9, \"image_id\": 1, \"category_id\": 2, \"bbox\": [10, 10, 20, 30]}]}";

static unsigned logged, informed, stages;

static void count(void *user, uint32_t level, const char *message) {
  CHECK(user == &logged && level <= PARKQ_LOG_LEVEL_INFO && message != NULL);
  if (level == PARKQ_LOG_LEVEL_INFO) informed++;
  else logged++;
}

static void observe(void *user, uint32_t stage) {
  CHECK(user == &stages && stage <= PARKQ_STAGE_DONE);
  stages = stages * 10 + stage;
}

/* Weak noise: in strong noise there is so much to look at again that valgrind takes twice as long. */
static void faint(unsigned char *nv12, unsigned seed) {
  size_t i;
  made_up(nv12, seed);
  for (i = 0; i < NV12_LENGTH; i++) nv12[i] = (unsigned char)(112 + nv12[i] / 8);
}

int main(int argc, char **argv) {
  int frames = argc > 1 ? atoi(argv[1]) : 1, i;
  unsigned char *nv12 = (unsigned char *)malloc(NV12_LENGTH);
  parkq_lot *lot = NULL;
  parkq_estimator *estimator = NULL, *once = NULL;
  parkq_detector *detector = NULL;
  parkq_anonymizer *anonymizer = NULL;
  parkq_stream *stream = NULL;
  parkq_pipeline *pipeline = NULL;
  parkq_occupancy *occupancy = NULL;
  parkq_picture *picture = NULL;
  parkq_lot *imported = NULL;
  parkq_estimator_options options;
  parkq_detector_options looking;
  parkq_stream_options keeping;
  parkq_policy policy;
  parkq_detection found[4];
  parkq_redacted redacted[8];
  parkq_frame frame, left;
  parkq_counts counts;
  parkq_reading readings[3];
  parkq_model_info model;
  parkq_observer observer;
  parkq_space space;
  parkq_quad quads[2];
  parkq_rect rect;
  static unsigned char encoded[65536];
  char text[4096], id[2];
  size_t n, m;
  double alone, surest;

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
  OK(parkq_lot_space(lot, 2, &space));
  CHECK(space.closed == 1 && space.max_stay_minutes == 0 && space.size_m[1] == 5.0);
  CHECK(space.quad.corner[0].x == 0.7 && space.quad.corner[0].y == 0.2);
  OK(parkq_quad_row(&space.quad, 2, quads));
  CHECK(quads[0].corner[0].x == 0.7 && quads[1].corner[2].y == 0.9);
  OK(parkq_lot_to_svg(lot, 4.0 / 3.0, text, sizeof text, &n));
  CHECK(n == strlen(text) && strncmp(text, "<svg", 4) == 0);
  OK(parkq_lot_to_json(lot, text, sizeof text, &n));
  CHECK(n == strlen(text));
  OK(parkq_lot_from_json(text, n, &imported));
  parkq_lot_free(imported);
  OK(parkq_lot_import(PARKQ_LOT_FORMAT_ULTRALYTICS, ULTRALYTICS, sizeof ULTRALYTICS - 1, 640, 480,
                      NULL, 0, &imported));
  OK(parkq_lot_space(imported, 0, &space));
  CHECK(space.quad.corner[2].x == 0.2 && space.quad.corner[2].y == 0.2);
  parkq_lot_free(imported);
  OK(parkq_lot_import(PARKQ_LOT_FORMAT_COCO, COCO, sizeof COCO - 1, 0, 0, "a.jpg", 5, &imported));
  OK(parkq_lot_space_id(imported, 0, text, sizeof text, &n));
  CHECK(n == 1 && strcmp(text, "9") == 0);
  parkq_lot_free(imported);

  OK(parkq_estimator_options_default(&options));
  options.threads = 1;
  OK(parkq_estimator_new(lot, &options, &estimator));
  options.second_look = 0;
  OK(parkq_estimator_new(lot, &options, &once));
  options.second_look = 1;
  OK(parkq_estimator_model(estimator, &model));
  CHECK(strcmp(model.name, "space-classifier") == 0 && strlen(model.sha256) == 64);
  OK(parkq_occupancy_new(&occupancy));
  OK(parkq_picture_new(&picture));
  observer.callback = observe;
  observer.user = &stages;
  OK(parkq_detector_options_default(&looking));
  looking.tiling = PARKQ_TILING_WHOLE;
  looking.threads = 1;
  looking.min_score.vehicle = 0.0f; /* something is found, whatever it is */
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
    faint(nv12, (unsigned)i);
    OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
    OK(parkq_occupancy_counts(occupancy, &counts));
    CHECK(counts.free + counts.occupied + counts.unknown + counts.closed == 3);
    CHECK(counts.closed == 1 && counts.occupied_low <= counts.occupied_high);
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(n == 3 && readings[2].state == PARKQ_STATE_CLOSED && readings[2].space == 2);
    CHECK(readings[1].unknown == PARKQ_UNKNOWN_MASKED);
    CHECK(readings[1].probability != readings[1].probability); /* NaN */
    CHECK(readings[0].probability >= 0.0 && readings[0].probability <= 1.0);
    OK(parkq_estimator_occupancy(once, &frame, occupancy));
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    alone = readings[0].probability;
    found[0].label = PARKQ_LABEL_VEHICLE; /* on A1 */
    found[0].score = 1.0f;
    found[0].rect.x = 0.1f * WIDTH;
    found[0].rect.y = 0.3f * HEIGHT;
    found[0].rect.width = 0.2f * WIDTH;
    found[0].rect.height = 0.5f * HEIGHT;
    OK(parkq_estimator_occupancy_with(estimator, &frame, found, 1, occupancy));
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(readings[0].probability > alone);
    surest = readings[0].probability;
    found[0].score = 0.5f; /* less sure, less evidence */
    OK(parkq_estimator_occupancy_with(estimator, &frame, found, 1, occupancy));
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(readings[0].probability > alone && readings[0].probability < surest);
    OK(parkq_estimator_occupancy_with(estimator, &frame, NULL, 0, occupancy));
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(readings[0].probability < alone);
    OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
    OK(parkq_occupancy_to_json(occupancy, text, sizeof text, &n));
    CHECK(n == strlen(text) && strstr(text, model.sha256) != NULL);
    OK(parkq_occupancy_to_svg(occupancy, lot, 4.0 / 3.0, text, sizeof text, &n));
    CHECK(strncmp(text, "<svg", 4) == 0);

    if (i % 50 != 0) continue; /* the detector is 100 times the work */
    OK(parkq_detector_detect(detector, &frame, NULL, found, 4, &n));
    CHECK(n > 0 && found[0].label >= PARKQ_LABEL_VEHICLE && found[0].label <= PARKQ_LABEL_FACE);
    CHECK(found[0].score >= 0.0f && found[0].rect.x >= 0.0f && found[0].rect.width <= WIDTH);
    OK(parkq_detector_detect(detector, &frame, lot, NULL, 0, &n));
    OK(parkq_stream_anonymize_in_place(stream, &frame, NULL, redacted, 8, &n));
    CHECK(n >= 1 && redacted[0].cause == PARKQ_CAUSE_MASK && redacted[0].leak_bits == 0.0);
    CHECK(redacted[0].label == PARKQ_LABEL_NONE && nv12[30] == 16); /* under the mask: black */
    faint(nv12, (unsigned)i);
    stages = 0;
    frame.matrix = PARKQ_MATRIX_BT709;
    OK(parkq_pipeline_process_in_place(pipeline, &frame, &observer, occupancy, picture, redacted, 8,
                                       &n));
    CHECK(n >= 1 && redacted[0].cause == PARKQ_CAUSE_MASK && nv12[30] == 16);
    CHECK(stages == 1235); /* no wipe: the buffer was lent */
    OK(parkq_picture_frame(picture, &left));
    CHECK(left.format == PARKQ_PIXEL_FORMAT_NV12 && left.matrix == PARKQ_MATRIX_BT709);
    CHECK(left.width == WIDTH && left.stride[1] == WIDTH && left.plane[2] == NULL);
    CHECK(left.plane[0] != nv12 && memcmp(left.plane[0], nv12, NV12_LENGTH) == 0);
    OK(parkq_picture_redacted(picture, redacted, 1, &m));
    CHECK(m == n && redacted[0].cause == PARKQ_CAUSE_MASK);
    OK(parkq_picture_to_png(picture, encoded, sizeof encoded, &n));
    CHECK(n > 100 && n <= sizeof encoded && memcmp(encoded, "\211PNG", 4) == 0);
    stages = 0;
    OK(parkq_pipeline_process_encoded(pipeline, encoded, n, WIDTH * HEIGHT, &observer, occupancy,
                                      NULL));
    CHECK(stages == 12345);
    OK(parkq_stream_anonymize_encoded(stream, encoded, n, WIDTH * HEIGHT, picture));
    OK(parkq_picture_frame(picture, &left));
    CHECK(left.format == PARKQ_PIXEL_FORMAT_RGB8 && left.stride[0] == 3 * WIDTH);
    CHECK(left.plane[0][3 * 30] == 0); /* under the mask: black */
    OK(parkq_picture_to_jpeg(picture, 90, NULL, 0, &m));
    OK(parkq_picture_to_jpeg(picture, 90, encoded, sizeof encoded, &n));
    CHECK(n == m && encoded[0] == 0xff && encoded[1] == 0xd8 && encoded[n - 1] == 0xd9);
    rect.x = rect.y = 3.0f;
    rect.width = rect.height = 2.0f;
    OK(parkq_frame_redact(&frame, NULL, &rect, 1));
    CHECK(nv12[3 * WIDTH + 3] == 16 && nv12[WIDTH * HEIGHT + WIDTH + 2] == 128);
    OK(parkq_occupancy_counts(occupancy, &counts));
    CHECK(counts.closed == 1);
  }

  parkq_pipeline_free(pipeline);
  OK(parkq_pipeline_from_parts(estimator, detector, NULL, &pipeline));
  OK(parkq_anonymizer_from_detector(detector, NULL, NULL, &anonymizer));
  parkq_detector_free(detector); /* both share it */
  parkq_estimator_free(estimator);
  parkq_estimator_free(once);
  faint(nv12, 1);
  OK(parkq_anonymizer_anonymize_in_place(anonymizer, &frame, NULL, NULL, 0, &n));
  OK(parkq_pipeline_process_in_place(pipeline, &frame, NULL, occupancy, NULL, NULL, 0, &n));

  CHECK(logged == 0 && informed >= 4); /* each model that was loaded */
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER);
  CHECK(strcmp(parkq_last_error(), "lot is NULL") == 0 && logged == 1);
  OK(parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
  CHECK(parkq_lot_space_count(NULL, &n) == PARKQ_STATUS_NULL_POINTER && logged == 1);

  parkq_pipeline_free(pipeline);
  parkq_stream_free(stream);
  parkq_anonymizer_free(anonymizer);
  parkq_picture_free(picture);
  parkq_occupancy_free(occupancy);
  parkq_lot_free(lot);
  free(nv12);
  return 0;
}
