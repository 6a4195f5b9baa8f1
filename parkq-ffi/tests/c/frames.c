/* Frame after frame, as in a camera that runs for days: nothing is lost, nothing grows. The
 * networks and frames are tiny, so that there can be many of them under valgrind too. Arguments:
 * how many frames, bright.onnx, space.onnx, not-a-number.onnx. */
#include "common.h"

#define ACROSS 64u
#define DOWN 16u
#define LENGTH (ACROSS * DOWN * 3u / 2u)

/* A bright square of 8 pixels is a face: of a plate the lot would say that it is too large. */
static const char BRIGHT[] =
    "{\"input\": {\"size\": {\"fixed\": [64, 64]}, \"resize\": \"corner\", \"pad\": 0}, \"logits\": true,"
    " \"classes\": 1, \"labels\": {\"0\": \"face\"},"
    " \"output\": {\"convention\": \"cells\", \"stride\": 8}}";

/* Its scores are no numbers. */
static const char BROKEN[] =
    "{\"input\": {\"size\": {\"fixed\": [64, 64]}}, \"classes\": 2, \"labels\": {\"1\": \"plate\"},"
    " \"output\": {\"convention\": \"yolov5\"}}";

static unsigned char nv12[LENGTH];
static parkq_detector *bright, *broken;
static parkq_anonymizer *anonymizer, *failing;
static parkq_stream *stream;
static parkq_pipeline *pipeline, *blind;
static parkq_occupancy *occupancy;
static parkq_picture *picture;
static parkq_frame frame;

static size_t read_file(const char *path, unsigned char *bytes, size_t capacity) {
  FILE *file = fopen(path, "rb");
  size_t length;
  CHECK(file != NULL);
  length = fread(bytes, 1, capacity, file);
  fclose(file);
  CHECK(length > 0 && length < capacity);
  return length;
}

static parkq_detector *detector(const char *path, const char *spec) {
  static unsigned char onnx[4096];
  size_t length = read_file(path, onnx, sizeof onnx);
  parkq_detector *made = NULL;
  parkq_detector_options options;
  OK(parkq_detector_options_default(&options));
  options.tiling = PARKQ_TILING_WHOLE;
  OK(parkq_detector_from_onnx("own", 3, onnx, length, spec, strlen(spec), &options, &made));
  return made;
}

static parkq_estimator *estimator(const char *path, const parkq_lot *lot) {
  static unsigned char onnx[4096];
  size_t length = read_file(path, onnx, sizeof onnx);
  parkq_estimator *made = NULL;
  OK(parkq_estimator_from_onnx("own", 3, onnx, length, lot, NULL, &made));
  return made;
}

/* Dark stripes, and on the right a bright square. Where its first pixel is. */
static unsigned char *draw(int i) {
  unsigned char *face = nv12 + (unsigned)(i % 2) * 8 * ACROSS + 40 + (unsigned)(i % 3) * 8;
  unsigned x, y;
  for (x = 0; x < ACROSS * DOWN; x++) nv12[x] = x % ACROSS / 5 % 2 ? 38 : 16;
  memset(nv12 + ACROSS * DOWN, 128, ACROSS * DOWN / 2);
  for (y = 0; y < 8; y++) memset(face + y * ACROSS, 235, 8);
  return face;
}

