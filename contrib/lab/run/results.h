/*
 * results.h - the results of `run` as JSON: one object for each client and protocol, which `report` reads.
 *
 * {"client", "version", "identity", "protocol", "date", "lab", "config", "results": [{"scenario", "group",
 * "impostor", "strict", "reason", "outcome", "mark", "ms", "rcode", "ede", "resumed", "detail", "server":
 * {...}}]}
 *
 * A mark is that of trial.h, or "void".
 */
#ifndef CONTRIB_LAB_RUN_RESULTS_H
#define CONTRIB_LAB_RUN_RESULTS_H

#include "contrib/lab/run/trial.h"

#include <jansson.h>

/* Yours. NULL: no memory. */
json_t *results_new(const struct lab_client_about *, enum lab_server_protocol, const char *config);
void results_add(json_t *results, const struct scenario *, const struct trial_result *);
/* Refusals by a client that refused the good resolver as well are marked "void": they prove nothing. */
void results_void(json_t *results);
/* How many results have this mark. */
size_t results_count(const json_t *results, const char *mark);

#endif
