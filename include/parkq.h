/*
 * parkq: which parking spaces are taken, from a camera frame in memory, keeping no picture.
 *
 * This header is the manual. Made from parkq-ffi by cbindgen: change it there.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The first minute (examples/c/occupancy.c is the whole program):
 *
 *   parkq_lot *lot = NULL;
 *   parkq_estimator *estimator = NULL;
 *   parkq_occupancy *occupancy = NULL;
 *   parkq_frame frame;
 *   parkq_counts counts;
 *
 *   parkq_lot_from_json(json, json_length, &lot);               once for a camera
 *   parkq_estimator_new(lot, NULL, &estimator);
 *   parkq_occupancy_new(&occupancy);
 *   parkq_frame_packed(PARKQ_PIXEL_FORMAT_NV12, 1280, 720, nv12, nv12_length, &frame);
 *   parkq_estimator_occupancy(estimator, &frame, occupancy);    for each frame
 *   parkq_occupancy_counts(occupancy, &counts);
 *
 * To send the picture on, or to keep it, let a pipeline anonymize it where it lies first:
 * parkq_pipeline_process_in_place; or parkq_stream_anonymize_in_place, without the spaces.
 *
 * What holds for every function:
 * - It returns PARKQ_STATUS_OK, or what went wrong; parkq_last_error() then says it in words.
 * - Inputs come before outputs. Outputs are written only if it succeeds. A pointer that is NULL
 *   is PARKQ_STATUS_NULL_POINTER, unless NULL is said to be allowed; no two outputs may overlap.
 * - Arrays and texts that it writes are yours, with a capacity; `count` receives how many there
 *   are, which may be more than were written. Texts that it reads have a length, and need no NUL.
 * - What `_new` and `_from_..` make is freed by the `_free` of its type, once. A type's
 *   description says which threads may use it.
 * - It opens no file and no socket, reads no clock and prints nothing. But when the first model is
 *   loaded, the inference engine asks the system about the processor: on Linux it reads files under
 *   /sys/devices/system/cpu (on ARM /proc/cpuinfo too), on Windows it runs `wmic`; and a number of
 *   threads of 0 makes it read /proc/self/cgroup on Linux.
 * - It never unwinds into the caller and leaves signals alone. A fault of parkq's own is
 *   PARKQ_STATUS_PANIC. The one thing that aborts the process is in parkq_memory_set_ceiling.
 * - All memory that parkq frees is wiped first. What it cannot wipe: your buffers, stacks, swap.
 *   Some scratch, in which are values that the networks computed last, stays with a thread until
 *   that ends.
 */

#ifndef PARKQ_H
#define PARKQ_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header, major.
 */
#define PARKQ_VERSION_MAJOR 0

/**
 * The version of this header, minor.
 */
#define PARKQ_VERSION_MINOR 1

/**
 * The version of this header, patch.
 */
#define PARKQ_VERSION_PATCH 0

/**
 * The number of the binary interface that this header describes: it changes when a program has
 * to be compiled anew.
 */
#define PARKQ_ABI_VERSION 1

/**
 * What a call came to. A number is never given a second meaning; new ones may be added, so
 * treat an unknown one as a failure.
 */
enum parkq_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * All went well; the outputs are written.
   */
  PARKQ_STATUS_OK = 0,
  /**
   * A pointer that has to be given is NULL.
   */
  PARKQ_STATUS_NULL_POINTER = 1,
  /**
   * A number that is not of its enumeration, text that is not UTF-8, planes that overlap, an
   * index out of range.
   */
  PARKQ_STATUS_ARGUMENT = 2,
  /**
   * The picture's memory does not hold what its size and format say.
   */
  PARKQ_STATUS_FRAME = 3,
  /**
   * A JPEG, PNG or WebP that cannot be decoded, or must not be.
   */
  PARKQ_STATUS_DECODE = 4,
  /**
   * An option outside its range.
   */
  PARKQ_STATUS_OPTION = 5,
  /**
   * A lot that cannot be read or makes no sense.
   */
  PARKQ_STATUS_LOT = 6,
  /**
   * A model that cannot be loaded, or is not of the shape that its task needs.
   */
  PARKQ_STATUS_MODEL = 7,
  /**
   * The network failed on an input.
   */
  PARKQ_STATUS_INFERENCE = 8,
  /**
   * The memory that the call may need would exceed the ceiling, or the system does not have
   * it. Nothing was done, but that a frame lent to be written is black; the handles can be used
   * again.
   */
  PARKQ_STATUS_OUT_OF_MEMORY = 9,
  /**
   * This build of the library lacks what the call needs: the weights, or the decoders and
   * encoders of pictures.
   */
  PARKQ_STATUS_UNSUPPORTED = 10,
  /**
   * A fault of parkq's own. Nothing was written, but that a frame lent to be written is black;
   * the handles can be used again. Please report the message.
   */
  PARKQ_STATUS_PANIC = 11,
  /**
   * A failure that has no number of its own yet; the message says what it is.
   */
  PARKQ_STATUS_OTHER = 12,
  /**
   * A picture that could not be encoded.
   */
  PARKQ_STATUS_ENCODE = 13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_status parkq_status;
#else
typedef uint32_t parkq_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How important a log message is.
 */
enum parkq_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No message at all.
   */
  PARKQ_LOG_LEVEL_OFF = 0,
  /**
   * What made a call fail.
   */
  PARKQ_LOG_LEVEL_ERROR = 1,
  /**
   * What is odd but was dealt with.
   */
  PARKQ_LOG_LEVEL_WARN = 2,
  /**
   * What happens now and then, such as a model being loaded.
   */
  PARKQ_LOG_LEVEL_INFO = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_log_level parkq_log_level;
#else
typedef uint32_t parkq_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the pixels of a frame lie in memory.
 */
enum parkq_pixel_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * One plane: red, green, blue.
   */
  PARKQ_PIXEL_FORMAT_RGB8 = 1,
  /**
   * One plane: blue, green, red.
   */
  PARKQ_PIXEL_FORMAT_BGR8 = 2,
  /**
   * One plane: red, green, blue, alpha (ignored).
   */
  PARKQ_PIXEL_FORMAT_RGBA8 = 3,
  /**
   * One plane: blue, green, red, alpha (ignored).
   */
  PARKQ_PIXEL_FORMAT_BGRA8 = 4,
  /**
   * One plane: luma.
   */
  PARKQ_PIXEL_FORMAT_GRAY8 = 5,
  /**
   * Two planes: Y, then U V interleaved at half the width and height. Even sizes only.
   */
  PARKQ_PIXEL_FORMAT_NV12 = 6,
  /**
   * Two planes: Y, then V U interleaved at half the width and height. Even sizes only.
   */
  PARKQ_PIXEL_FORMAT_NV21 = 7,
  /**
   * Three planes: Y, U, V, the last two at half the width and height. Even sizes only.
   */
  PARKQ_PIXEL_FORMAT_I420 = 8,
  /**
   * One plane: Y0 U Y1 V. Even widths only.
   */
  PARKQ_PIXEL_FORMAT_YUYV = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_pixel_format parkq_pixel_format;
