/*
 * control_stage.h - a control socket over a real socket, with real loops and threads, and fake workers.
 */
#ifndef TESTS_UNIT_CONTROL_STAGE_H
#define TESTS_UNIT_CONTROL_STAGE_H

#include "resolver/daemon/control.h"

#include "resolver/cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define WORKERS 2

/* A fake worker: a loop in a thread. */
struct worker {
	struct loop *loop;
	struct counters counters;
	pthread_t thread;
	unsigned number;
};

struct stage {
	struct worker worker[WORKERS];
	struct worker *list[WORKERS];
	struct snapshot snapshot;
	struct vfy_policy policy;
	struct settings settings;
	struct cache *cache; /* for the store in it */
	int64_t captive_ms;
	bool reload_fails;
	struct loop *main_loop;
	pthread_t main_thread;
	bool ended;
	struct control *control;
	char dir[32];
	char path[64];
};

/* The owner that a daemon has which was not started as root. */
extern const struct control_owner stage_nobody;
/* What the socket does, with a struct stage. */
extern const struct control_ops stage_ops;

int stage_set(void **state);
void stage_loop_end(struct stage *); /* the main loop, as when the daemon ends */
int stage_strike(void **state); /* fails if the socket is still there */

int stage_connect(const char *path);
/* Everything until the daemon closes the connection. Yours. */
char *stage_ask(const struct stage *, const char *request);
/* One line of JSON. Yours. */
json_t *stage_ask_json(const struct stage *, const char *request);

void expect_int(const json_t *, const char *key, long long want);
void expect_text(const json_t *, const char *key, const char *want);

#endif
