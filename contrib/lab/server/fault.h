/*
 * fault.h - what a server does wrong, as a set of named faults.
 */
#ifndef CONTRIB_LAB_SERVER_FAULT_H
#define CONTRIB_LAB_SERVER_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault {
#define FAULT(id, name, value, text) FAULT_##id,
#include "contrib/lab/server/faults.def"
#undef FAULT
	FAULT_COUNT
};

#define FAULT_VALUE_MAX 64

struct faults {
	bool set[FAULT_COUNT];
	char value[FAULT_COUNT][FAULT_VALUE_MAX]; /* of those that take one */
};

/* Adds "name", "name=value", or several with commas between. False: *bad is the text that could not be
 * understood. */
bool faults_add(struct faults *, const char *text, const char **bad);
bool fault_has(const struct faults *, enum fault);
/* The value as a number; 0 when it is none. */
int64_t fault_number(const struct faults *, enum fault);

const char *fault_name(enum fault);
const char *fault_text(enum fault);
bool fault_takes_value(enum fault);

#endif
