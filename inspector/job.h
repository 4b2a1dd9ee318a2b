/*
 * One file in the cage: what is asked, where the bytes are, where the copies go. A process has one job and ends with
 * it, so a refusal needs no way back: it answers and exits.
 */
#ifndef CP_JOB_H
#define CP_JOB_H

#include "inspect/inspect_wire.h"

typedef struct {
    cp_wire_request_t     request;
    const unsigned char  *data;       /* the file, for as long as the process lives */
    size_t                size;
    cp_wire_reply_t       reply;      /* filled while it is decoded */
} cp_job_t;

/* Waits for the one job, decodes and answers. */
void cp_job_run(void) __attribute__((noreturn));

/* Answers that the file is refused. */
void cp_job_refuse(cp_inspect_reason_t reason) __attribute__((noreturn));

/* Refuses sizes that are none or too many, as the header says them: before anything is allocated for them. */
void cp_job_check_size(const cp_job_t *job, uint64_t width, uint64_t height);

/* Appends to the output. A part is what was written between its begin and its end. */
void cp_job_write(const void *bytes, size_t size);
void cp_job_part_begin(cp_wire_part_t *part, uint32_t width, uint32_t height);
void cp_job_part_end(cp_wire_part_t *part);

#endif
