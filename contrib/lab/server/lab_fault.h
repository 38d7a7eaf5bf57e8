/*
 * lab_fault.h - what a server does wrong, as a set of named faults.
 */
#ifndef CONTRIB_LAB_SERVER_LAB_FAULT_H
#define CONTRIB_LAB_SERVER_LAB_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault {
#define FAULT(id, name, value, text) FAULT_##id,
#include "contrib/lab/server/lab_faults.def"
#undef FAULT
	FAULT_COUNT
};

#define FAULT_VALUE_MAX 64

struct lab_faults {
	bool set[FAULT_COUNT];
	char value[FAULT_COUNT][FAULT_VALUE_MAX]; /* of those that take one */
};

/* Adds "name", "name=value", or several with commas between. False: *bad is the text that is not a
 * fault, or whose value is missing, wrong or one too many. */
bool lab_faults_add(struct lab_faults *, const char *text, const char **bad);
bool lab_fault_has(const struct lab_faults *, enum fault);
/* The value as a number; 0 when it is none. */
int64_t lab_fault_number(const struct lab_faults *, enum fault);

const char *lab_fault_name(enum fault);
const char *lab_fault_text(enum fault);
/* The form of its value: "N" (a number) or "TEXT"; NULL when it takes none. */
const char *lab_fault_form(enum fault);

#endif