#else
typedef uint32_t parkq_pixel_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The matrix of Y'CbCr formats; the others ignore it.
 */
enum parkq_matrix
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * ITU-R BT.601, standard definition: what most USB cameras and JPEGs use.
   */
  PARKQ_MATRIX_BT601 = 0,
  /**
   * ITU-R BT.709, high definition.
   */
  PARKQ_MATRIX_BT709 = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_matrix parkq_matrix;
#else
typedef uint32_t parkq_matrix;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The range of Y'CbCr formats; the others ignore it.
 */
enum parkq_range
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Luma 16 to 235, chroma 16 to 240.
   */
  PARKQ_RANGE_LIMITED = 0,
  /**
   * 0 to 255.
   */
  PARKQ_RANGE_FULL = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_range parkq_range;
#else
typedef uint32_t parkq_range;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The state of a space: FIWARE ParkingSpot's status.
 */
enum parkq_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No vehicle is in it.
   */
  PARKQ_STATE_FREE = 1,
  /**
   * A vehicle is in it.
   */
  PARKQ_STATE_OCCUPIED = 2,
  /**
   * The picture does not say.
   */
  PARKQ_STATE_UNKNOWN = 3,
  /**
   * The operator has taken it out of service; it was not read.
   */
  PARKQ_STATE_CLOSED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_state parkq_state;
#else
typedef uint32_t parkq_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a space's state is unknown.
 */
enum parkq_unknown
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It is known.
   */
  PARKQ_UNKNOWN_NO = 0,
  /**
   * A privacy mask covers too much of it.
   */
  PARKQ_UNKNOWN_MASKED = 1,
  /**
   * The short side of its quad is too few pixels long.
   */
  PARKQ_UNKNOWN_TOO_SMALL = 2,
  /**
   * The probability lies between the two thresholds.
   */
  PARKQ_UNKNOWN_UNSURE = 3,
  /**
   * A reason that has no number of its own yet.
   */
  PARKQ_UNKNOWN_OTHER = 4,
  /**
   * Nothing is to be seen around it: the picture is of one colour there, but for noise.
   */
  PARKQ_UNKNOWN_BLANK = 5,
  /**
   * It seems free, but more than a tenth of it has been destroyed with a whole vehicle.
   */
  PARKQ_UNKNOWN_REDACTED = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_unknown parkq_unknown;
#else
typedef uint32_t parkq_unknown;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What parkq looks for.
 */
enum parkq_label
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * None: what was destroyed was not found, but a privacy mask.
   */
  PARKQ_LABEL_NONE = 0,
  /**
   * A car, truck, bus or motorcycle.
   */
  PARKQ_LABEL_VEHICLE = 1,
  /**
   * A person, on foot or not.
   */
  PARKQ_LABEL_PERSON = 2,
  /**
   * A number plate.
   */
  PARKQ_LABEL_PLATE = 3,
  /**
   * A face.
   */
  PARKQ_LABEL_FACE = 4,
  /**
   * A label that has no number of its own yet.
   */
  PARKQ_LABEL_OTHER = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_label parkq_label;
#else
typedef uint32_t parkq_label;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a picture is looked at. The cost is that of the network on so many pixels.
 */
enum parkq_tiling
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * At 896 pixels on its longer side (a smaller one is enlarged, at most three times), and at a
   * third, a ninth .. of that, where large things are found. 1.11 times the cost of whole.
   */
  PARKQ_TILING_AUTO = 0,
  /**
   * Once, at 896 pixels on its longer side (a smaller one is enlarged, at most three times).
   */
  PARKQ_TILING_WHOLE = 1,
  /**
   * At its full size, in tiles, and at a third, a ninth .. of that; in proportion to its pixels.
   */
  PARKQ_TILING_FULL = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_tiling parkq_tiling;
#else
typedef uint32_t parkq_tiling;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a region was destroyed.
 */
enum parkq_cause
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It was found.
   */
  PARKQ_CAUSE_DETECTED = 1,
  /**
   * Something should have been found there, such as a vehicle's plate.
   */
  PARKQ_CAUSE_FALLBACK = 2,
  /**
   * A privacy mask of the lot's.
   */
  PARKQ_CAUSE_MASK = 3,
  /**
   * A stream saw it in an earlier frame.
   */
  PARKQ_CAUSE_REMEMBERED = 4,
  /**
   * The caller asked for it.
   */
  PARKQ_CAUSE_GIVEN = 5,
  /**
   * A cause that has no number of its own yet.
   */
  PARKQ_CAUSE_OTHER = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_cause parkq_cause;
#else
typedef uint32_t parkq_cause;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is destroyed of a vehicle on which no plate was found although one would be legible.
 */
enum parkq_fallback
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The zone in which plates are.
   */
  PARKQ_FALLBACK_PLATE_ZONE = 0,
  /**
   * All of it.
   */
  PARKQ_FALLBACK_WHOLE_VEHICLE = 1,
  /**
   * Nothing.
   */
  PARKQ_FALLBACK_OFF = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_fallback parkq_fallback;
#else
typedef uint32_t parkq_fallback;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the pixels of a region are destroyed. There is no blur: it can be undone.
 */
enum parkq_redaction
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Filled with one colour.
   */
  PARKQ_REDACTION_COLOUR = 0,
  /**
   * Filled with the mean of what is around it.
   */
  PARKQ_REDACTION_SURROUNDINGS = 1,
  /**
   * Cells of gray, each the mean of what was there, rounded to one of a few levels.
   */
  PARKQ_REDACTION_MOSAIC = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_redaction parkq_redaction;
#else
typedef uint32_t parkq_redaction;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What wrote a lot file that is not parkq's own.
 */
enum parkq_lot_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * PKLot's XML, in pixels.
   */
  PARKQ_LOT_FORMAT_PKLOT = 1,
  /**
   * The JSON of Ultralytics' parking tools, in pixels.
   */
  PARKQ_LOT_FORMAT_ULTRALYTICS = 2,
  /**
   * The JSON of the data set ACPDS, for one of its pictures.
   */
  PARKQ_LOT_FORMAT_ACPDS = 3,
  /**
   * COCO's JSON, for one of its pictures.
   */
  PARKQ_LOT_FORMAT_COCO = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_lot_format parkq_lot_format;
