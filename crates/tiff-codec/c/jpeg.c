/* One JPEG stream of a TIFF chunk to interleaved samples.
 *
 * libjpeg reports errors by a callback that must not return. The jump that this takes begins and
 * ends within this file, so that no frame of another language is ever crossed. */

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* Keep in step with jpeg.rs. */
enum { COLOUR_AS_STORED = 0, COLOUR_RGB_UNLESS_JFIF = 1, COLOUR_BY_STREAM = 2 };
enum { DECODED = 0, DAMAGED = 1, MISMATCH = 2 };

typedef struct {
  const uint8_t *tables;
  size_t tables_len;
  const uint8_t *stored;
  size_t stored_len;
  uint8_t *out; /* width * height * samples bytes */
  size_t memory_limit;
  uint32_t width;
  uint32_t height;
  uint32_t most_height; /* rows that the stream may have */
  uint32_t samples;
  uint32_t colour;
  uint32_t found_width;
  uint32_t found_height;
  uint32_t found_samples;
  char message[JMSG_LENGTH_MAX];
} fairzarr_jpeg;

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf escape;
  char *message;
  int in_scan;
} error_state;

typedef struct {
  struct jpeg_source_mgr manager;
  int ran_dry;
} source_state;

/* No honest encoder writes more scans than this; each costs a pass over the whole image. */
#define MAX_SCANS 100

static void fail(j_common_ptr cinfo) {
  error_state *state = (error_state *)cinfo->err;
  (*cinfo->err->format_message)(cinfo, state->message);
  longjmp(state->escape, 1);
}

/* libjpeg goes on after a warning with grey or stale samples; here that is an error. */
static void on_message(j_common_ptr cinfo, int level) {
  const error_state *state = (const error_state *)cinfo->err;
  if (level >= 0) return;
  switch (cinfo->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
      /* Stray bytes between the segments of a header mean nothing; codes that no block has used tell of damage. */
      if (state->in_scan) fail(cinfo);
      break;
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
      fail(cinfo);
      break;
    default:
      break;
  }
}

static void on_output(j_common_ptr cinfo) { (void)cinfo; }

static void on_progress(j_common_ptr cinfo) {
  j_decompress_ptr decompress = (j_decompress_ptr)cinfo;
  if (cinfo->is_decompressor && decompress->input_scan_number > MAX_SCANS) {
    ERREXIT(cinfo, JERR_TOO_LITTLE_DATA);
  }
}

static void source_nothing(j_decompress_ptr cinfo) { (void)cinfo; }

/* The end of the data reads as an end-of-image marker. Samples that are then missing raise
 * JWRN_HIT_MARKER; missing scans are found by the flag. */
static boolean source_fill(j_decompress_ptr cinfo) {
  static const JOCTET end_of_image[2] = {0xFF, JPEG_EOI};
  source_state *source = (source_state *)cinfo->src;
  source->ran_dry = 1;
  source->manager.next_input_byte = end_of_image;
  source->manager.bytes_in_buffer = sizeof end_of_image;
  return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long count) {
  source_state *source = (source_state *)cinfo->src;
  if (count <= 0) return;
  if ((size_t)count > source->manager.bytes_in_buffer) {
    source_fill(cinfo);
  } else {
    source->manager.next_input_byte += count;
    source->manager.bytes_in_buffer -= (size_t)count;
  }
}

static void source_set(source_state *source, const uint8_t *bytes, size_t len) {
  source->ran_dry = 0;
  source->manager.next_input_byte = bytes;
  source->manager.bytes_in_buffer = len;
}

static void set_colour(j_decompress_ptr cinfo, uint32_t mode) {
  int three = cinfo->num_components == 3;
  int four = cinfo->num_components == 4;
  if (three && mode == COLOUR_RGB_UNLESS_JFIF && cinfo->saw_JFIF_marker) mode = COLOUR_BY_STREAM;
  if (mode == COLOUR_BY_STREAM && three) {
    cinfo->out_color_space = JCS_RGB;
  } else if (mode == COLOUR_BY_STREAM && four) {
    cinfo->out_color_space = JCS_CMYK;
  } else {
    cinfo->jpeg_color_space = JCS_UNKNOWN;
    cinfo->out_color_space = JCS_UNKNOWN;
  }
}

