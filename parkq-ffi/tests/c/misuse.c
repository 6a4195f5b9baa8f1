/* NULL for every pointer, numbers outside their enumeration, wrong sizes, a panic: each is a
 * status with a message, and no output is touched. */
#include "common.h"

extern parkq_status parkq_test_panic(uint32_t elsewhere);

#define FAILS(status, call) CHECK((call) == (status) && strlen(parkq_last_error()) > 0)
#define NULLS(call) FAILS(PARKQ_STATUS_NULL_POINTER, call)

static unsigned char nv12[NV12_LENGTH];
static parkq_lot *lot;
static parkq_estimator *estimator;
static parkq_detector *detector;
static parkq_anonymizer *anonymizer;
static parkq_stream *stream;
static parkq_pipeline *pipeline;
static parkq_occupancy *occupancy;
static parkq_picture *picture;
static parkq_frame frame;

static void null_pointers(void) {
  parkq_lot *no_lot = NULL;
  parkq_estimator *no_estimator = NULL;
  parkq_detector *no_detector = NULL;
  parkq_anonymizer *no_anonymizer = NULL;
  parkq_stream *no_stream = NULL;
  parkq_pipeline *no_pipeline = NULL;
  parkq_detection found;
  parkq_redacted redacted;
  parkq_model_info info;
  parkq_counts counts;
  parkq_reading reading;
  parkq_picture *no_picture = NULL;
  parkq_space space;
  parkq_quad quad = {{{0.1, 0.1}, {0.2, 0.1}, {0.2, 0.2}, {0.1, 0.2}}}, quads[2];
  parkq_rect rect = {0.0f, 0.0f, 1.0f, 1.0f};
  char text[8];
  size_t n = 77;

  CHECK(strcmp(parkq_status_name(PARKQ_STATUS_PANIC), "panic") == 0);
  CHECK(strcmp(parkq_status_name(4000000000u), "unknown status") == 0);
  CHECK(parkq_abi_version() == 1 && strlen(parkq_version()) > 0);
  NULLS(parkq_lot_from_json(NULL, 5, &no_lot));
  NULLS(parkq_lot_from_json(LOT, sizeof LOT - 1, NULL));
  NULLS(parkq_lot_import(PARKQ_LOT_FORMAT_PKLOT, NULL, 5, 8, 8, NULL, 0, &no_lot));
  NULLS(parkq_lot_import(PARKQ_LOT_FORMAT_COCO, "{}", 2, 8, 8, NULL, 1, &no_lot));
  NULLS(parkq_lot_import(PARKQ_LOT_FORMAT_COCO, "{}", 2, 8, 8, "a", 1, NULL));
  NULLS(parkq_lot_to_json(NULL, text, sizeof text, &n));
  NULLS(parkq_lot_to_json(lot, NULL, sizeof text, &n));
  NULLS(parkq_lot_to_json(lot, text, sizeof text, NULL));
  NULLS(parkq_lot_to_svg(NULL, 1.0, text, sizeof text, &n));
  NULLS(parkq_lot_to_svg(lot, 1.0, NULL, sizeof text, &n));
  NULLS(parkq_lot_to_svg(lot, 1.0, text, sizeof text, NULL));
  NULLS(parkq_lot_space(NULL, 0, &space));
  NULLS(parkq_lot_space(lot, 0, NULL));
  NULLS(parkq_quad_row(NULL, 2, quads));
  NULLS(parkq_quad_row(&quad, 2, NULL));
  NULLS(parkq_lot_space_count(NULL, &n));
  NULLS(parkq_lot_space_count(lot, NULL));
  NULLS(parkq_lot_space_id(NULL, 0, text, sizeof text, &n));
  NULLS(parkq_lot_space_id(lot, 0, NULL, sizeof text, &n));
  NULLS(parkq_lot_space_id(lot, 0, text, sizeof text, NULL));
  NULLS(parkq_estimator_options_default(NULL));
  NULLS(parkq_estimator_new(NULL, NULL, &no_estimator));
  NULLS(parkq_estimator_new(lot, NULL, NULL));
  NULLS(parkq_estimator_from_onnx(NULL, 1, "x", 1, lot, NULL, &no_estimator));
  NULLS(parkq_estimator_from_onnx("x", 1, NULL, 1, lot, NULL, &no_estimator));
  NULLS(parkq_estimator_from_onnx("x", 1, "x", 1, NULL, NULL, &no_estimator));
  NULLS(parkq_estimator_from_onnx("x", 1, "x", 1, lot, NULL, NULL));
  NULLS(parkq_estimator_model(NULL, NULL));
  NULLS(parkq_estimator_model(estimator, NULL));
  NULLS(parkq_estimator_occupancy(NULL, &frame, occupancy));
  NULLS(parkq_estimator_occupancy(estimator, NULL, occupancy));
  NULLS(parkq_estimator_occupancy(estimator, &frame, NULL));
  NULLS(parkq_estimator_occupancy_with(NULL, &frame, NULL, 0, occupancy));
  NULLS(parkq_estimator_occupancy_with(estimator, NULL, NULL, 0, occupancy));
  NULLS(parkq_estimator_occupancy_with(estimator, &frame, NULL, 1, occupancy));
  NULLS(parkq_estimator_occupancy_with(estimator, &frame, NULL, 0, NULL));
  NULLS(parkq_occupancy_new(NULL));
  NULLS(parkq_occupancy_counts(NULL, &counts));
  NULLS(parkq_occupancy_counts(occupancy, NULL));
  NULLS(parkq_occupancy_readings(NULL, &reading, 1, &n));
  NULLS(parkq_occupancy_readings(occupancy, NULL, 1, &n));
  NULLS(parkq_occupancy_readings(occupancy, &reading, 1, NULL));
  NULLS(parkq_occupancy_to_json(NULL, text, sizeof text, &n));
  NULLS(parkq_occupancy_to_json(occupancy, NULL, sizeof text, &n));
  NULLS(parkq_occupancy_to_json(occupancy, text, sizeof text, NULL));
  NULLS(parkq_occupancy_to_svg(NULL, lot, 1.0, text, sizeof text, &n));
  NULLS(parkq_occupancy_to_svg(occupancy, NULL, 1.0, text, sizeof text, &n));
  NULLS(parkq_occupancy_to_svg(occupancy, lot, 1.0, NULL, sizeof text, &n));
  NULLS(parkq_occupancy_to_svg(occupancy, lot, 1.0, text, sizeof text, NULL));
  NULLS(parkq_frame_packed(PARKQ_PIXEL_FORMAT_GRAY8, 8, 8, NULL, 64, &frame));
  NULLS(parkq_frame_packed(PARKQ_PIXEL_FORMAT_GRAY8, 8, 8, nv12, 64, NULL));
  NULLS(parkq_detector_options_default(NULL));
  NULLS(parkq_detector_new(NULL, NULL));
  NULLS(parkq_detector_from_onnx(NULL, 1, "x", 1, "{", 1, NULL, &no_detector));
  NULLS(parkq_detector_from_onnx("x", 1, NULL, 1, "{", 1, NULL, &no_detector));
  NULLS(parkq_detector_from_onnx("x", 1, "x", 1, NULL, 1, NULL, &no_detector));
  NULLS(parkq_detector_from_onnx("x", 1, "x", 1, "{", 1, NULL, NULL));
  NULLS(parkq_detector_model(NULL, &info));
  NULLS(parkq_detector_model(detector, NULL));
  NULLS(parkq_detector_detect(NULL, &frame, NULL, &found, 1, &n));
  NULLS(parkq_detector_detect(detector, NULL, NULL, &found, 1, &n));
  NULLS(parkq_detector_detect(detector, &frame, NULL, NULL, 1, &n));
  NULLS(parkq_detector_detect(detector, &frame, NULL, &found, 1, NULL));
  NULLS(parkq_policy_default(NULL));
  NULLS(parkq_anonymizer_new(NULL, NULL, NULL));
  NULLS(parkq_anonymizer_from_detector(NULL, NULL, NULL, &no_anonymizer));
  NULLS(parkq_anonymizer_from_detector(detector, NULL, NULL, NULL));
  NULLS(parkq_anonymizer_anonymize_in_place(anonymizer, NULL, picture, &redacted, 1, &n));
  NULLS(parkq_anonymizer_anonymize_encoded(NULL, nv12, 1, 1000, picture));
  NULLS(parkq_anonymizer_anonymize_encoded(anonymizer, NULL, 1, 1000, picture));
  NULLS(parkq_anonymizer_anonymize_encoded(anonymizer, nv12, 1, 1000, NULL));
  NULLS(parkq_frame_redact(NULL, NULL, &rect, 1));
  NULLS(parkq_picture_new(NULL));
  NULLS(parkq_picture_frame(NULL, &frame));
  NULLS(parkq_picture_frame(picture, NULL));
  NULLS(parkq_picture_redacted(NULL, &redacted, 1, &n));
  NULLS(parkq_picture_redacted(picture, NULL, 1, &n));
  NULLS(parkq_picture_redacted(picture, &redacted, 1, NULL));
  NULLS(parkq_picture_to_jpeg(NULL, 90, nv12, sizeof nv12, &n));
  NULLS(parkq_picture_to_jpeg(picture, 90, NULL, sizeof nv12, &n));
  NULLS(parkq_picture_to_jpeg(picture, 90, nv12, sizeof nv12, NULL));
  NULLS(parkq_picture_to_png(NULL, nv12, sizeof nv12, &n));
  NULLS(parkq_picture_to_png(picture, NULL, sizeof nv12, &n));
  NULLS(parkq_picture_to_png(picture, nv12, sizeof nv12, NULL));
  NULLS(parkq_stream_options_default(NULL));
  NULLS(parkq_stream_new(NULL, NULL, &no_stream));
  NULLS(parkq_stream_new(anonymizer, NULL, NULL));
  NULLS(parkq_stream_anonymize_in_place(stream, NULL, picture, &redacted, 1, &n));
  NULLS(parkq_stream_anonymize_encoded(NULL, nv12, 1, 1000, picture));
  NULLS(parkq_stream_anonymize_encoded(stream, NULL, 1, 1000, picture));
  NULLS(parkq_stream_anonymize_encoded(stream, nv12, 1, 1000, NULL));
  NULLS(parkq_pipeline_new(NULL, NULL, NULL, &no_pipeline));
  NULLS(parkq_pipeline_new(lot, NULL, NULL, NULL));
  NULLS(parkq_pipeline_from_parts(NULL, detector, NULL, &no_pipeline));
  NULLS(parkq_pipeline_from_parts(estimator, NULL, NULL, &no_pipeline));
  NULLS(parkq_pipeline_from_parts(estimator, detector, NULL, NULL));
  NULLS(parkq_pipeline_process_in_place(pipeline, NULL, NULL, occupancy, picture, &redacted, 1, &n));
  NULLS(parkq_pipeline_process_encoded(NULL, nv12, 1, 1000, NULL, occupancy, picture));
  NULLS(parkq_pipeline_process_encoded(pipeline, NULL, 1, 1000, NULL, occupancy, picture));
  NULLS(parkq_pipeline_process_encoded(pipeline, nv12, 1, 1000, NULL, NULL, picture));
  NULLS(parkq_memory_usage(NULL, &n));
  NULLS(parkq_memory_usage(&n, NULL));
  OK(parkq_memory_set_ceiling(0));
  OK(parkq_threads_set_cap(0));
  OK(parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
  parkq_lot_free(NULL);
  parkq_estimator_free(NULL);
  parkq_detector_free(NULL);
  parkq_anonymizer_free(NULL);
  parkq_stream_free(NULL);
  parkq_pipeline_free(NULL);
  parkq_occupancy_free(NULL);
  parkq_picture_free(NULL);

  CHECK(n == 77 && no_lot == NULL && no_estimator == NULL && no_pipeline == NULL);
  CHECK(no_detector == NULL && no_anonymizer == NULL && no_stream == NULL);
  CHECK(no_picture == NULL);
  /* Where nothing is written or read, NULL is no mistake. */
  OK(parkq_occupancy_readings(occupancy, NULL, 0, &n));
  CHECK(n == 3);
}

static void wrong_numbers(void) {
  parkq_frame bad;
  parkq_estimator_options options;
  parkq_detector_options looking;
  parkq_stream_options keeping;
  parkq_policy policy;
  parkq_estimator *no_estimator = NULL;
  parkq_pipeline *no_pipeline = NULL;
  parkq_detector *no_detector = NULL;
  parkq_anonymizer *no_anonymizer = NULL;
  parkq_stream *no_stream = NULL;
  parkq_occupancy *empty;
  parkq_picture *blank;
  parkq_space space;
  parkq_quad quad = {{{0.1, 0.1}, {0.2, 0.1}, {0.2, 0.2}, {0.1, 0.2}}};
  static parkq_quad quads[1001];
  parkq_counts counts;
  char text[8];
  size_t n;
  int i;

  FAILS(PARKQ_STATUS_ARGUMENT, parkq_log_set(4, NULL, NULL));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_lot_space_id(lot, 3, text, sizeof text, &n));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_lot_space(lot, SIZE_MAX, &space));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_lot_import(0, "x", 1, 8, 8, "x", 1, &lot));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_lot_import(5, "x", 1, 8, 8, "x", 1, &lot));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_import(PARKQ_LOT_FORMAT_PKLOT, "x", 1, 8, 8, "x", 1, &lot));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_import(PARKQ_LOT_FORMAT_ACPDS, "{}", 2, 8, 8, "x", 1, &lot));
  FAILS(PARKQ_STATUS_OPTION, parkq_quad_row(&quad, 0, NULL));
  FAILS(PARKQ_STATUS_OPTION, parkq_quad_row(&quad, 1001, quads));
  quad.corner[2].x = 0.0; /* its sides cross */
  FAILS(PARKQ_STATUS_LOT, parkq_quad_row(&quad, 2, quads));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_lot_from_json("\xff", 1, &lot));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json("{", 1, &lot));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json(NULL, 0, &lot));
  FAILS(PARKQ_STATUS_MODEL, parkq_estimator_from_onnx("x", 1, "x", 1, lot, NULL, &no_estimator));
  OK(parkq_estimator_options_default(&options));
  options.dispersion = 0.0;
  FAILS(PARKQ_STATUS_OPTION, parkq_estimator_new(lot, &options, &no_estimator));
  OK(parkq_estimator_options_default(&options));
  options.second_look = 2;
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_estimator_new(lot, &options, &no_estimator));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_pipeline_new(lot, &options, NULL, &no_pipeline));
  CHECK(no_estimator == NULL && no_pipeline == NULL);
  OK(parkq_detector_options_default(&looking));
  looking.tiling = 3;
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_detector_new(&looking, &no_detector));
  looking.tiling = PARKQ_TILING_AUTO;
  looking.max_overlap = 2.0f;
  FAILS(PARKQ_STATUS_OPTION, parkq_detector_new(&looking, &no_detector));
  FAILS(PARKQ_STATUS_MODEL,
        parkq_detector_from_onnx("x", 1, "x", 1, "{", 1, NULL, &no_detector));
  for (i = 0; i < 7; i++) {
    OK(parkq_policy_default(&policy));
    switch (i) {
      case 0: policy.plates = 2; break;
      case 1: policy.fallback = 3; break;
      case 2: policy.redaction = 3; break;
      case 3: policy.face_margin = -1.0f; break;
      case 4: policy.max_leak_bits = 9.0; break;
      case 5: policy.redaction = PARKQ_REDACTION_MOSAIC; policy.mosaic_cells[0] = 9; policy.mosaic_levels = 2; break;
      case 6: policy.plates = policy.faces = policy.persons = 0; break;
    }
    FAILS(i < 3 ? PARKQ_STATUS_ARGUMENT : PARKQ_STATUS_OPTION,
          parkq_anonymizer_new(&policy, lot, &no_anonymizer));
  }
  OK(parkq_stream_options_default(&keeping));
  keeping.keep_frames = 1001;
  FAILS(PARKQ_STATUS_OPTION, parkq_stream_new(anonymizer, &keeping, &no_stream));
  CHECK(no_detector == NULL && no_anonymizer == NULL && no_stream == NULL);
  FAILS(PARKQ_STATUS_DECODE,
        parkq_pipeline_process_encoded(pipeline, nv12, sizeof nv12, 1000, NULL, occupancy, NULL));
  FAILS(PARKQ_STATUS_DECODE,
        parkq_anonymizer_anonymize_encoded(anonymizer, nv12, sizeof nv12, 1000, picture));
  FAILS(PARKQ_STATUS_OUT_OF_MEMORY,
        parkq_anonymizer_anonymize_encoded(anonymizer, nv12, sizeof nv12, UINT64_MAX, picture));
  FAILS(PARKQ_STATUS_OPTION, parkq_picture_to_jpeg(picture, 0, NULL, 0, &n));
  FAILS(PARKQ_STATUS_OPTION, parkq_picture_to_jpeg(picture, 300, NULL, 0, &n));
  CHECK(strstr(parkq_last_error(), "300 is not in 1..=100") != NULL);
  OK(parkq_picture_new(&blank));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_picture_frame(blank, &bad));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_picture_to_png(blank, NULL, 0, &n));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_picture_redacted(blank, NULL, 0, &n));
  parkq_picture_free(blank);
  OK(parkq_occupancy_new(&empty));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_occupancy_counts(empty, &counts));
  parkq_occupancy_free(empty);

  for (i = 0; i < 12; i++) {
    parkq_status needed = PARKQ_STATUS_FRAME;
    bad = frame;
    switch (i) {
      case 0: bad.format = 0; needed = PARKQ_STATUS_ARGUMENT; break;
      case 1: bad.format = 10; needed = PARKQ_STATUS_ARGUMENT; break;
      case 2: bad.matrix = 2; needed = PARKQ_STATUS_ARGUMENT; break;
      case 3: bad.range = 2; needed = PARKQ_STATUS_ARGUMENT; break;
      case 4: bad.width = 0; break;
      case 5: bad.height = 32770; break;
      case 6: bad.width = 63; break;
      case 7: bad.height = 47; break;
      case 8: bad.stride[0] = WIDTH - 1; break;
      case 9: bad.stride[1] = 0; break;
      case 10: bad.plane[1] = NULL; needed = PARKQ_STATUS_NULL_POINTER; break;
      case 11: bad.stride[0] = SIZE_MAX / 2; needed = PARKQ_STATUS_ARGUMENT; break;
    }
    FAILS(needed, parkq_estimator_occupancy(estimator, &bad, occupancy));
  }
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_frame_packed(77, 8, 8, nv12, 64, &bad));
  FAILS(PARKQ_STATUS_FRAME, parkq_frame_packed(PARKQ_PIXEL_FORMAT_RGB8, 8, 8, nv12, 191, &bad));
  FAILS(PARKQ_STATUS_FRAME,
        parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, 7, 8, nv12, sizeof nv12, &bad));
  /* A failure leaves what was there. */
  OK(parkq_occupancy_counts(occupancy, &counts));
  CHECK(counts.closed == 1);
}