#else
typedef uint32_t parkq_lot_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a pipeline is about to do.
 */
enum parkq_stage
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Burn the lot's privacy masks into the picture.
   */
  PARKQ_STAGE_MASK = 1,
  /**
   * Find people and plates, and destroy them.
   */
  PARKQ_STAGE_ANONYMIZE = 2,
  /**
   * Read the spaces.
   */
  PARKQ_STAGE_OCCUPANCY = 3,
  /**
   * Destroy a decoded picture, unless it is to be kept.
   */
  PARKQ_STAGE_WIPE = 4,
  /**
   * Nothing more.
   */
  PARKQ_STAGE_DONE = 5,
  /**
   * A stage that has no number of its own yet.
   */
  PARKQ_STAGE_OTHER = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_stage parkq_stage;
#else
typedef uint32_t parkq_stage;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Destroys people and plates in a picture, and the lot's privacy masks first.
 *
 * You own it from `parkq_anonymizer_new` or `_from_detector` to `parkq_anonymizer_free`. It
 * keeps nothing of a frame between calls; any number of threads may use it at once.
 */
typedef struct parkq_anonymizer parkq_anonymizer;

/**
 * Finds vehicles, persons, plates and faces.
 *
 * You own it from `parkq_detector_new` or `_from_onnx` to `parkq_detector_free`. It keeps
 * nothing of a frame between calls; any number of threads may use it at once.
 */
typedef struct parkq_detector parkq_detector;

/**
 * Reads which spaces of a lot are taken.
 *
 * You own it from `parkq_estimator_new` or `_from_onnx` to `parkq_estimator_free`. It keeps
 * nothing of a frame between calls; any number of threads may use it at once.
 */
typedef struct parkq_estimator parkq_estimator;

/**
 * The spaces and privacy masks that one camera sees, relative to the picture, so that they fit
 * every resolution of it.
 *
 * You own it from `parkq_lot_from_json` or `_import` to `parkq_lot_free`. It never changes: any
 * number of threads may use it. What is made with it keeps its own copy.
 */
typedef struct parkq_lot parkq_lot;

/**
 * The readings of one frame.
 *
 * You own it from `parkq_occupancy_new` to `parkq_occupancy_free`, and make one for all the
 * frames of a camera: each call that succeeds replaces what is in it. It holds states and
 * numbers, no pixel. One thread at a time may use it.
 */
typedef struct parkq_occupancy parkq_occupancy;

/**
 * A picture that was anonymized: no other can be encoded.
 *
 * You own it from `parkq_picture_new` to `parkq_picture_free`, and may make one for all the
 * frames of a camera: each call that succeeds replaces what is in it, and wipes that. One thread
 * at a time may use it.
 */
typedef struct parkq_picture parkq_picture;

/**
 * The whole way of a frame: the lot's privacy masks are burnt in, people and plates are
 * destroyed, and the spaces are read from what is left and from where vehicles were found, which
 * takes the place of the estimator's second look.
 *
 * You own it from `parkq_pipeline_new` or `_from_parts` to `parkq_pipeline_free`. It keeps
 * nothing of a frame between calls; any number of threads may use it at once.
 */
typedef struct parkq_pipeline parkq_pipeline;

/**
 * The frames of one camera, one after the other: what was found once stays hidden while it is
 * missed, and a redaction is repeated, not renewed: as long as a thing is followed, and where it
 * comes back in its old place, a film leaks no more of it than a picture.
 *
 * You own it from `parkq_stream_new` to `parkq_stream_free`. It keeps where regions were, and
 * what was written there, but no picture. One thread at a time may use it.
 */
typedef struct parkq_stream parkq_stream;

/**
 * Receives log messages: `user` as it was given, one of `parkq_log_level`, and the message,
 * which lives until the callback returns. It runs on whichever thread has something to say,
 * several at once, and must return. It must not use what the call uses that it tells of; what it
 * calls of parkq itself logs nothing.
 */
typedef void (*parkq_log_callback)(void *user, uint32_t level, const char *message);

/**
 * A point of a picture, relative to it: from 0, its left or upper edge, to 1.
 */
typedef struct parkq_point {
  /**
   * To the right.
   */
  double x;
  /**
   * Downward.
   */
  double y;
} parkq_point;

/**
 * A space's outline on the ground: four corners, one after the other round it.
 */
typedef struct parkq_quad {
  /**
   * The corners.
   */
  struct parkq_point corner[4];
} parkq_quad;

/**
 * One space of a lot.
 */
typedef struct parkq_space {
  /**
   * Where it lies.
   */
  struct parkq_quad quad;
  /**
   * Width and length, metres.
   */
  double size_m[2];
  /**
   * The longest stay that is allowed, minutes; 0 if there is none.
   */
  uint32_t max_stay_minutes;
  /**
   * Whether it is out of service: 1 or 0.
   */
  uint32_t closed;
} parkq_space;

/**
 * A picture in your memory.
 *
 * You own the struct and the planes. A call uses them until it returns and keeps neither;
 * meanwhile nobody else may write the planes, nor read them if the call writes. Which calls
 * write is said at each; those that only read take planes in read-only memory. Set unused
 * planes to NULL. `parkq_frame_packed` fills this in for a buffer without padding.
 */
typedef struct parkq_frame {
  /**
   * One of `parkq_pixel_format`.
   */
  uint32_t format;
  /**
   * Width in pixels, 1 to 32,768.
   */
  uint32_t width;
  /**
   * Height in pixels, 1 to 32,768.
   */
  uint32_t height;
  /**
   * One of `parkq_matrix`.
   */
  uint32_t matrix;
  /**
   * One of `parkq_range`.
   */
  uint32_t range;
  /**
   * The first byte of each plane. A plane has at least `stride * (rows - 1) + row` bytes,
   * `row` being the bytes of a row without padding, and `rows` their number.
   */
  uint8_t *plane[3];
  /**
   * Bytes from the start of one row to the next, for each plane; at least those of a row.
   */
  size_t stride[3];
} parkq_frame;

/**
 * How many spaces are in each state.
 */
typedef struct parkq_counts {
  /**
   * Spaces without a vehicle.
   */
  uint32_t free;
  /**
   * Spaces with a vehicle.
   */
  uint32_t occupied;
  /**
   * Spaces that the picture says nothing of.
   */
  uint32_t unknown;
  /**
   * Spaces out of service.
   */
  uint32_t closed;
  /**
   * Lower end of the 95 % interval for the number of occupied spaces, among those that were
   * read (closed, masked, blank and redacted ones were not).
   */
  uint32_t occupied_low;
  /**
   * Upper end of it.
   */
  uint32_t occupied_high;
} parkq_counts;

