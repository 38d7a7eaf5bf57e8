/*
 * jobs.h - the trials of one client, several at a time, each in a cell of its own.
 */
#ifndef CONTRIB_LAB_RUN_JOBS_H
#define CONTRIB_LAB_RUN_JOBS_H

#include "contrib/lab/run/trial.h"

#include <signal.h>

#define JOBS_MAX 64 /* at a time: a cell has a handful of processes */

/* All of it is lent. */
struct jobs_order {
	const struct lab_client_about *client;
	enum lab_server_protocol protocol;
	const char *folder; /* where each trial gets a folder of its own */
	const char *world_folder;
	size_t at_a_time; /* 1 to JOBS_MAX */
	int64_t patience_ms;
	bool keep; /* the folders of the trials */
	void (*on_result)(void *ctx, const struct scenario *, const struct trial_result *);
	void *ctx;
	const volatile sig_atomic_t *stop; /* set by a signal: ends what is running and starts nothing more */
};

/* Tries every scenario. RES_IO: a trial could not be started; errno says why. */
enum res jobs_run(const struct jobs_order *, const struct scenario *const *queue, size_t n);

#endif
