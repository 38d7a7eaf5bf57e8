#include "resolver/reader.h"

#include <pthread.h>
#include <stdlib.h>

struct reader {
	struct loop *loop;
	pthread_mutex_t lock; /* of the jobs and their states; never held while one is carried out */
	TAILQ_HEAD(, reader_job) jobs;
	bool ended;
};

enum res
reader_new(struct reader **out, struct loop *loop)
{
	struct reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return RES_NOMEM;
	r->loop = loop;
	TAILQ_INIT(&r->jobs);
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return RES_OK;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void
reader_end(struct reader *r)
{
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_mutex_unlock(&r->lock);
}

/* The next one that waits; NULL: none. */
static struct reader_job *
job_begin(struct reader *r)
{
	struct reader_job *job;

	pthread_mutex_lock(&r->lock);
	job = r->ended ? NULL : TAILQ_FIRST(&r->jobs);
	if (job != NULL) {
		TAILQ_REMOVE(&r->jobs, job, link);
		job->state = READER_RUNS;
	}
	pthread_mutex_unlock(&r->lock);
	return job;
}

static void
job_end(struct reader *r, struct reader_job *job)
{
	bool left;

	pthread_mutex_lock(&r->lock);
	left = job->state == READER_LEFT;
	if (!left)
		job->state = READER_DONE;
	pthread_mutex_unlock(&r->lock);
	if (left)
		job->free(job);
}

static void
reader_on_work(void *ctx)
{
	struct reader *r = ctx;
	struct reader_job *job = job_begin(r);

	if (job == NULL) /* it was left before its turn, or none begins any more */
		return;
	job->run(job);
	job_end(r, job);
}

enum res
reader_add(struct reader *r, struct reader_job *job)
{
	bool waits;

	pthread_mutex_lock(&r->lock);
	job->state = READER_WAITS;
	TAILQ_INSERT_TAIL(&r->jobs, job, link);
	pthread_mutex_unlock(&r->lock);
	if (loop_post(r->loop, reader_on_work, r) == RES_OK)
		return RES_OK;
	pthread_mutex_lock(&r->lock);
	waits = job->state == READER_WAITS; /* else the turn for an earlier job took this one */
	if (waits)
		TAILQ_REMOVE(&r->jobs, job, link);
	pthread_mutex_unlock(&r->lock);
	return waits ? RES_NOMEM : RES_OK;
}

bool
reader_is_done(struct reader *r, struct reader_job *job)
{
	bool done;

	pthread_mutex_lock(&r->lock);
	done = job->state == READER_DONE;
	pthread_mutex_unlock(&r->lock);
	return done;
}

void
reader_leave(struct reader *r, struct reader_job *job)
{
	bool runs;

	pthread_mutex_lock(&r->lock);
	runs = job->state == READER_RUNS;
	if (runs)
		job->state = READER_LEFT;
	else if (job->state == READER_WAITS)
		TAILQ_REMOVE(&r->jobs, job, link);
	pthread_mutex_unlock(&r->lock);
	if (!runs)
		job->free(job);
}
