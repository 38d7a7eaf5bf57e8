/*
 * advice.h - what a person can do about each reason for which an upstream is refused or fails.
 */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

#include "verify/verdict.h"

/* One sentence. NULL for REASON_NONE only. Constant. */
const char *advice_of(enum reason);
/* A network with a login page makes every upstream fail like this. */
bool advice_suspects_portal(enum reason);

#endif
