/*
 * protection.h - the daemon's answer to `status` in one word: is this machine's DNS protected?
 */
#ifndef CLI_PROTECTION_H
#define CLI_PROTECTION_H

#include "cli/cli.h"

#include <jansson.h>

/* PROTECTED: an upstream that serves all names is accepted and works. READY: none was used yet. DEGRADED: protected, but
 * something needs a person. NOT_ANSWERING: no upstream is usable, so nothing resolves; nothing is sent in clear text. */
enum protection_state {
	PROTECTION_PROTECTED,
	PROTECTION_READY,
	PROTECTION_DEGRADED,
	PROTECTION_NOT_ANSWERING
};

#define PROTECTION_TEXT_MAX 1024

struct protection {
	enum protection_state state;
	bool portal;                    /* the failures look like those of a network with a login page */
	char text[PROTECTION_TEXT_MAX]; /* "DEGRADED: one 1.1.1.1:853 is refused: ct-no-scts, and 1 more" */
};

void protection_judge(struct protection *, const json_t *answer);
const char *protection_state_text(enum protection_state); /* "not-answering" */
enum exit_code protection_exit_code(enum protection_state);

#endif
