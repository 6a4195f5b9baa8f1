/* Nothing of a picture stays in the process's memory: not in decoders' buffers, not in tensors.
 * The argument is a PNG of the noise below. */
#include "common.h"

/* So wide that the detector reads it as it is: its longer side is that of the finest level. */
#define PICTURE_WIDTH 896u
#define PICTURE_HEIGHT 96u
#define RUN 24u

/* Where in the picture the runs of bytes begin that are looked for. */
static const unsigned starts[] = {13530, 109620, 215340};
#define RUNS (sizeof starts / sizeof *starts)

/* They are looked for by their complement, so that what is looked for is not found itself. */
static unsigned char complement[RUNS][RUN];

static void pick(void) {
  unsigned state = 1, i, r;
  for (i = 0; i < PICTURE_WIDTH * PICTURE_HEIGHT * 3; i++) {
    state = state * 1664525u + 1013904223u;
    for (r = 0; r < RUNS; r++) {
      if (i >= starts[r] && i < starts[r] + RUN) {
        complement[r][i - starts[r]] = (unsigned char)~(state >> 24);
      }
    }
  }
}

static int is_run(const unsigned char *at, unsigned r) {
  unsigned i;
  for (i = 0; i < RUN; i++) {
    if ((unsigned char)~at[i] != complement[r][i]) return 0;
  }
  return 1;
}

/* The run's red values one after the other, as in a tensor. */
static int is_red(const unsigned char *at, unsigned r) {
  unsigned i;
  for (i = 0; i < RUN / 3; i++) {
    float value;
    memcpy(&value, at + i * sizeof value, sizeof value);
    if (value != (float)(unsigned char)~complement[r][3 * i]) return 0;
  }
  return 1;
}

/* How often the runs lie in the process's writable memory. */
static unsigned copies(void) {
  static char line[4096];
  unsigned found = 0, r;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    char rights[8];
    const unsigned char *at, *end;
    CHECK(sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3);
    if (strncmp(rights, "rw", 2) != 0) continue;
    end = (const unsigned char *)to - 4 * RUN;
    for (at = (const unsigned char *)from; at < end; at++) {
      for (r = 0; r < RUNS; r++) found += is_run(at, r) || is_red(at, r);
    }
  }
  fclose(maps);
  return found;
}

int main(int argc, char **argv) {
  static unsigned char png[1 << 19];
  static const char anywhere[] = "{\"version\": 1, \"spaces\": []}";
  const char *lots[2] = {LOT, anywhere};
  volatile unsigned char *planted; /* so that what is written is */
  size_t length;
  unsigned i;
  FILE *file = fopen(argc > 1 ? argv[1] : "", "rb");
  parkq_lot *lot = NULL;
  parkq_pipeline *pipeline = NULL;
  parkq_occupancy *occupancy = NULL;
  (void)made_up;
  CHECK(file != NULL);
  pick();
  CHECK(copies() == 0);
  planted = (volatile unsigned char *)malloc(RUN * 8);
  CHECK(planted != NULL);
  for (i = 0; i < RUN; i++) planted[i + 5] = (unsigned char)~complement[1][i];
  CHECK(copies() == 1); /* the search finds what there is */
  for (i = 0; i < RUN * 8; i++) planted[i] = 0;
  CHECK(copies() == 0);
  for (i = 0; i < RUN / 3; i++) {
    float red = (float)(unsigned char)~complement[2][3 * i];
    unsigned char bytes[sizeof red];
    unsigned k;
    memcpy(bytes, &red, sizeof red);
    for (k = 0; k < sizeof red; k++) planted[i * sizeof red + k] = bytes[k];
  }
  CHECK(copies() == 1);
  for (i = 0; i < RUN * 8; i++) planted[i] = 0;
  setvbuf(file, NULL, _IONBF, 0);

  OK(parkq_occupancy_new(&occupancy));
  for (i = 0; i < 2; i++) {
    rewind(file);
    length = fread(png, 1, sizeof png, file);
    CHECK(length > 2000 && length < sizeof png);
    OK(parkq_lot_from_json(lots[i], strlen(lots[i]), &lot));
    OK(parkq_pipeline_new(lot, NULL, NULL, &pipeline));
    OK(parkq_pipeline_process_encoded(pipeline, png, length, 100000, NULL, occupancy, NULL));
    /* Cut short, so that no later work writes over what the decoder leaves. */
    CHECK(parkq_pipeline_process_encoded(pipeline, png, length - 2000, 100000, NULL, occupancy, NULL) ==
          PARKQ_STATUS_DECODE);
    memset(png, 0, sizeof png); /* ours */
    CHECK(copies() == 0);
    parkq_pipeline_free(pipeline);
    parkq_lot_free(lot);
  }
  fclose(file);
  parkq_occupancy_free(occupancy);
  free((void *)planted);
  return 0;
}
