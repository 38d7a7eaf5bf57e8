/*
 * trap.h - clear text answered with lies, on every address: a client that accepts one has fallen back.
 *
 * Port 53 over UDP and TCP answers any question with ZONE_LIES. Port 80 answers any request with nothing.
 * It remembers the names: a question of the trial that arrives here was leaked.
 */
#ifndef CONTRIB_LAB_RUN_TRAP_H
#define CONTRIB_LAB_RUN_TRAP_H

#include "base/res.h"

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

struct trap;

enum res trap_new(struct trap **, struct event_base *);
void trap_free(struct trap *);
/* Was this name (as lab_zone_question has it, in any case) asked in clear text? */
bool trap_saw(const struct trap *, const char *name);
uint64_t trap_http_requests(const struct trap *);

#endif
