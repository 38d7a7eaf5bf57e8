/*
 * program.h - programs of the system that setup calls: by absolute path, with a fixed environment, bounded in time.
 */
#ifndef CLI_SETUP_PROGRAM_H
#define CLI_SETUP_PROGRAM_H

#include "base/bytes.h"

#define PROGRAM_SECONDS    60 /* a service manager that takes longer to restart a service will not come back */
#define PROGRAM_OUTPUT_MAX 8192 /* kept of what it prints */

/* The exit code; -1: it cannot be run, or did not end in time. output may be NULL; else what it printed is appended. */
int program_run(const char *const argv[], struct buf *output);

#endif