/**
 * One space in one frame.
 */
typedef struct parkq_reading {
  /**
   * The calibrated probability that it is occupied, 0 to 1; NaN where it could not be
   * read (closed, masked, blank, redacted), which no comparison takes for free or occupied.
   */
  double probability;
  /**
   * Pixels per metre where it lies.
   */
  double pixels_per_metre;
  /**
   * The number of the space in its lot, from 0.
   */
  uint32_t space;
  /**
   * One of `parkq_state`.
   */
  uint32_t state;
  /**
   * One of `parkq_unknown`.
   */
  uint32_t unknown;
} parkq_reading;

/**
 * How an estimator decides. Fill it with `parkq_estimator_options_default`, then change what
 * you need.
 */
typedef struct parkq_estimator_options {
  /**
   * A space whose probability is below this is free; 0 to `occupied_above`.
   */
  double free_below;
  /**
   * A space whose probability is at least this is occupied; 0 to 1.
   */
  double occupied_above;
  /**
   * How much the variance of the count exceeds that of independent errors, 1 to 100; as the
   * model's card gives it.
   */
  double dispersion;
  /**
   * A space whose quad's short side has fewer pixels than this is unknown; 0 to 1000.
   */
  double min_side;
  /**
   * A space of which privacy masks cover more than this share is unknown; 0 to 1.
   */
  double max_masked;
  /**
   * Whether the bundled detector looks for a vehicle where the bundled classifier is unsure: 1
   * or 0.
   */
  uint32_t second_look;
  /**
   * On how many threads the spaces of a frame are read; 0 is one for each processor. The cap
   * of `parkq_threads_set_cap` holds.
   */
  uint32_t threads;
} parkq_estimator_options;

/**
 * Which model gives results.
 */
typedef struct parkq_model_info {
  /**
   * Its name, with a NUL after it; cut after 63 bytes.
   */
  char name[64];
  /**
   * SHA-256 of its ONNX file, hexadecimal, with a NUL after it.
   */
  char sha256[65];
} parkq_model_info;

/**
 * An upright rectangle in the frame's pixels, origin top left.
 */
typedef struct parkq_rect {
  /**
   * Left edge.
   */
  float x;
  /**
   * Top edge.
   */
  float y;
  /**
   * To the right.
   */
  float width;
  /**
   * Downward.
   */
  float height;
} parkq_rect;

/**
 * One thing that was found.
 */
typedef struct parkq_detection {
  /**
   * Where, clipped to the frame.
   */
  struct parkq_rect rect;
  /**
   * How sure the detector is, 0 to 1; calibrated: of those at 0.5 about half are right.
   */
  float score;
  /**
   * One of `parkq_label`.
   */
  uint32_t label;
} parkq_detection;

/**
 * One threshold for each label, 0 to 1: what scores less does not count.
 */
typedef struct parkq_scores {
  /**
   * Of vehicles.
   */
  float vehicle;
  /**
   * Of persons.
   */
  float person;
  /**
   * Of plates.
   */
  float plate;
  /**
   * Of faces.
   */
  float face;
} parkq_scores;

/**
 * What a detector reports. Fill it with `parkq_detector_options_default`, then change what you
 * need.
 */
typedef struct parkq_detector_options {
  /**
   * What scores less is not reported.
   */
  struct parkq_scores min_score;
  /**
   * Of two boxes of one label whose intersection is more than this share of their union, the
   * lower one is dropped; 0 to 1.
   */
  float max_overlap;
  /**
   * Of more detections than this the best are reported; 1 to 100,000.
   */
  uint32_t max_detections;
  /**
   * One of `parkq_tiling`.
   */
  uint32_t tiling;
  /**
   * On how many threads parts of a picture are looked at; 0 is one for each processor. The
   * cap of `parkq_threads_set_cap` holds.
   */
  uint32_t threads;
} parkq_detector_options;

/**
 * What is private, and how it is destroyed. Fill it with `parkq_policy_default`, then change
 * what you need.
 */
typedef struct parkq_policy {
  /**
   * Whether plates are destroyed: 1 or 0. Of this and the next two one at least is 1.
   */
  uint32_t plates;
  /**
   * Whether faces are destroyed: 1 or 0.
   */
  uint32_t faces;
  /**
   * Whether persons are destroyed: 1 or 0.
   */
  uint32_t persons;
  /**
   * From which score on what is found counts.
   */
  struct parkq_scores scores;
  /**
   * From this score on a plate spares its vehicle the fallback; 0 to 1.
   */
  float sure_plate;
  /**
   * How far plates are grown on each side, as a share of their size; 0 to 4.
   */
  float plate_margin;
  /**
   * How far faces are grown; 0 to 4.
   */
  float face_margin;
  /**
   * How far persons are grown; 0 to 4.
   */
  float person_margin;
  /**
   * How far persons are grown upward beyond that; 0 to 4.
   */
  float head_margin;
  /**
   * How far anything is grown at least, pixels; 0 to 64.
   */
  float min_margin;
  /**
   * One of `parkq_fallback`.
   */
  uint32_t fallback;
  /**
   * From where to where plates are in a vehicle's height, 0 to 1 from its top.
   */
  float plate_zone[2];
  /**
   * Below this a plate is illegible, and no fallback is needed; pixels per metre.
   */
  float min_pixels_per_metre;
  /**
   * One of `parkq_redaction`.
   */
  uint32_t redaction;
  /**
   * The colour of PARKQ_REDACTION_COLOUR: red, green, blue.
   */
  uint8_t colour[3];
  /**
   * The levels of PARKQ_REDACTION_MOSAIC, at least 1.
   */
  uint8_t mosaic_levels;
  /**
   * The cells of PARKQ_REDACTION_MOSAIC across and down, at least 1.
   */
  uint32_t mosaic_cells[2];
  /**
   * A redaction that lets through more bits a region than this is refused; 0 to 8.
   */
  double max_leak_bits;
} parkq_policy;

/**
 * One region that was destroyed.
 */
typedef struct parkq_redacted {
  /**
   * At most so many bits of what was there can be learnt from what is there now.
   */
  double leak_bits;
  /**
   * The rectangle round it: what overlaps or touches is one region, which need not fill it.
   */
  struct parkq_rect rect;
  /**
   * One of `parkq_label`.
   */
  uint32_t label;
  /**
   * One of `parkq_cause`.
   */
  uint32_t cause;
} parkq_redacted;

/**
 * How long a stream remembers. Fill it with `parkq_stream_options_default`, then change what
 * you need.
 */
