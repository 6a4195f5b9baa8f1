/* Which spaces are taken, in a NV12 frame as a camera hands it over.
 *
 *   occupancy                                  a frame that is drawn here
 *   occupancy FRAME.nv12 WIDTH HEIGHT LOT.json a file of yours, rows without padding
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <parkq.h>

static const char DRAWN_LOT[] =
    "{\"version\": 1, \"spaces\": ["
    "{\"id\": \"A1\", \"quad\": [[0.10, 0.3], [0.30, 0.3], [0.28, 0.9], [0.06, 0.9]]},"
    "{\"id\": \"A2\", \"quad\": [[0.35, 0.3], [0.55, 0.3], [0.54, 0.9], [0.33, 0.9]]},"
    "{\"id\": \"A3\", \"quad\": [[0.60, 0.3], [0.80, 0.3], [0.82, 0.9], [0.60, 0.9]]}]}";

/* Gray ground, white lines, and something dark and shiny in the middle space. */
static void draw(uint8_t *nv12, size_t width, size_t height) {
  size_t x, y;
  for (y = 0; y < height; y++) {
    for (x = 0; x < width; x++) {
      double u = (double)x / (double)width, v = (double)y / (double)height;
      uint8_t luma = (uint8_t)(110 + (x * 7 + y * 13) % 11);
      if (v > 0.3 && v < 0.9 && (x + 8) % (width / 4) < 4) luma = 220;
      if (u > 0.37 && u < 0.52 && v > 0.38 && v < 0.82) luma = v > 0.5 && v < 0.6 ? 200 : 50;
      nv12[y * width + x] = luma;
    }
  }
  memset(nv12 + width * height, 128, width * height / 2);
}

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  char *bytes = NULL;
  size_t capacity = 0, n;
  *length = 0;
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  do {
    if (*length == capacity) {
      char *more = (char *)realloc(bytes, capacity = 2 * capacity + 65536);
      if (more == NULL) exit(1);
      bytes = more;
    }
    n = fread(bytes + *length, 1, capacity - *length, file);
    *length += n;
  } while (n > 0);
  fclose(file);
  return bytes;
}

static void need(parkq_status status, const char *what) {
  if (status != PARKQ_STATUS_OK) {
    fprintf(stderr, "%s: %s\n", what, parkq_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  static const char *const states[] = {"?", "free", "occupied", "unknown", "closed"};
  uint32_t width = 640, height = 480;
  size_t length, lot_length = sizeof DRAWN_LOT - 1, spaces, i;
  uint8_t *nv12;
  char *lot_json = NULL;
  parkq_lot *lot = NULL;
  parkq_estimator *estimator = NULL;
  parkq_occupancy *occupancy = NULL;
  parkq_reading *readings;
  parkq_counts counts;
  parkq_frame frame;

  if (argc == 5) {
    nv12 = (uint8_t *)read_file(argv[1], &length);
    width = (uint32_t)strtoul(argv[2], NULL, 10);
    height = (uint32_t)strtoul(argv[3], NULL, 10);
    lot_json = read_file(argv[4], &lot_length);
  } else if (argc == 1) {
    length = (size_t)width * height * 3 / 2;
    nv12 = (uint8_t *)malloc(length);
    if (nv12 == NULL) return 1;
    draw(nv12, width, height);
  } else {
    fprintf(stderr, "usage: %s [FRAME.nv12 WIDTH HEIGHT LOT.json]\n", argv[0]);
    return 2;
  }

  /* Once for a camera. */
  need(parkq_lot_from_json(lot_json != NULL ? lot_json : DRAWN_LOT, lot_length, &lot), "lot");
  need(parkq_lot_space_count(lot, &spaces), "lot");
  need(parkq_estimator_new(lot, NULL, &estimator), "estimator");
  need(parkq_occupancy_new(&occupancy), "occupancy");
  readings = (parkq_reading *)calloc(spaces + 1, sizeof *readings);
  if (readings == NULL) return 1;

  /* For each frame. */
  need(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, width, height, nv12, length, &frame), "frame");
  need(parkq_estimator_occupancy(estimator, &frame, occupancy), "occupancy");
  need(parkq_occupancy_readings(occupancy, readings, spaces, &spaces), "readings");
  need(parkq_occupancy_counts(occupancy, &counts), "counts");

  for (i = 0; i < spaces; i++) {
    char id[32];
    size_t n;
    need(parkq_lot_space_id(lot, i, id, sizeof id, &n), "id");
    printf("%-10s %-8s %.3f\n", id, readings[i].state <= 4 ? states[readings[i].state] : "?",
           readings[i].probability);
  }
  printf("%u free, %u occupied (95 %% interval: %u to %u), %u unknown, %u closed\n",
         (unsigned)counts.free, (unsigned)counts.occupied, (unsigned)counts.occupied_low,
         (unsigned)counts.occupied_high, (unsigned)counts.unknown, (unsigned)counts.closed);

  free(readings);
  parkq_occupancy_free(occupancy);
  parkq_estimator_free(estimator);
  parkq_lot_free(lot);
  free(lot_json);
  free(nv12);
  return 0;
}
