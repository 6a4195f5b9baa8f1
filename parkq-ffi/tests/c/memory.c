/* The ceiling, what each call says that it takes, and a system without memory. */
#include <sys/resource.h>

#include "common.h"

static size_t in_use(void) {
  size_t now, peak;
  OK(parkq_memory_usage(&now, &peak));
  return now;
}

/* How far the memory in use rose above `before` since it was looked at, and what stays. */
static void took(size_t before, size_t most, size_t keeps, const char *what) {
  size_t now, peak;
  OK(parkq_memory_usage(&now, &peak));
  printf("%s: took %lu KiB of %lu, keeps %ld KiB\n", what, (unsigned long)(peak - before) / 1024,
         (unsigned long)most / 1024, ((long)now - (long)before) / 1024);
  CHECK((peak < before || peak - before <= most) && (now < before || now - before <= keeps));
}

/* Ends the address space a little above what is in use. */
static void end_address_space(size_t above) {
  struct rlimit limit;
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
  fclose(statm);
  CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = above == 0 ? limit.rlim_max : pages * 4096 + above;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

#define MIB ((size_t)1 << 20)

/* Where the system has no room for the stack of a thread, the one that calls does the work. */
static void no_threads(const parkq_frame *frame, parkq_occupancy *occupancy) {
  char json[4096] = "{\"version\": 1, \"spaces\": [";
  parkq_lot *lot = NULL;
  parkq_estimator *estimator = NULL;
  parkq_estimator_options options;
  parkq_counts counts;
  int i;
  for (i = 0; i < 16; i++) {
    sprintf(json + strlen(json),
            "%s{\"id\": \"%d\", \"quad\": [[0.%02d, 0.2], [0.%02d, 0.2], [0.%02d, 0.9], [0.%02d, 0.9]]}",
            i == 0 ? "" : ", ", i, 10 + 5 * i, 14 + 5 * i, 14 + 5 * i, 10 + 5 * i);
  }
  strcat(json, "]}");
  OK(parkq_lot_from_json(json, strlen(json), &lot));
  OK(parkq_estimator_options_default(&options));
  options.threads = 4;
  OK(parkq_estimator_new(lot, &options, &estimator));
  end_address_space(16 * MIB);
  OK(parkq_estimator_occupancy(estimator, frame, occupancy));
  end_address_space(0);
  OK(parkq_occupancy_counts(occupancy, &counts));
  CHECK(counts.free + counts.occupied + counts.unknown == 16);
  parkq_estimator_free(estimator);
  parkq_lot_free(lot);
}

/* The detector where the classifier is unsure, as it is of some of what is made up. */
static void second_look(const parkq_lot *lot, const parkq_frame *frame, unsigned char *nv12,
                        parkq_occupancy *occupancy) {
  parkq_estimator *once = NULL, *twice = NULL;
  parkq_estimator_options options;
  parkq_reading reading, other;
  size_t before, i, n, looked = 0;
  OK(parkq_estimator_options_default(&options));
  CHECK(options.second_look == 1);
  options.threads = 1;
  before = in_use();
  OK(parkq_estimator_new(lot, &options, &twice));
  took(before, 24 * MIB, 16 * MIB, "parkq_estimator_new with a second look");
  options.second_look = 0;
  OK(parkq_estimator_new(lot, &options, &once));
  for (i = 0; i < 100; i++) {
    made_up(nv12, (unsigned)i);
    OK(parkq_estimator_occupancy(once, frame, occupancy));
    OK(parkq_occupancy_readings(occupancy, &other, 1, &n));
    before = in_use();
    OK(parkq_estimator_occupancy(twice, frame, occupancy));
    OK(parkq_occupancy_readings(occupancy, &reading, 1, &n));
    if (reading.probability != other.probability) {
      took(before, 2 * MIB + 3 * 1024, looked == 0 ? MIB : 4096, "  a second look");
      looked++;
    }
  }
  CHECK(looked > 1);
  parkq_estimator_free(once);
  parkq_estimator_free(twice);
}

/* A lot that takes as much memory for its length as can be: objects with one short field. */
static void hostile_lot(void) {
  static const char head[] = "{\"version\": 1, \"spaces\": [{\"id\": 0}", space[] = ",{\"\":0}";
  size_t spaces = 20000, length = sizeof head - 1, i, before;
  char *json = (char *)malloc(length + spaces * (sizeof space - 1) + 2);
  parkq_lot *none = NULL;
  CHECK(json != NULL);
  memcpy(json, head, length);
  for (i = 0; i < spaces; i++, length += sizeof space - 1) {
    memcpy(json + length, space, sizeof space - 1);
  }
  memcpy(json + length, "]}", 2);
  before = in_use();
  CHECK(parkq_lot_from_json(json, length + 2, &none) == PARKQ_STATUS_LOT);
  took(before, 128 * length + 64 * 1024, 1024, "a hostile lot");
  free(json);
}

/* Texts about a lot of many spaces whose ids have to be escaped. */
static void texts(void) {
  enum { SPACES = 400, CORNERS = 200 };
  static char json[SPACES * 256 + CORNERS * 32];
  size_t i, n, most, before;
  parkq_lot *lot = NULL;
  strcpy(json, "{\"version\": 1, \"masks\": [[");
  for (i = 0; i < CORNERS; i++) {
    sprintf(json + strlen(json), "%s[0.%03u, 0.%u]", i == 0 ? "" : ", ", (unsigned)i + 100, 1 + (unsigned)i % 2);
  }
  strcat(json, ", [0.99, 0.95], [0.05, 0.95]]], \"spaces\": [");
  for (i = 0, n = strlen(json); i < SPACES; i++) {
    unsigned x = (unsigned)(i % 20) * 45 + 50, y = (unsigned)(i / 20) * 45 + 50;
    n += (size_t)sprintf(json + n,
                         "%s{\"id\": \"&'&'&'&'%03u\", \"quad\": [[0.%03u, 0.%03u], [0.%03u, 0.%03u], "
                         "[0.%03u, 0.%03u], [0.%03u, 0.%03u]]}",
                         i == 0 ? "" : ", ", (unsigned)i, x, y, x + 40, y, x + 40, y + 40, x, y + 40);
  }
  strcpy(json + n, "]}");
  OK(parkq_lot_from_json(json, n + 2, &lot));
  most = 16 * 1024 + SPACES * 4096 + (CORNERS + 3) * 1024 + SPACES * 11 * 48;
  before = in_use();
  OK(parkq_lot_to_json(lot, NULL, 0, &n));
  took(before, most, 1024, "parkq_lot_to_json");
  OK(parkq_lot_to_svg(lot, 1.5, NULL, 0, &n));
  took(before, most, 1024, "parkq_lot_to_svg");
  OK(parkq_memory_set_ceiling(in_use() + most / 2));
  CHECK(parkq_lot_to_json(lot, NULL, 0, &n) == PARKQ_STATUS_OUT_OF_MEMORY);
  CHECK(parkq_lot_to_svg(lot, 1.5, NULL, 0, &n) == PARKQ_STATUS_OUT_OF_MEMORY);
  OK(parkq_memory_set_ceiling(0));
  parkq_lot_free(lot);
}

/* Noise is what an encoder makes most of, and many rectangles what a report is long of. */
static void encoders_and_rectangles(const parkq_anonymizer *anonymizer) {
  enum { SIDE = 256, RECTS = 1000 };
  static unsigned char rgb[SIDE * SIDE * 3];
  static parkq_rect rects[RECTS];
  parkq_picture *picture = NULL;
  parkq_frame frame;
  size_t i, n, before;
  unsigned seed = 1;
  for (i = 0; i < sizeof rgb; i++) {
    seed = seed * 1664525u + 1013904223u;
    rgb[i] = (unsigned char)(seed >> 24);
  }
  OK(parkq_picture_new(&picture));
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_RGB8, SIDE, SIDE, rgb, sizeof rgb, &frame));
  OK(parkq_anonymizer_anonymize_in_place(anonymizer, &frame, picture, NULL, 0, &n));
  before = in_use();
  OK(parkq_picture_to_png(picture, NULL, 0, &n));
  took(before, 24 * SIDE * SIDE + MIB, 1024, "parkq_picture_to_png");
  OK(parkq_picture_to_jpeg(picture, 100, NULL, 0, &n));
  took(before, 24 * SIDE * SIDE + MIB, 1024, "parkq_picture_to_jpeg");
  for (i = 0; i < RECTS; i++) {
    rects[i].x = (float)(i % 50 * 5);
    rects[i].y = (float)(i / 50 * 5);
    rects[i].width = rects[i].height = i % 2 == 0 ? 3.0f : 6.0f;
  }
  OK(parkq_frame_redact(&frame, NULL, rects, RECTS));
  took(before, 256 * RECTS, 1024, "parkq_frame_redact");
  parkq_picture_free(picture);
}