typedef struct parkq_stream_options {
  /**
   * For how many frames a region stays hidden that is not found any more; 0 to 1000.
   */
  uint32_t keep_frames;
  /**
   * How far something may move from frame to frame and still be the same, as a multiple of
   * its longer side; 0 to 100.
   */
  float reach;
} parkq_stream_options;

/**
 * Is told of each stage as it begins, so that you can take the time, which parkq does not: `user`
 * as it was given, and one of `parkq_stage`. It runs on the thread of the call, and must return;
 * it must not use what that call uses.
 */
typedef void (*parkq_stage_callback)(void *user, uint32_t stage);

/**
 * Who is told of stages. The call that it is given to reads it, and keeps nothing of it.
 */
typedef struct parkq_observer {
  /**
   * Who; NULL is nobody.
   */
  parkq_stage_callback callback;
  /**
   * Handed on to `callback`.
   */
  void *user;
} parkq_observer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The library's version, such as "0.1.0". Never NULL, never freed. Any thread.
 */
const char *parkq_version(void);

/**
 * The library's binary interface. It fits the header that a program was compiled with if it
 * equals `PARKQ_ABI_VERSION`. Any thread.
 */
uint32_t parkq_abi_version(void);

/**
 * Sets who receives log messages, for the whole process; nobody does at first. Messages never
 * hold pixels.
 *
 * Reads `level`, one of `parkq_log_level`: messages that are less important are not made.
 * Keeps `callback` and `user` until they are replaced; NULL for `callback` stops the messages.
 * When this returns, the callback that was replaced is not running and will not be called.
 * Any thread, but not from within the callback: that is PARKQ_STATUS_ARGUMENT.
 */
parkq_status parkq_log_set(uint32_t level, parkq_log_callback callback, void *user);

/**
 * Sets how many threads a call may use at most, for handles that are made from now on; 0, the
 * default, leaves it at one for each processor. The thread that calls counts as one; a thread
 * that the system does not give is done without. Any thread.
 */
parkq_status parkq_threads_set_cap(uint32_t threads);

/**
 * Why the latest call on this thread that failed did so: lower case, with the actual and the
 * needed value; "" if none has failed.
 *
 * Never NULL. parkq owns it; it lives until the thread's end, and is another text after the next
 * call on this thread that fails. Cut after 1023 bytes.
 */
const char *parkq_last_error(void);

/**
 * The name of a status, such as "out of memory"; "unknown status" for other numbers.
 * Never NULL, never freed. Any thread.
 */
const char *parkq_status_name(uint32_t status);

/**
 * Sets the most memory, in bytes, that parkq may hold in this process; 0, the default, is no
 * limit.
 *
 * A call that could take parkq above the ceiling is refused with PARKQ_STATUS_OUT_OF_MEMORY
 * before it does anything (but that a frame lent to be written is black, as after any error); so
 * is one for which the system does not have the memory. How much each call may need is said at
 * each. Calls that run at the same time count together, each with all that it may need beside what it
 * has taken already: leave room for that, too. What is not counted: your own buffers,
 * the code with its weights, and threads' stacks. If the system gives no memory in the midst of
 * a call, although it had it at its beginning, the process is aborted: that can only be ruled
 * out by leaving room for it. Any thread.
 */
parkq_status parkq_memory_set_ceiling(size_t bytes);

/**
 * Writes how many bytes parkq holds in this process now to `in_use`, and the most that it has
 * held since the last time this was asked to `peak`. Any thread.
 */
parkq_status parkq_memory_usage(size_t *in_use, size_t *peak);

/**
 * Reads a lot in parkq's own JSON (version 1; its schema is parkq-core/schema/lot-1.schema.json).
 *
 * Reads `length` bytes of UTF-8 at `json`, and keeps none of them. Writes a new lot to `lot`.
 * Takes at most 128 times `length` of memory, and 64 KiB. Fails with PARKQ_STATUS_LOT, whose
 * message names the space at fault.
 */
parkq_status parkq_lot_from_json(const char *json, size_t length, struct parkq_lot **lot);

/**
 * Reads a lot that another program wrote. What the file says of the spaces' states is not kept.
 *
 * Reads `format`, one of `parkq_lot_format`, and `length` bytes of UTF-8 at `text`; where the
 * file is in pixels `width` and `height`, the size of the picture that it was drawn on, and else
 * `picture_length` bytes of UTF-8 at `picture`, the picture's name in the file; what the format
 * does not need is not looked at. Keeps none of it. Otherwise as `parkq_lot_from_json`.
 */
parkq_status parkq_lot_import(uint32_t format,
                              const char *text,
                              size_t length,
                              uint32_t width,
                              uint32_t height,
                              const char *picture,
                              size_t picture_length,
                              struct parkq_lot **lot);

/**
 * Frees a lot; NULL is allowed.
 */
void parkq_lot_free(struct parkq_lot *lot);

/**
 * Writes the lot in parkq's own JSON, in UTF-8: up to `capacity` bytes to `json`, the last of
 * them a NUL, and to `count` the length without the NUL: it was cut if that is not less than
 * `capacity`. `json` may be NULL if `capacity` is 0. Takes up to 16 KiB, 4 KiB a space, 1 KiB for
 * each corner of a mask and each mask, and 48 bytes for each byte of the ids and the name, while
 * it runs.
 */
parkq_status parkq_lot_to_json(const struct parkq_lot *lot,
                               char *json,
                               size_t capacity,
                               size_t *count);

/**
 * Draws the lot as a plan in SVG: its spaces and masks, no pixel of a picture.
 *
 * Reads `aspect`, the picture's width over its height, 0.1 to 10 (beyond, the nearest of these; 1
 * for what is no number). Writes as `parkq_lot_to_json` does.
 */
parkq_status parkq_lot_to_svg(const struct parkq_lot *lot,
                              double aspect,
                              char *svg,
                              size_t capacity,
                              size_t *count);

/**
 * Writes the number of the lot's spaces to `count`. Readings are numbered like them, from 0.
 */
parkq_status parkq_lot_space_count(const struct parkq_lot *lot, size_t *count);

/**
 * Writes what the lot says of a space to `out`. Reads `space`, from 0.
 */
parkq_status parkq_lot_space(const struct parkq_lot *lot, size_t space, struct parkq_space *out);

/**
 * Writes the id of a space, as the lot's author wrote it, in UTF-8.
 *
 * Reads `space`, from 0. Writes up to `capacity` bytes to `id`, the last of them a NUL, and to
 * `count` the id's length without the NUL, 256 at most: it was cut if that is not less than
 * `capacity`. `id` may be NULL if `capacity` is 0.
 */
parkq_status parkq_lot_space_id(const struct parkq_lot *lot,
                                size_t space,
                                char *id,
                                size_t capacity,
                                size_t *count);