static int decode(j_decompress_ptr cinfo, source_state *source, fairzarr_jpeg *job) {
  size_t row_len = (size_t)job->width * job->samples;
  uint32_t row;

  cinfo->mem->max_memory_to_use = (long)job->memory_limit;
  if (job->tables_len > 0) {
    source_set(source, job->tables, job->tables_len);
    if (jpeg_read_header(cinfo, FALSE) != JPEG_HEADER_TABLES_ONLY) {
      strcpy(job->message, "JPEGTables holds an image");
      return DAMAGED;
    }
  }
  source_set(source, job->stored, job->stored_len);
  jpeg_read_header(cinfo, TRUE);
  job->found_width = cinfo->image_width;
  job->found_height = cinfo->image_height;
  job->found_samples = (uint32_t)cinfo->num_components;
  /* A last strip may hold more rows than are left of the image, never fewer. */
  if (job->found_width != job->width || job->found_height < job->height ||
      job->found_height > job->most_height || job->found_samples != job->samples) {
    return MISMATCH;
  }
  set_colour(cinfo, job->colour);
  cinfo->dct_method = JDCT_ISLOW;
  cinfo->do_fancy_upsampling = TRUE;
  cinfo->do_block_smoothing = FALSE;
  ((error_state *)cinfo->err)->in_scan = 1;
  jpeg_start_decompress(cinfo);
  if ((uint32_t)cinfo->output_components != job->samples || cinfo->output_width != job->width) {
    return MISMATCH;
  }
  for (row = 0; row < job->height; row++) {
    JSAMPROW line = job->out + row * row_len;
    /* The source never suspends, so each call gives its row or fails. */
    jpeg_read_scanlines(cinfo, &line, 1);
  }
  if (row < job->found_height) {
    JSAMPARRAY beyond = cinfo->mem->alloc_sarray((j_common_ptr)cinfo, JPOOL_IMAGE, (JDIMENSION)row_len, 1);
    for (; row < job->found_height; row++) jpeg_read_scanlines(cinfo, beyond, 1);
  }
  if (source->ran_dry && jpeg_has_multiple_scans(cinfo)) {
    strcpy(job->message, "scans are missing at the end");
    return DAMAGED;
  }
  /* Up to the marker that ends the image, which may be missing; codes before it are one too many. */
  jpeg_finish_decompress(cinfo);
  return DECODED;
}

int fairzarr_jpeg_decode(fairzarr_jpeg *job) {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_progress_mgr progress;
  error_state error;
  source_state source;
  int status;

  memset(&cinfo, 0, sizeof cinfo);
  memset(&progress, 0, sizeof progress);
  memset(&source, 0, sizeof source);
  cinfo.err = jpeg_std_error(&error.manager);
  error.manager.error_exit = fail;
  error.manager.emit_message = on_message;
  error.manager.output_message = on_output;
  error.message = job->message;
  error.in_scan = 0;
  progress.progress_monitor = on_progress;
  source.manager.init_source = source_nothing;
  source.manager.fill_input_buffer = source_fill;
  source.manager.skip_input_data = source_skip;
  source.manager.resync_to_restart = jpeg_resync_to_restart;
  source.manager.term_source = source_nothing;

  if (setjmp(error.escape)) {
    jpeg_destroy_decompress(&cinfo);
    return DAMAGED;
  }
  jpeg_create_decompress(&cinfo);
  cinfo.src = &source.manager;
  cinfo.progress = &progress;
  status = decode(&cinfo, &source, job);
  jpeg_destroy_decompress(&cinfo);
  return status;
}
