/* Destroys people and plates in a NV12 frame, where it lies, as in a camera before it encodes.
 *
 *   anonymize FRAME.nv12 WIDTH HEIGHT OUT    OUT is NV12 again, or a JPEG if it ends in .jpg
 *   anonymize                                a frame that is made up here; writes no file
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <parkq.h>

static void need(parkq_status status, const char *what) {
  if (status != PARKQ_STATUS_OK) {
    fprintf(stderr, "%s: %s\n", what, parkq_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  static const char *const labels[] = {"mask", "vehicle", "person", "plate", "face", "other"};
  uint32_t width = 320, height = 240;
  size_t length, count, i;
  uint8_t *nv12;
  parkq_anonymizer *anonymizer = NULL;
  parkq_stream *stream = NULL;
  parkq_picture *picture = NULL; /* NULL: no copy is made */
  parkq_redacted redacted[64];
  parkq_frame frame;

  if (argc != 1 && argc != 5) {
    fprintf(stderr, "usage: %s [FRAME.nv12 WIDTH HEIGHT OUT]\n", argv[0]);
    return 2;
  }
  if (argc == 5) {
    width = (uint32_t)strtoul(argv[2], NULL, 10);
    height = (uint32_t)strtoul(argv[3], NULL, 10);
  }
  length = (size_t)width * height * 3 / 2;
  nv12 = (uint8_t *)malloc(length + 1);
  if (nv12 == NULL) return 1;
  memset(nv12, 128, length);
  if (argc == 5) {
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL || fread(nv12, 1, length, file) != length) {
      fprintf(stderr, "%s: cannot read %lu bytes\n", argv[1], (unsigned long)length);
      return 1;
    }
    fclose(file);
  }

  /* Once for a camera: a stream keeps hidden what the detector misses in one frame. */
  need(parkq_anonymizer_new(NULL, NULL, &anonymizer), "anonymizer");
  need(parkq_stream_new(anonymizer, NULL, &stream), "stream");
  if (argc == 5 && strlen(argv[4]) > 4 && strcmp(argv[4] + strlen(argv[4]) - 4, ".jpg") == 0) {
    need(parkq_picture_new(&picture), "picture");
  }

  /* For each frame. If this fails, the frame is black. */
  need(parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, width, height, nv12, length, &frame), "frame");
  need(parkq_stream_anonymize_in_place(stream, &frame, picture, redacted, 64, &count), "anonymize");

  printf("%lu regions destroyed\n", (unsigned long)count);
  for (i = 0; i < count && i < 64; i++) {
    const parkq_rect *rect = &redacted[i].rect;
    printf("%-8s %.0f %.0f %.0f %.0f\n", labels[redacted[i].label <= 5 ? redacted[i].label : 5],
           rect->x, rect->y, rect->width, rect->height);
  }
  if (argc == 5) {
    FILE *file = fopen(argv[4], "wb");
    uint8_t *out = nv12;
    if (picture != NULL) {
      size_t capacity = (size_t)width * height * 3;
      out = (uint8_t *)malloc(capacity);
      if (out == NULL) return 1;
      need(parkq_picture_to_jpeg(picture, 90, out, capacity, &length), "JPEG");
      if (length > capacity) return 1;
    }
    if (file == NULL || fwrite(out, 1, length, file) != length || fclose(file) != 0) {
      perror(argv[4]);
      return 1;
    }
    if (out != nv12) free(out);
  }
  parkq_picture_free(picture);
  parkq_stream_free(stream);
  parkq_anonymizer_free(anonymizer);
  free(nv12);
  return 0;
}
