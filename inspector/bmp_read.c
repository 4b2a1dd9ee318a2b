#include "decoders.h"
void cp_bmp_decode(cp_job_t *job) { (void) job; cp_job_refuse(CP_INSPECT_UNSUPPORTED); }
