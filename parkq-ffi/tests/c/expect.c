/* Does what standard input says, a task a line, and answers each with a status and a message:
 *   lot JSON | model TEXT | picture TEXT | options NAME=VALUE.. | buffer FORMAT WIDTH HEIGHT LENGTH
 * With a picture's and a lot's file as arguments, it prints the record of that scene. */
#include "common.h"

static char *file(const char *path, size_t *length) {
  FILE *in = fopen(path, "rb");
  char *bytes = (char *)malloc(1 << 20);
  CHECK(in != NULL && bytes != NULL);
  *length = fread(bytes, 1, 1 << 20, in);
  CHECK(feof(in));
  fclose(in);
  return bytes;
}

static void scene(const char *picture_path, const char *lot_path) {
  size_t length, lot_length, n;
  char *picture = file(picture_path, &length), *json = file(lot_path, &lot_length), *record;
  parkq_lot *lot;
  parkq_pipeline *pipeline;
  parkq_occupancy *occupancy;
  OK(parkq_lot_from_json(json, lot_length, &lot));
  OK(parkq_pipeline_new(lot, NULL, NULL, &pipeline));
  OK(parkq_occupancy_new(&occupancy));
  OK(parkq_pipeline_process_encoded(pipeline, picture, length, 8000000, NULL, occupancy, NULL));
  OK(parkq_occupancy_to_json(occupancy, NULL, 0, &n));
  record = (char *)malloc(n + 1);
  CHECK(record != NULL);
  OK(parkq_occupancy_to_json(occupancy, record, n + 1, &n));
  fwrite(record, 1, n, stdout);
  free(record);
  free(picture);
  free(json);
  parkq_occupancy_free(occupancy);
  parkq_pipeline_free(pipeline);
  parkq_lot_free(lot);
}

static parkq_status options(parkq_lot *lot, char *text) {
  parkq_estimator *none = NULL;
  parkq_estimator_options options;
  char *part;
  OK(parkq_estimator_options_default(&options));
  for (part = strtok(text, " "); part != NULL; part = strtok(NULL, " ")) {
    char *value = strchr(part, '=');
    double number;
    CHECK(value != NULL);
    *value++ = '\0';
    number = strtod(value, NULL);
    if (strcmp(part, "free_below") == 0) options.free_below = number;
    else if (strcmp(part, "occupied_above") == 0) options.occupied_above = number;
    else if (strcmp(part, "dispersion") == 0) options.dispersion = number;
    else if (strcmp(part, "min_side") == 0) options.min_side = number;
    else CHECK(strcmp(part, "max_masked") == 0 && ((options.max_masked = number), 1));
  }
  return parkq_estimator_new(lot, &options, &none);
}

int main(int argc, char **argv) {
  static char line[65536];
  parkq_lot *lot;
  parkq_pipeline *pipeline;
  parkq_occupancy *occupancy;
  (void)made_up;
  if (argc == 3) {
    scene(argv[1], argv[2]);
    return 0;
  }
  OK(parkq_lot_from_json(LOT, sizeof LOT - 1, &lot));
  OK(parkq_pipeline_new(lot, NULL, NULL, &pipeline));
  OK(parkq_occupancy_new(&occupancy));
  while (fgets(line, sizeof line, stdin) != NULL) {
    parkq_estimator *estimator = NULL;
    parkq_lot *other = NULL;
    parkq_status status = PARKQ_STATUS_OK;
    char *rest = strchr(line, ' ');
    size_t length;
    CHECK(rest != NULL);
    *rest++ = '\0';
    rest[strcspn(rest, "\n")] = '\0';
    length = strlen(rest);
    if (strcmp(line, "lot") == 0) {
      status = parkq_lot_from_json(rest, length, &other);
    } else if (strcmp(line, "model") == 0) {
      status = parkq_estimator_from_onnx("mine", 4, rest, length, lot, NULL, &estimator);
    } else if (strcmp(line, "picture") == 0) {
      status = parkq_pipeline_process_encoded(pipeline, rest, length, 1000, NULL, occupancy, NULL);
    } else if (strcmp(line, "options") == 0) {
      status = options(lot, rest);
    } else if (strcmp(line, "buffer") == 0) {
      unsigned format, width, height;
      unsigned long bytes;
      parkq_frame frame;
      CHECK(sscanf(rest, "%u %u %u %lu", &format, &width, &height, &bytes) == 4);
      CHECK(bytes <= sizeof line);
      status = parkq_frame_packed(format, width, height, (uint8_t *)line, bytes, &frame);
    }
    printf("%s\t%s\n", parkq_status_name(status), parkq_last_error());
  }
  parkq_occupancy_free(occupancy);
  parkq_pipeline_free(pipeline);
  parkq_lot_free(lot);
  return 0;
}