/**
 * Cuts the outline of a row of spaces into its spaces, which are equally wide on the ground: to
 * make a lot of a few clicks.
 *
 * Reads `row`, from whose first corner to the second, and from the fourth to the third, the
 * spaces follow each other, and `count`, how many there are, 1 to 1000. Writes so many to
 * `quads`. PARKQ_STATUS_LOT for an outline that is not convex.
 */
parkq_status parkq_quad_row(const struct parkq_quad *row, uint32_t count, struct parkq_quad *quads);

/**
 * Describes a buffer in which rows and planes follow each other without padding, in BT.601,
 * limited range.
 *
 * Reads `format`, `width` and `height`; the `length` bytes at `bytes` are not looked at. Writes
 * `frame`, whose planes point into `bytes`. Fails with PARKQ_STATUS_FRAME for a size that is not
 * allowed, or a buffer that is too short.
 */
parkq_status parkq_frame_packed(uint32_t format,
                                uint32_t width,
                                uint32_t height,
                                uint8_t *bytes,
                                size_t length,
                                struct parkq_frame *frame);

/**
 * Makes an occupancy with nothing in it. Writes it to `occupancy`.
 */
parkq_status parkq_occupancy_new(struct parkq_occupancy **occupancy);

/**
 * Frees an occupancy; NULL is allowed.
 */
void parkq_occupancy_free(struct parkq_occupancy *occupancy);

/**
 * Writes the counts to `counts`.
 */
parkq_status parkq_occupancy_counts(const struct parkq_occupancy *occupancy,
                                    struct parkq_counts *counts);

/**
 * Writes one reading for each space of the lot, in the lot's order: up to `capacity` of them to
 * `readings`, and to `count` how many there are. `readings` may be NULL if `capacity` is 0.
 */
parkq_status parkq_occupancy_readings(const struct parkq_occupancy *occupancy,
                                      struct parkq_reading *readings,
                                      size_t capacity,
                                      size_t *count);

/**
 * Writes the readings as a versioned JSON record, with the name and SHA-256 of the model that
 * gave them, in UTF-8: up to `capacity` bytes to `json`, the last of them a NUL, and to `count`
 * the length without the NUL: it was cut if that is not less than `capacity`. `json` may be NULL
 * if `capacity` is 0. Takes as much memory as `parkq_lot_to_json`.
 */
parkq_status parkq_occupancy_to_json(const struct parkq_occupancy *occupancy,
                                     char *json,
                                     size_t capacity,
                                     size_t *count);

/**
 * Draws the lot as a plan in SVG: every space by its state, no pixel of the picture.
 *
 * Reads `aspect`, the picture's width over its height, 0.1 to 10 (beyond, the nearest of these; 1
 * for what is no number). Writes as `parkq_occupancy_to_json` does.
 */
parkq_status parkq_occupancy_to_svg(const struct parkq_occupancy *occupancy,
                                    const struct parkq_lot *lot,
                                    double aspect,
                                    char *svg,
                                    size_t capacity,
                                    size_t *count);

/**
 * Writes the default options to `options`. Any thread.
 */
parkq_status parkq_estimator_options_default(struct parkq_estimator_options *options);

/**
 * Makes an estimator with the bundled models.
 *
 * Reads `lot`, of which it keeps a copy, and `options`; NULL for `options` gives the defaults.
 * Writes a new estimator to `estimator`. Takes up to 24 MiB while it runs, 8 MiB without a second
 * look.
 * PARKQ_STATUS_UNSUPPORTED in a library without its weights, PARKQ_STATUS_OPTION for an option
 * outside its range, PARKQ_STATUS_ARGUMENT for a `second_look` that is neither 0 nor 1.
 */
parkq_status parkq_estimator_new(const struct parkq_lot *lot,
                                 const struct parkq_estimator_options *options,
                                 struct parkq_estimator **estimator);

/**
 * Makes an estimator with a model of your own.
 *
 * Reads `name_length` bytes of UTF-8 at `name`, under which results name the model, and
 * `onnx_length` bytes at `onnx`, and keeps neither. The model's input is f32 [1, 4, 80, 80]: the
 * square round a space (1.5 times the longer side of its quad's bounding box) as red, green,
 * blue, less their common mean and divided by their common standard deviation plus 10 (of 255),
 * then the quad as 0 or 1. Its output is f32 [1, 1]: the log-odds that the space is occupied; if
 * these are between -2.5 and 2.5, the mirror image is read too, and the mean counts. There is no
 * second look.
 * Otherwise as `parkq_estimator_new`; takes up to 8 times `onnx_length` of memory, and 48 MiB.
 * PARKQ_STATUS_MODEL for what is no such model.
 */
parkq_status parkq_estimator_from_onnx(const char *name,
                                       size_t name_length,
                                       const void *onnx,
                                       size_t onnx_length,
                                       const struct parkq_lot *lot,
                                       const struct parkq_estimator_options *options,
                                       struct parkq_estimator **estimator);

/**
 * Frees an estimator; NULL is allowed. No thread may be using it.
 */
void parkq_estimator_free(struct parkq_estimator *estimator);

/**
 * Writes which classifier it reads with to `info`.
 */
parkq_status parkq_estimator_model(const struct parkq_estimator *estimator,
                                   struct parkq_model_info *info);

/**
 * Reads every space of the lot in one frame.
 *
 * Reads the planes of `frame` where they lie, and only what lies round the spaces; writes none
 * of it: the lot's privacy masks are honoured, not burnt in. Replaces what is in `occupancy`.
 * Takes up to 2 MiB for each thread, 1 MiB without a second look, and 1 KiB for each space,
 * whatever the frame's size; keeps less than 1 MiB, 256 KiB without a second look, for every call
 * and thread that ever read at once, without a pixel in it.
 */
parkq_status parkq_estimator_occupancy(const struct parkq_estimator *estimator,
                                       const struct parkq_frame *frame,
                                       struct parkq_occupancy *occupancy);

/**
 * As `parkq_estimator_occupancy`, but instead of a second look it weighs, for every space, the
 * vehicles that a detector has found in the same frame: one whose box stands on a space adds 1 and
 * 0.7 times the log-odds of its score (0.99 at most) to the log-odds that the space is occupied;
 * of several the surest counts. None, or one that scores less than 0.04, takes 1.2 away. Detections
 * of other labels are not looked at. Takes 40 bytes more for each.
 */
parkq_status parkq_estimator_occupancy_with(const struct parkq_estimator *estimator,
                                            const struct parkq_frame *frame,
                                            const struct parkq_detection *vehicles,
                                            size_t count,
                                            struct parkq_occupancy *occupancy);

/**
 * Writes the default options to `options`. Any thread.
 */
