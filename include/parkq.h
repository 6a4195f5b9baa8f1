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
 * What holds for every function:
 * - It returns PARKQ_STATUS_OK, or what went wrong; parkq_last_error() then says it in words.
 * - Inputs come before outputs. Outputs are written only if it succeeds. A pointer that is NULL
 *   is PARKQ_STATUS_NULL_POINTER, unless NULL is said to be allowed; no two outputs may overlap.
 * - Arrays and texts that it writes are yours, with a capacity; `count` receives how many there
 *   are, which may be more than were written. Texts that it reads have a length, and need no NUL.
 * - What `_new` and `_from_..` make is freed by the `_free` of its type, once. A type's
 *   description says which threads may use it.
 * - It opens no file and no socket, reads no clock and prints nothing.
 * - It never unwinds into the caller and leaves signals alone. A fault of parkq's own is
 *   PARKQ_STATUS_PANIC. The one thing that aborts the process is in parkq_memory_set_ceiling.
 * - All memory that parkq frees is wiped first. What it cannot wipe: your buffers, swap.
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
   * it. Nothing was done; the handles can be used again.
   */
  PARKQ_STATUS_OUT_OF_MEMORY = 9,
  /**
   * This build of the library lacks what the call needs: the weights or the picture decoders.
   */
  PARKQ_STATUS_UNSUPPORTED = 10,
  /**
   * A fault of parkq's own. Nothing was written, and the handles can be used again; please
   * report the message.
   */
  PARKQ_STATUS_PANIC = 11,
  /**
   * A failure that has no number of its own yet; the message says what it is.
   */
  PARKQ_STATUS_OTHER = 12,
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
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum parkq_unknown parkq_unknown;
#else
typedef uint32_t parkq_unknown;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

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
 * You own it from `parkq_lot_from_json` to `parkq_lot_free`. It never changes: any number of
 * threads may use it. What is made with it keeps its own copy.
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
 * The whole way of a frame: the lot's privacy masks are burnt in, the spaces are read, and the
 * picture is destroyed, whether that succeeds or fails.
 *
 * You own it from `parkq_pipeline_new` to `parkq_pipeline_free`. It keeps
 * nothing of a frame between calls; any number of threads may use it at once.
 */
typedef struct parkq_pipeline parkq_pipeline;

/**
 * Receives log messages: `user` as it was given, one of `parkq_log_level`, and the message,
 * which lives until the callback returns. It runs on whichever thread has something to say,
 * several at once; it must not call parkq, and must return.
 */
typedef void (*parkq_log_callback)(void *user, uint32_t level, const char *message);

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
   * read (closed and masked ones were not).
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
   * The calibrated probability that it is occupied, 0 to 1; NaN where it was not read
   * (closed, masked), which no comparison takes for free or occupied.
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
 * Any thread, but not from within the callback.
 */
parkq_status parkq_log_set(uint32_t level, parkq_log_callback callback, void *user);

/**
 * Sets how many threads a call may use at most, for handles that are made from now on; 0, the
 * default, leaves it at one for each processor. The thread that calls counts as one. Any thread.
 */
parkq_status parkq_threads_set_cap(uint32_t threads);

/**
 * Why the latest call on this thread that failed did so: lower case, with the actual and the
 * needed value; "" if none has failed.
 *
 * Never NULL. parkq owns it; it lives until the next call on this thread that fails, or the
 * thread's end.
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
 * before it does anything; so is one for which the system does not have the memory. How much
 * each call may need is said at each. Calls that run at the same time count together. What is
 * not counted: your own buffers, the code with its weights, and threads' stacks. If the system
 * gives no memory in the midst of a call, although it had it at its beginning, the process is
 * aborted: that can only be ruled out by leaving room for it. Any thread.
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
 * Takes at most 64 times `length` of memory, and 64 KiB. Fails with PARKQ_STATUS_LOT, whose
 * message names the space at fault.
 */
parkq_status parkq_lot_from_json(const char *json, size_t length, struct parkq_lot **lot);

