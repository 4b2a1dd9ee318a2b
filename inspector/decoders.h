/*
 * The decoders, one a format: each reads the whole file, refuses what is damaged (cp_job_refuse()), and fills the
 * reply and its copies.
 */
#ifndef CP_DECODERS_H
#define CP_DECODERS_H

#include "job.h"

/* ITU-T T.81 by libjpeg-turbo. Warnings that mean lost image data refuse; stray bytes between markers do not. */
void cp_jpeg_decode(cp_job_t *job);

/* W3C PNG (second edition) by libspng. Only critical chunks and tRNS reach it, so that odd other ones do no harm. */
void cp_png_decode(cp_job_t *job);

/* GIF87a and GIF89a by giflib. Every frame is decoded, the first one is kept. */
void cp_gif_decode(cp_job_t *job);

/* Windows and OS/2 bitmaps by a reader of our own. */
void cp_bmp_decode(cp_job_t *job);

/* ISO 32000-1: structure and policy by qpdf, pages by poppler. */
void cp_pdf_decode(cp_job_t *job);

#endif