parkq_status parkq_detector_options_default(struct parkq_detector_options *options);

/**
 * Makes a detector with the bundled model.
 *
 * Reads `options`; NULL gives the defaults. Writes a new detector to `detector`. Takes up to
 * 32 MiB while it runs. PARKQ_STATUS_UNSUPPORTED in a library without its weights,
 * PARKQ_STATUS_OPTION for an option outside its range.
 */
parkq_status parkq_detector_new(const struct parkq_detector_options *options,
                                struct parkq_detector **detector);

/**
 * Makes a detector with a model of your own.
 *
 * Reads `name_length` bytes of UTF-8 at `name`, under which results name the model,
 * `onnx_length` bytes at `onnx`, and at `spec` `spec_length` bytes of JSON that say what the
 * model takes and gives (parkq_core::ModelSpec describes it); keeps none of them. Otherwise as
 * `parkq_detector_new`; takes up to 8 times `onnx_length` of memory, and 48 MiB.
 * PARKQ_STATUS_MODEL for what is no ONNX model, or not what the spec says. What such a model
 * takes when it looks at a frame is its own affair: the ceiling's promise is for the bundled one.
 */
parkq_status parkq_detector_from_onnx(const char *name,
                                      size_t name_length,
                                      const void *onnx,
                                      size_t onnx_length,
                                      const char *spec,
                                      size_t spec_length,
                                      const struct parkq_detector_options *options,
                                      struct parkq_detector **detector);

/**
 * Frees a detector; NULL is allowed. No thread may be using it.
 */
void parkq_detector_free(struct parkq_detector *detector);

/**
 * Writes which model it looks with to `info`.
 */
parkq_status parkq_detector_model(const struct parkq_detector *detector,
                                  struct parkq_model_info *info);

/**
 * Says what is in a frame, best first.
 *
 * Reads the planes of `frame` where they lie, and writes none of it; with a `lot` (NULL is
 * allowed) its spaces tell the scale, so that each part is looked at in the one that suits it.
 * Writes up to `capacity` detections to `detections`, and to `count` how many there are;
 * `detections` may be NULL if `capacity` is 0. Takes, for each thread that finds something to do, up
 * to 32 MiB and 96 bytes for each pixel that the network sees at once: at most 1024 across and
 * down, and thrice the picture's if its longer side is less than 960. Keeps the network as prepared
 * for the last six sizes at which it looked, without a pixel in it: for each up to 10 MiB, and 16
 * bytes for each pixel of that size for every call and thread that ever looked at once.
 */
parkq_status parkq_detector_detect(const struct parkq_detector *detector,
                                   const struct parkq_frame *frame,
                                   const struct parkq_lot *lot,
                                   struct parkq_detection *detections,
                                   size_t capacity,
                                   size_t *count);

/**
 * Writes the default policy to `policy`. Any thread.
 */
parkq_status parkq_policy_default(struct parkq_policy *policy);

/**
 * Makes a picture with nothing in it. Writes it to `picture`.
 */
parkq_status parkq_picture_new(struct parkq_picture **picture);

/**
 * Wipes and frees a picture; NULL is allowed.
 */
void parkq_picture_free(struct parkq_picture *picture);

/**
 * Says where its pixels lie. Writes `frame`, whose planes are parkq's: they must not be written,
 * and live until the picture is replaced or freed. Its format is that of the frame that was
 * anonymized, RGB8 of one that was decoded; rows have no padding.
 */
parkq_status parkq_picture_frame(const struct parkq_picture *picture, struct parkq_frame *frame);

/**
 * Writes which regions of it were destroyed: up to `capacity` of them to `redacted`, and to
 * `count` how many there are; `redacted` may be NULL if `capacity` is 0.
 */
parkq_status parkq_picture_redacted(const struct parkq_picture *picture,
                                    struct parkq_redacted *redacted,
                                    size_t capacity,
                                    size_t *count);

/**
 * Encodes it as a JPEG, without any metadata.
 *
 * Reads `quality`, 1 to 100. Writes up to `capacity` bytes to `jpeg`, and to `count` how many
 * there are: it was cut, and is of no use, if that is more than `capacity`. `jpeg` may be NULL if
 * `capacity` is 0; the work is the same, so give 3 bytes for each pixel if you can. Takes up to
 * 24 bytes for each pixel, and 1 MiB. PARKQ_STATUS_OPTION for another quality,
 * PARKQ_STATUS_UNSUPPORTED in a library without encoders.
 */
parkq_status parkq_picture_to_jpeg(const struct parkq_picture *picture,
                                   uint32_t quality,
                                   uint8_t *jpeg,
                                   size_t capacity,
                                   size_t *count);

/**
 * Encodes it as a PNG, without any metadata; otherwise as `parkq_picture_to_jpeg`.
 */
parkq_status parkq_picture_to_png(const struct parkq_picture *picture,
                                  uint8_t *png,
                                  size_t capacity,
                                  size_t *count);

/**
 * Makes an anonymizer with the bundled detector, which looks at the picture's full size.
 *
 * Reads `policy`, for which NULL gives the defaults, and `lot`, of which it keeps a copy; NULL
 * is allowed. Writes a new anonymizer to `anonymizer`. Takes up to 32 MiB while it runs. Fails
 * as `parkq_detector_new`; PARKQ_STATUS_OPTION for a policy outside its ranges, or too leaky.
 */
parkq_status parkq_anonymizer_new(const struct parkq_policy *policy,
                                  const struct parkq_lot *lot,
                                  struct parkq_anonymizer **anonymizer);

/**
 * Makes an anonymizer with a detector of yours. It shares `detector`, which you may free before
 * it or after. The policy's scores count, not the detector's, but its tiling does: a bundled one
 * misses least with PARKQ_TILING_FULL, which is not its default. PARKQ_STATUS_MODEL for one that
 * does not look for what the policy destroys. Takes as much memory as copies of the lot. Otherwise
 * as `parkq_anonymizer_new`.
 */
parkq_status parkq_anonymizer_from_detector(const struct parkq_detector *detector,
                                            const struct parkq_policy *policy,
                                            const struct parkq_lot *lot,
                                            struct parkq_anonymizer **anonymizer);

/**
 * Frees an anonymizer; NULL is allowed. No thread may be using it. Streams made with it live on.
 */
void parkq_anonymizer_free(struct parkq_anonymizer *anonymizer);

