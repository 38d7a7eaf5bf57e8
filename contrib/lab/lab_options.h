/*
 * lab_options.h - values of options: each function explains a wrong one on standard error and returns false.
 */
#ifndef CONTRIB_LAB_LAB_OPTIONS_H
#define CONTRIB_LAB_LAB_OPTIONS_H

#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"

#include "base/addr.h"

/* name: of the option, without hyphens. */
bool lab_number_read(int64_t *out, const char *name, const char *text, int64_t least, int64_t most);
bool lab_duration_read(int64_t *out_ms, const char *name, const char *text, int64_t least_ms);
/* An address to listen on, of the loopback interface: others must not find a false resolver. Port 0 means any free port. */
bool lab_listen_read(struct addr *, const char *text, uint16_t default_port);

/* Before any work: can a file be written where --name says? path may be NULL: it was not given. "-" means standard
 * output, where that may take it. LAB_DONE, or the exit code with a sentence in why. */
int lab_output_check(char why[LAB_WHY_MAX], const char *name, const char *path, bool may_be_stdout);
bool lab_is_stdout(const char *path); /* may be NULL */

#endif
