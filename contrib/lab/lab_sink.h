/*
 * lab_sink.h - where the events of serve, logs and up go.
 */
#ifndef CONTRIB_LAB_LAB_SINK_H
#define CONTRIB_LAB_LAB_SINK_H

#include <stddef.h>

/* For log_capture: a line to the FILE in ctx. If that is a pipe whose reader has gone, the verb ends as on SIGTERM, which it
 * must handle. SIGPIPE must be ignored. */
void lab_sink(void *ctx, const char *line, size_t n);

#endif