static unsigned char lent[NV12_LENGTH];

static parkq_status in_place(parkq_pipeline *pipeline, parkq_occupancy *occupancy, size_t capacity) {
  parkq_frame frame;
  parkq_redacted redacted;
  size_t n;
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, lent, NV12_LENGTH, &frame));
  return parkq_pipeline_process_in_place(pipeline, &frame, NULL, occupancy, picture,
                                         capacity > 1 ? &redacted : NULL, capacity, &n);
}

/* Whatever goes wrong with a lent picture, nothing of it is left, unless it is the frame itself
 * that is wrong. */
static void fails_closed(void) {
  parkq_frame frame;
  parkq_redacted redacted;
  parkq_policy policy;
  parkq_rect rect = {0.0f, 0.0f, 1.0f, 1.0f};
  size_t n, i;
  int attempt;
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, lent, NV12_LENGTH, &frame));
  for (attempt = 0; attempt < 15; attempt++) {
    made_up(lent, 3);
    switch (attempt) {
      case 0: NULLS(parkq_anonymizer_anonymize_in_place(NULL, &frame, NULL, NULL, 0, &n)); break;
      case 1:
        NULLS(parkq_anonymizer_anonymize_in_place(anonymizer, &frame, NULL, NULL, 1, &n));
        break;
      case 2:
        NULLS(parkq_anonymizer_anonymize_in_place(anonymizer, &frame, NULL, &redacted, 1, NULL));
        break;
      case 3: NULLS(parkq_stream_anonymize_in_place(NULL, &frame, NULL, NULL, 0, &n)); break;
      case 4: NULLS(parkq_stream_anonymize_in_place(stream, &frame, NULL, NULL, 0, NULL)); break;
      case 5: NULLS(in_place(NULL, occupancy, 0)); break;
      case 6: NULLS(in_place(pipeline, NULL, 0)); break;
      case 7: NULLS(in_place(pipeline, occupancy, 1)); break;
      case 8: NULLS(parkq_frame_redact(&frame, NULL, NULL, 1)); break;
      case 9: FAILS(PARKQ_STATUS_ARGUMENT, parkq_frame_redact(&frame, NULL, &rect, SIZE_MAX)); break;
      case 10:
      case 11:
        OK(parkq_policy_default(&policy));
        policy.redaction = attempt == 10 ? 3 : PARKQ_REDACTION_MOSAIC;
        policy.mosaic_levels = 0;
        FAILS(attempt == 10 ? PARKQ_STATUS_ARGUMENT : PARKQ_STATUS_OPTION,
              parkq_frame_redact(&frame, &policy, &rect, 1));
        break;
      case 12:
        OK(parkq_memory_set_ceiling(1));
        FAILS(PARKQ_STATUS_OUT_OF_MEMORY, in_place(pipeline, occupancy, 0));
        FAILS(PARKQ_STATUS_OUT_OF_MEMORY, parkq_picture_to_png(picture, NULL, 0, &n));
        OK(parkq_memory_set_ceiling(0));
        break;
      case 13: FAILS(PARKQ_STATUS_ARGUMENT, in_place(pipeline, occupancy, SIZE_MAX)); break;
      case 14: /* 8 bits, which the library allows, and this policy does not */
        OK(parkq_policy_default(&policy));
        policy.redaction = PARKQ_REDACTION_MOSAIC;
        policy.mosaic_cells[0] = policy.mosaic_cells[1] = 2;
        policy.mosaic_levels = 4;
        policy.max_leak_bits = 7.9;
        FAILS(PARKQ_STATUS_OPTION, parkq_frame_redact(&frame, &policy, &rect, 1));
        break;
    }
    for (i = 0; i < NV12_LENGTH; i++) CHECK(lent[i] == (i < WIDTH * HEIGHT ? 16 : 128));
  }
  frame.plane[1] = lent + 8; /* in the midst of the luma */
  FAILS(PARKQ_STATUS_ARGUMENT,
        parkq_anonymizer_anonymize_in_place(anonymizer, &frame, NULL, NULL, 0, &n));
  CHECK(strstr(parkq_last_error(), "overlap") != NULL);
}