int main(void) {
  enum { VEHICLES = 4097 };
  static unsigned char nv12[NV12_LENGTH];
  static parkq_detection vehicles[VEHICLES];
  parkq_lot *lot = NULL;
  static const size_t sizes[][2] = {{64, 48}, {640, 480}, {1280, 720}};
  parkq_estimator *estimator = NULL, *none = NULL;
  parkq_detector *detector = NULL;
  parkq_anonymizer *anonymizer = NULL;
  parkq_detector_options looking;
  parkq_estimator_options options;
  parkq_occupancy *occupancy = NULL;
  parkq_frame frame;
  size_t before, i;

  CHECK(setenv("RUST_MIN_STACK", "67108864", 1) == 0); /* for no_threads */
  before = in_use();
  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  took(before, 128 * sizeof LOT + 64 * 1024, 64 * 1024, "parkq_lot_from_json");
  OK(parkq_occupancy_new(&occupancy));
  OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, WIDTH, HEIGHT, nv12, NV12_LENGTH, &frame));

  /* Too low a ceiling: nothing happens, and it is said. */
  OK(parkq_memory_set_ceiling(4 * MIB));
  before = in_use();
  CHECK(parkq_estimator_new(lot, NULL, &none) == PARKQ_STATUS_OUT_OF_MEMORY);
  CHECK(strstr(parkq_last_error(), "under the ceiling of 4194304") != NULL);
  took(before, 1024, 1024, "refused");
  OK(parkq_memory_set_ceiling(64 * MIB));
  OK(parkq_estimator_options_default(&options));
  options.threads = 1;
  options.second_look = 0;
  before = in_use();
  OK(parkq_estimator_new(lot, &options, &estimator));
  took(before, 8 * MIB, 4 * MIB, "parkq_estimator_new");

  OK(parkq_memory_set_ceiling(in_use() + MIB / 2));
  CHECK(parkq_estimator_occupancy(estimator, &frame, occupancy) == PARKQ_STATUS_OUT_OF_MEMORY);
  OK(parkq_memory_set_ceiling(in_use() + 2 * MIB));
  before = in_use();
  OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
  took(before, MIB + 3 * 1024, MIB / 4, "parkq_estimator_occupancy");
  for (i = 0; i < VEHICLES; i++) vehicles[i].label = PARKQ_LABEL_VEHICLE;
  OK(parkq_memory_set_ceiling(in_use() + 2 * MIB));
  before = in_use();
  OK(parkq_estimator_occupancy_with(estimator, &frame, vehicles, VEHICLES, occupancy));
  took(before, MIB + 3 * 1024 + 40 * VEHICLES, 4096, "  with vehicles");
  before = in_use();
  for (i = 0; i < 200; i++) {
    made_up(nv12, (unsigned)i);
    OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
  }
  took(before, MIB + 3 * 1024, 4096, "200 more frames"); /* it does not grow */
  OK(parkq_memory_set_ceiling(0));

  second_look(lot, &frame, nv12, occupancy);

  /* A system without memory. */
  end_address_space(4 * MIB);
  CHECK(parkq_estimator_new(lot, NULL, &none) == PARKQ_STATUS_OUT_OF_MEMORY);
  CHECK(strstr(parkq_last_error(), "the system has less") != NULL && none == NULL);
  OK(parkq_estimator_occupancy(estimator, &frame, occupancy));
  end_address_space(0);
  OK(parkq_estimator_new(lot, NULL, &none));
  no_threads(&frame, occupancy);

  hostile_lot();
  texts();

  /* The detector, on frames of several sizes. */
  before = in_use();
  OK(parkq_detector_options_default(&looking));
  looking.tiling = PARKQ_TILING_FULL;
  OK(parkq_detector_new(&looking, &detector));
  took(before, 32 * MIB, 24 * MIB, "parkq_detector_new");
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t width = sizes[i][0], height = sizes[i][1], n;
    size_t scale = (width > height ? width : height) < 960 ? 3 : 1;
    size_t across = (width * scale < 1024 ? width * scale : 1024) + 32;
    size_t down = (height * scale < 1024 ? height * scale : 1024) + 32;
    size_t most = 32 * MIB + 96 * across * down;
    unsigned char *gray = (unsigned char *)calloc(width, height);
    char what[64];
    CHECK(gray != NULL);
    OK(parkq_frame_packed(PARKQ_PIXEL_FORMAT_GRAY8, (uint32_t)width, (uint32_t)height, gray,
                          width * height, &frame));
    before = in_use();
    OK(parkq_detector_detect(detector, &frame, NULL, NULL, 0, &n));
    sprintf(what, "parkq_detector_detect %lux%lu", (unsigned long)width, (unsigned long)height);
    took(before, most, 64 * MIB, what);
    before = in_use();
    OK(parkq_detector_detect(detector, &frame, lot, NULL, 0, &n));
    took(before, most, 64 * MIB, "  on the lot");
    free(gray);
  }
  OK(parkq_anonymizer_from_detector(detector, NULL, NULL, &anonymizer));
  encoders_and_rectangles(anonymizer);
  parkq_anonymizer_free(anonymizer);
  parkq_detector_free(detector);
  took(before, SIZE_MAX, 0, "freed");

  parkq_estimator_free(none);
  parkq_occupancy_free(occupancy);
  parkq_estimator_free(estimator);
  parkq_lot_free(lot);
  return 0;
}