static void in_every_other_way(int i) {
  static unsigned char jpeg[1 << 16];
  parkq_lot *none = NULL;
  parkq_detection found[2];
  parkq_redacted redacted[4];
  char json[4096];
  size_t n, j;
  unsigned char *face = draw(i);
  OK(parkq_detector_detect(bright, &frame, NULL, found, 2, &n));
  CHECK(n == 1 && found[0].label == PARKQ_LABEL_FACE);
  OK(parkq_stream_anonymize_in_place(stream, &frame, picture, redacted, 4, &n));
  CHECK(n >= 2 && *face < 235);
  OK(parkq_occupancy_to_json(occupancy, json, sizeof json, &n));
  OK(parkq_picture_to_jpeg(picture, 90, jpeg, sizeof jpeg, &n));
  OK(parkq_pipeline_process_encoded(pipeline, jpeg, n, ACROSS * DOWN, NULL, occupancy, picture));
  /* What fails loses nothing either, and leaves no picture. */
  CHECK(parkq_pipeline_process_encoded(pipeline, jpeg, n / 2, ACROSS * DOWN, NULL, occupancy,
                                       picture) == PARKQ_STATUS_DECODE);
  CHECK(parkq_lot_from_json("{", 1, &none) == PARKQ_STATUS_LOT);
  draw(i);
  CHECK(parkq_anonymizer_anonymize_in_place(failing, &frame, picture, NULL, 0, &n) ==
        PARKQ_STATUS_INFERENCE);
  for (j = 0; j < LENGTH; j++) CHECK(nv12[j] == (j < ACROSS * DOWN ? 16 : 128));
}

int main(int argc, char **argv) {
  static const char no_space[] = "{\"version\": 1, \"spaces\": []}";
  parkq_lot *lot = NULL, *bare = NULL;
  parkq_estimator *spaces, *none;
  parkq_policy faces, averaged, plates; /* what each detector can find */
  parkq_redacted redacted[4];
  parkq_reading readings[3];
  size_t in_use, before = 0, peak, n;
  int frames, i;
  CHECK(argc == 5);
  (void)made_up;
  frames = atoi(argv[1]);
  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  bright = detector(argv[2], BRIGHT);
  OK(parkq_lot_from_json(no_space, sizeof no_space - 1, &bare));
  spaces = estimator(argv[3], lot);
  none = estimator(argv[3], bare);
  broken = detector(argv[4], BROKEN);
  OK(parkq_policy_default(&faces));
  faces.persons = 0;
  plates = faces;
  faces.plates = plates.faces = 0;
  averaged = faces;
  averaged.redaction = PARKQ_REDACTION_SURROUNDINGS;
  OK(parkq_anonymizer_from_detector(bright, &averaged, lot, &anonymizer));
  OK(parkq_anonymizer_from_detector(broken, &plates, NULL, &failing));
  OK(parkq_stream_new(anonymizer, NULL, &stream));
  OK(parkq_pipeline_from_parts(spaces, bright, &faces, &pipeline));
  OK(parkq_pipeline_from_parts(none, bright, &faces, &blind));
  OK(parkq_occupancy_new(&occupancy));
  OK(parkq_picture_new(&picture));
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, ACROSS, DOWN, nv12, LENGTH, &frame));
  for (i = 0; i < frames; i++) {
    int reads = i % 4 == 0; /* which is most of the work */
    unsigned char *face = draw(i);
    OK(parkq_pipeline_process_in_place(reads ? pipeline : blind, &frame, NULL, occupancy, picture,
                                       redacted, 4, &n));
    CHECK(n >= 1 && redacted[n - 1].label == PARKQ_LABEL_FACE && *face == 16);
    OK(parkq_occupancy_readings(occupancy, readings, 3, &n));
    CHECK(n == (reads ? 3 : 0));
    CHECK(!reads || (readings[0].probability > 0.0 && readings[0].probability < 1.0));
    if (i % 40 == 0) in_every_other_way(i);
    OK(parkq_memory_usage(&in_use, &peak));
    if (i == 200) before = in_use; /* the stream knows what there is by now */
    CHECK(i <= 200 || in_use <= before + 1024);
  }
  parkq_picture_free(picture);
  parkq_occupancy_free(occupancy);
  parkq_pipeline_free(blind);
  parkq_pipeline_free(pipeline);
  parkq_stream_free(stream);
  parkq_anonymizer_free(failing);
  parkq_anonymizer_free(anonymizer);
  parkq_estimator_free(none);
  parkq_estimator_free(spaces);
  parkq_detector_free(broken);
  parkq_detector_free(bright);
  parkq_lot_free(bare);
  parkq_lot_free(lot);
  return 0;
}