static unsigned told;

/* Does what it may, and what it must not. */
static void careless(void *user, uint32_t level, const char *message) {
  parkq_lot *none = NULL;
  CHECK(user == NULL && level == PARKQ_LOG_LEVEL_ERROR && strlen(message) > 0);
  told++;
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json("{", 1, &none));
  FAILS(PARKQ_STATUS_ARGUMENT, parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
}

/* A callback of the log's that calls parkq neither waits for itself nor is told of that. */
static void log_in_log(void) {
  parkq_lot *none = NULL;
  OK(parkq_log_set(PARKQ_LOG_LEVEL_ERROR, careless, NULL));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json("[", 1, &none));
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json("[", 1, &none));
  CHECK(told == 2);
  OK(parkq_log_set(PARKQ_LOG_LEVEL_OFF, NULL, NULL));
}

/* The message stays where it is: who looks at an old pointer sees a text, cut if it is long. */
static void messages(void) {
  static char id[5000];
  const char *before = parkq_last_error();
  parkq_lot *none = NULL;
  strcpy(id, "{\"version\": 1, \"spaces\": [{\"id\": \"");
  memset(id + strlen(id), 'x', 4000);
  strcat(id, "\"}]}");
  FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json(id, strlen(id), &none));
  CHECK(parkq_last_error() == before && strlen(before) == 1023);
}