/**
 * Frees a lot; NULL is allowed.
 */
void parkq_lot_free(struct parkq_lot *lot);

/**
 * Writes the number of the lot's spaces to `count`. Readings are numbered like them, from 0.
 */
parkq_status parkq_lot_space_count(const struct parkq_lot *lot, size_t *count);

/**
 * Writes the id of a space, as the lot's author wrote it, in UTF-8.
 *
 * Reads `space`, from 0. Writes up to `capacity` bytes to `id`, the last of them a NUL, and to
 * `count` the id's length without the NUL: it was cut if that is not less than `capacity`.
 */
parkq_status parkq_lot_space_id(const struct parkq_lot *lot,
                                size_t space,
                                char *id,
                                size_t capacity,
                                size_t *count);

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
 * if `capacity` is 0. Takes memory for the record while it runs.
 */
parkq_status parkq_occupancy_to_json(const struct parkq_occupancy *occupancy,
                                     char *json,
                                     size_t capacity,
                                     size_t *count);

/**
 * Draws the lot as a plan in SVG: every space by its state, no pixel of the picture.
 *
 * Reads `aspect`, the picture's width over its height. Writes as `parkq_occupancy_to_json` does.
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
 * Makes an estimator with the bundled model.
 *
 * Reads `lot`, of which it keeps a copy, and `options`; NULL for `options` gives the defaults.
 * Writes a new estimator to `estimator`. Takes up to 8 MiB while it
 * runs.
 * PARKQ_STATUS_UNSUPPORTED in a library without its weights, PARKQ_STATUS_OPTION for an option
 * outside its range.
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
 * then the quad as 0 or 1. Its output is f32 [1, 1]: the log-odds that the space is occupied.
 * Otherwise as `parkq_estimator_new`; takes up to 8 times `onnx_length` of memory, and 1 MiB.
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
 * Writes which model it reads with to `info`.
 */
parkq_status parkq_estimator_model(const struct parkq_estimator *estimator,
                                   struct parkq_model_info *info);

/**
 * Reads every space of the lot in one frame.
 *
 * Reads the planes of `frame` where they lie, and only what lies round the spaces; writes none
 * of it: the lot's privacy masks are honoured, not burnt in. Replaces what is in `occupancy`.
 * Takes up to 1 MiB for each thread, and 1 KiB for each space, whatever the frame's size; keeps
 * less than 256 KiB for each thread that has called it, without a pixel in it.
 */
parkq_status parkq_estimator_occupancy(const struct parkq_estimator *estimator,
                                       const struct parkq_frame *frame,
                                       struct parkq_occupancy *occupancy);

/**
 * Makes a pipeline with the bundled models.
 *
 * Reads and fails as `parkq_estimator_new`. Writes a new pipeline to `pipeline`. Takes up to
 * 64 MiB while it runs.
 */
parkq_status parkq_pipeline_new(const struct parkq_lot *lot,
                                const struct parkq_estimator_options *options,
                                struct parkq_pipeline **pipeline);

/**
 * Frees a pipeline; NULL is allowed. No thread may be using it.
 */
void parkq_pipeline_free(struct parkq_pipeline *pipeline);

/**
 * Decodes a JPEG, PNG or WebP, and says which spaces are taken; the decoded picture is wiped.
 *
 * Reads `length` bytes at `encoded`; they are yours, and not wiped. A picture of more than
 * `max_pixels` is refused before it is decoded. Replaces what is in `occupancy`. Takes up to 12
 * bytes for each of `max_pixels`, and as much as `parkq_estimator_occupancy`.
 * PARKQ_STATUS_DECODE for what is no such picture, PARKQ_STATUS_UNSUPPORTED in a library
 * without decoders.
 */
parkq_status parkq_pipeline_process_encoded(const struct parkq_pipeline *pipeline,
                                            const void *encoded,
                                            size_t length,
                                            uint64_t max_pixels,
                                            struct parkq_occupancy *occupancy);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PARKQ_H */