/**
 * Destroys people and plates in a frame, where they lie.
 *
 * Reads and writes the planes of `frame`; bytes between rows stay as they are. When it returns
 * PARKQ_STATUS_OK, the picture is anonymized. When it returns anything else, the whole picture is
 * black; only if `frame` itself is wrong (NULL, an unknown number, a size or stride that is not
 * allowed, planes that overlap) nothing was written, and the picture must not leave.
 * Replaces what is in `picture` by a copy of what is left; NULL is allowed, and no copy is made.
 * Writes up to `capacity` regions to `redacted`, and to `count` how many there are; `redacted`
 * may be NULL if `capacity` is 0. Takes as much memory as `parkq_detector_detect`, and up to 4
 * bytes for each pixel of the copy.
 */
parkq_status parkq_anonymizer_anonymize_in_place(const struct parkq_anonymizer *anonymizer,
                                                 const struct parkq_frame *frame,
                                                 struct parkq_picture *picture,
                                                 struct parkq_redacted *redacted,
                                                 size_t capacity,
                                                 size_t *count);

/**
 * Decodes a JPEG, PNG or WebP, and destroys people and plates in it.
 *
 * Reads `length` bytes at `encoded`; they are yours, and not wiped. A picture of more than
 * `max_pixels` is refused before it is decoded. Replaces what is in `picture`. If it fails, the
 * decoded picture is wiped. Takes up to 12 bytes for each of `max_pixels`, `length` bytes, and as
 * much as a square frame of so many would in place. PARKQ_STATUS_DECODE for what is no such picture,
 * PARKQ_STATUS_UNSUPPORTED in a library without decoders.
 */
parkq_status parkq_anonymizer_anonymize_encoded(const struct parkq_anonymizer *anonymizer,
                                                const void *encoded,
                                                size_t length,
                                                uint64_t max_pixels,
                                                struct parkq_picture *picture);

/**
 * Destroys rectangles of a frame, where they lie: for what you know yourself has to go.
 *
 * Reads and writes the planes of `frame`. Reads the `count` rectangles at `rects`, which are
 * taken outward to whole pixels and chroma samples, and of `policy` how regions are destroyed
 * and how much that may leak; NULL gives the default, black. Whatever fails, but for a wrong
 * `frame`, leaves the whole picture black, as at `parkq_anonymizer_anonymize_in_place`. Nothing
 * else in the picture is looked at: people and plates stay. Takes 256 bytes for each rectangle, and
 * for a mosaic 64 for each pair of them.
 */
parkq_status parkq_frame_redact(const struct parkq_frame *frame,
                                const struct parkq_policy *policy,
                                const struct parkq_rect *rects,
                                size_t count);

/**
 * Writes the default options to `options`. Any thread.
 */
parkq_status parkq_stream_options_default(struct parkq_stream_options *options);

/**
 * Makes a stream. It shares `anonymizer`, which you may free before it or after. Reads
 * `options`; NULL gives the defaults. Writes a new stream to `stream`. PARKQ_STATUS_OPTION for
 * an option outside its range.
 */
parkq_status parkq_stream_new(const struct parkq_anonymizer *anonymizer,
                              const struct parkq_stream_options *options,
                              struct parkq_stream **stream);

/**
 * Frees a stream; NULL is allowed.
 */
void parkq_stream_free(struct parkq_stream *stream);

/**
 * As `parkq_anonymizer_anonymize_in_place`, for the next frame of the camera.
 */
parkq_status parkq_stream_anonymize_in_place(struct parkq_stream *stream,
                                             const struct parkq_frame *frame,
                                             struct parkq_picture *picture,
                                             struct parkq_redacted *redacted,
                                             size_t capacity,
                                             size_t *count);

/**
 * As `parkq_anonymizer_anonymize_encoded`, for the next frame of the camera.
 */
parkq_status parkq_stream_anonymize_encoded(struct parkq_stream *stream,
                                            const void *encoded,
                                            size_t length,
                                            uint64_t max_pixels,
                                            struct parkq_picture *picture);

/**
 * Makes a pipeline with the bundled models.
 *
 * Reads `lot`, of which it keeps a copy, `options` of the estimator, and `policy` of the
 * anonymizer, for which NULL gives the defaults. Writes a new pipeline to `pipeline`. Takes up to
 * 40 MiB while it runs. Fails as `parkq_estimator_new` and `parkq_anonymizer_new`.
 */
parkq_status parkq_pipeline_new(const struct parkq_lot *lot,
                                const struct parkq_estimator_options *options,
                                const struct parkq_policy *policy,
                                struct parkq_pipeline **pipeline);

/**
 * Makes a pipeline with an estimator and a detector of yours. It shares them; you may free them
 * before it or after. The estimator's lot is the pipeline's; the policy's scores count, not the
 * detector's, but its tiling does: a bundled one misses least with PARKQ_TILING_FULL, which is
 * not its default. Takes as much memory as copies of the lot. Otherwise as `parkq_pipeline_new`.
 */
parkq_status parkq_pipeline_from_parts(const struct parkq_estimator *estimator,
                                       const struct parkq_detector *detector,
                                       const struct parkq_policy *policy,
                                       struct parkq_pipeline **pipeline);

/**
 * Frees a pipeline; NULL is allowed. No thread may be using it.
 */
void parkq_pipeline_free(struct parkq_pipeline *pipeline);

/**
 * Anonymizes a lent frame where it lies, and says which spaces are taken.
 *
 * Reads and writes the planes of `frame`; what is left in them, whether it succeeds or fails, and
 * what is written to `picture`, `redacted` and `count`, is as
 * `parkq_anonymizer_anonymize_in_place` says. Tells `observer` of the stages; NULL is allowed.
 * Replaces what is in `occupancy`. Takes as much memory as that or `parkq_estimator_occupancy`,
 * whichever is more.
 */
parkq_status parkq_pipeline_process_in_place(const struct parkq_pipeline *pipeline,
                                             const struct parkq_frame *frame,
                                             const struct parkq_observer *observer,
                                             struct parkq_occupancy *occupancy,
                                             struct parkq_picture *picture,
                                             struct parkq_redacted *redacted,
                                             size_t capacity,
                                             size_t *count);

/**
 * Decodes a JPEG, PNG or WebP, destroys people and plates in it, and says which spaces are taken.
 *
 * Reads `encoded`, `length` and `max_pixels` as `parkq_anonymizer_anonymize_encoded` does, and
 * fails as that does. Tells `observer` of the stages; NULL is allowed. Replaces what is in
 * `occupancy`, and what is in `picture` by what is left; for `picture` NULL is allowed, and
 * nothing is left.
 */
parkq_status parkq_pipeline_process_encoded(const struct parkq_pipeline *pipeline,
                                            const void *encoded,
                                            size_t length,
                                            uint64_t max_pixels,
                                            const struct parkq_observer *observer,
                                            struct parkq_occupancy *occupancy,
                                            struct parkq_picture *picture);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PARKQ_H */