/* On a thread of parkq's own too. Standard error stays empty: who runs this looks. */
static void panics(void) {
  parkq_lot *none = NULL;
  uint32_t elsewhere;
  for (elsewhere = 0; elsewhere < 2; elsewhere++) {
    FAILS(PARKQ_STATUS_LOT, parkq_lot_from_json("{", 1, &none));
    CHECK(parkq_test_panic(elsewhere) == PARKQ_STATUS_PANIC);
    CHECK(strstr(parkq_last_error(), "on purpose") != NULL);
  }
  OK(parkq_estimator_occupancy(estimator, &frame, occupancy)); /* life goes on */
}

int main(void) {
  made_up(nv12, 1);
  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  OK(parkq_estimator_new(lot, NULL, &estimator));
  OK(parkq_detector_new(NULL, &detector));
  OK(parkq_anonymizer_new(NULL, lot, &anonymizer));
  OK(parkq_stream_new(anonymizer, NULL, &stream));
  OK(parkq_pipeline_new(lot, NULL, NULL, &pipeline));
  OK(parkq_occupancy_new(&occupancy));
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, nv12, NV12_LENGTH, &frame));
  OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
  OK(parkq_picture_new(&picture));
  OK(in_place(pipeline, occupancy, 0));
  null_pointers();
  wrong_numbers();
  fails_closed();
  messages();
  log_in_log();
  panics();
  parkq_picture_free(picture);
  parkq_occupancy_free(occupancy);
  parkq_pipeline_free(pipeline);
  parkq_stream_free(stream);
  parkq_anonymizer_free(anonymizer);
  parkq_detector_free(detector);
  parkq_estimator_free(estimator);
  parkq_lot_free(lot);
  return 0;
}
