/*
 * trial.h - one client against one scenario, in a cell of its own, and the outcome.
 */
#ifndef CONTRIB_LAB_RUN_TRIAL_H
#define CONTRIB_LAB_RUN_TRIAL_H

#include "contrib/lab/run/lab_ask.h"
#include "contrib/lab/run/lab_client.h"
#include "contrib/lab/scenarios/scenario.h"
#include "contrib/lab/server/lab_server.h"

enum outcome {
	OUTCOME_ACCEPTED, /* it accepted the answer of the encrypted server */
	OUTCOME_REFUSED,  /* it answered SERVFAIL or another error */
	OUTCOME_SILENT,   /* it sent no answer in time */
	OUTCOME_LEAKED,   /* it accepted no answer, but its question reached the impostor */
	OUTCOME_FALLBACK, /* it asked, or accepted an answer, in clear text */
	OUTCOME_BROKEN,   /* it did not run, or failed before the scenario began */
	OUTCOME_SKIPPED,  /* the client cannot be configured for this */
};

enum mark { MARK_PASS, MARK_FAIL, MARK_NOTE, MARK_SKIP };

struct trial_order {
	const struct scenario *scenario;
	const struct lab_client_about *client;
	enum lab_server_protocol protocol;
	const char *world_folder;
	const char *folder;  /* scratch, of this trial alone */
	int64_t patience_ms; /* for one answer */
};

struct trial_result {
	enum outcome outcome;
	enum mark mark;
	int64_t ms; /* from the question that counts to its answer; -1: none came */
	uint8_t rcode;
	bool resumed;
	char ede[ASK_EDE_MAX];
	char detail[256];                /* details for people; may be empty */
	struct lab_server_counts counts; /* of the impostor, all its addresses together */
};

/* In the cell: sets up servers and traps, runs the client, asks. Always fills in a result. */
void trial_run(const struct trial_order *, struct trial_result *);

const char *report_outcome_text(enum outcome);
const char *trial_mark_text(enum mark);
/* What the outcome means for this scenario. */
enum mark trial_mark(const struct trial_order *, const struct trial_result *);

#endif
