/*
 * posts.h - what other threads want done in the thread of a loop: functions, which run in the order they came.
 *
 * The only part of a loop under a lock. Its owner wakes the loop.
 */
#ifndef TRANSPORT_POSTS_H
#define TRANSPORT_POSTS_H

#include "base/res.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Allocated; freed when it has run or is not taken. */
struct post {
	void (*fn)(void *arg);
	void *arg;
	STAILQ_ENTRY(post) beside;
};

STAILQ_HEAD(post_list, post);

struct posts {
	pthread_mutex_t lock;
	struct post_list list;
	bool ended; /* takes no more */
};

void posts_init(struct posts *);
void posts_free(struct posts *); /* what has not run is dropped */
/* Any thread. The post is taken, also on failure. RES_NOT_FOUND: it will not run, after posts_end. *first: it is the only
 * one, so the loop may sleep. */
enum res posts_add(struct posts *, struct post *, bool *first);
/* In the loop's thread: those that are there by now. */
void posts_run(struct posts *);
/* As posts_run, and none is taken any more. */
void posts_end(struct posts *);

#endif
