/* Counts free spaces in the frames of a V4L2 camera (Linux), without a copy of any frame.
 *
 *   v4l2 LOT.json [/dev/video0 [FRAMES]]
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <parkq.h>

#define BUFFERS 3

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void need(parkq_status status, const char *what) {
  if (status != PARKQ_STATUS_OK) {
    fprintf(stderr, "%s: %s\n", what, parkq_last_error());
    exit(1);
  }
}

static void control(int camera, unsigned long request, void *argument, const char *what) {
  while (ioctl(camera, request, argument) < 0) {
    if (errno != EINTR) fail(what);
  }
}

/* The planes of a buffer in the driver's layout: rows may be padded, in both planes alike. */
static parkq_frame frame_of(const struct v4l2_pix_format *format, uint8_t *bytes) {
  parkq_frame frame = {0};
  frame.width = format->width;
  frame.height = format->height;
  frame.plane[0] = bytes;
  frame.stride[0] = format->bytesperline;
  if (format->pixelformat == V4L2_PIX_FMT_NV12) {
    frame.format = PARKQ_PIXEL_FORMAT_NV12;
    frame.plane[1] = bytes + (size_t)format->bytesperline * format->height;
    frame.stride[1] = format->bytesperline;
  } else {
    frame.format = PARKQ_PIXEL_FORMAT_YUYV;
  }
  frame.matrix = format->colorspace == V4L2_COLORSPACE_REC709 ? PARKQ_MATRIX_BT709
                                                              : PARKQ_MATRIX_BT601;
  frame.range = format->quantization == V4L2_QUANTIZATION_FULL_RANGE ? PARKQ_RANGE_FULL
                                                                     : PARKQ_RANGE_LIMITED;
  return frame;
}

static parkq_lot *read_lot(const char *path) {
  static char json[1 << 20];
  FILE *file = fopen(path, "rb");
  parkq_lot *lot = NULL;
  size_t length;
  if (file == NULL) fail(path);
  length = fread(json, 1, sizeof json, file);
  fclose(file);
  need(parkq_lot_from_json(json, length, &lot), path);
  return lot;
}

int main(int argc, char **argv) {
  const char *device = argc > 2 ? argv[2] : "/dev/video0";
  long frames = argc > 3 ? strtol(argv[3], NULL, 10) : 0; /* 0: without end */
  enum v4l2_buf_type capture = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  struct v4l2_format format;
  struct v4l2_requestbuffers request;
  uint8_t *memory[BUFFERS];
  size_t lengths[BUFFERS];
  parkq_lot *lot;
  parkq_estimator *estimator = NULL;
  parkq_occupancy *occupancy = NULL;
  uint32_t i;
  long n;
  int camera;

  if (argc < 2) {
    fprintf(stderr, "usage: %s LOT.json [/dev/video0 [FRAMES]]\n", argv[0]);
    return 2;
  }
  lot = read_lot(argv[1]);
  need(parkq_estimator_new(lot, NULL, &estimator), "estimator");
  need(parkq_occupancy_new(&occupancy), "occupancy");

  camera = open(device, O_RDWR);
  if (camera < 0) fail(device);
  memset(&format, 0, sizeof format);
  format.type = capture;
  format.fmt.pix.width = 1280;
  format.fmt.pix.height = 720;
  format.fmt.pix.pixelformat = V4L2_PIX_FMT_NV12;
  control(camera, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
  if (format.fmt.pix.pixelformat != V4L2_PIX_FMT_NV12) {
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
    control(camera, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
    if (format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV) {
      fprintf(stderr, "%s: neither NV12 nor YUYV\n", device);
      return 1;
    }
  }

  memset(&request, 0, sizeof request);
  request.count = BUFFERS;
  request.type = capture;
  request.memory = V4L2_MEMORY_MMAP;
  control(camera, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");
  if (request.count > BUFFERS) request.count = BUFFERS;
  for (i = 0; i < request.count; i++) {
    struct v4l2_buffer buffer;
    memset(&buffer, 0, sizeof buffer);
    buffer.index = i;
    buffer.type = capture;
    buffer.memory = V4L2_MEMORY_MMAP;
    control(camera, VIDIOC_QUERYBUF, &buffer, "VIDIOC_QUERYBUF");
    lengths[i] = buffer.length;
    memory[i] = (uint8_t *)mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, camera,
                                (off_t)buffer.m.offset);
    if (memory[i] == MAP_FAILED) fail("mmap");
    control(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
  }
  control(camera, VIDIOC_STREAMON, &capture, "VIDIOC_STREAMON");

  for (n = 0; frames == 0 || n < frames; n++) {
    struct v4l2_buffer buffer;
    parkq_frame frame;
    parkq_counts counts;
    memset(&buffer, 0, sizeof buffer);
    buffer.type = capture;
    buffer.memory = V4L2_MEMORY_MMAP;
    control(camera, VIDIOC_DQBUF, &buffer, "VIDIOC_DQBUF");
    /* A driver that lost a part of the frame says so; sizeimage covers what frame_of reads. */
    if (!(buffer.flags & V4L2_BUF_FLAG_ERROR) && buffer.bytesused >= format.fmt.pix.sizeimage) {
      frame = frame_of(&format.fmt.pix, memory[buffer.index]);
      need(parkq_estimator_occupancy(estimator, &frame, occupancy), "occupancy");
      need(parkq_occupancy_counts(occupancy, &counts), "counts");
      printf("%u free, %u occupied, %u unknown\n", (unsigned)counts.free,
             (unsigned)counts.occupied, (unsigned)counts.unknown);
    }
    /* The driver fills the buffer anew: until then the picture is in it, as the driver left it. */
    control(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
  }

  control(camera, VIDIOC_STREAMOFF, &capture, "VIDIOC_STREAMOFF");
  for (i = 0; i < request.count; i++) munmap(memory[i], lengths[i]);
  close(camera);
  parkq_occupancy_free(occupancy);
  parkq_estimator_free(estimator);
  parkq_lot_free(lot);
  return 0;
}
