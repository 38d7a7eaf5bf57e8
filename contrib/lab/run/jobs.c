#include "config.h"

#include "contrib/lab/run/jobs.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/run/cell.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_EXTRA_MS 45000 /* start, script and end, in addition to the waiting for answers */
#define LOOK_MS        200   /* how often deadlines and the stop flag are checked */

struct job {
	const struct scenario *scenario;
	char folder[FILE_PATH_MAX];
	pid_t pid; /* 0: the slot is free */
	int fd;    /* where the result comes from */
	int64_t deadline_ms;
};

struct jobs {
	const struct jobs_order *order;
	const struct scenario *const *queue;
	size_t n_queue, next;
	struct job slots[JOBS_MAX];
};

struct inside {
	struct trial_order order;
	int fd;
};

static void
sink_file(void *ctx, const char *line, size_t n)
{
	(void)fwrite(line, 1, n, ctx);
	if (n == 0 || line[n - 1] != '\n')
		fputc('\n', ctx);
	(void)fflush(ctx);
}

/* Runs in the cell. */
static int
inside_cell(void *ctx)
{
	struct inside *inside = ctx;
	struct trial_result result;
	char path[FILE_PATH_MAX];
	FILE *events = NULL;

	signal(SIGPIPE, SIG_IGN);
	if (lab_path_join(path, inside->order.folder, "server.log") == RES_OK)
		events = fopen(path, "we");
	if (events != NULL)
		log_capture(sink_file, events);
	else
		log_setup(LOG_ERROR, LOG_TEXT);
	trial_run(&inside->order, &result);
	if (write(inside->fd, &result, sizeof result) != (ssize_t)sizeof result)
		return LAB_TROUBLE;
	return LAB_DONE;
}

static bool
job_start(const struct jobs_order *order, struct job *job, const struct scenario *scenario)
{
	const struct addr own[] = {LAB_IP4, LAB_IP4_TWO, LAB_IP6, LAB_IP6_TWO};
	struct inside inside;
	int fds[2];

	job->scenario = scenario;
	if (lab_path_join(job->folder, order->folder, scenario->name) != RES_OK ||
	    lab_folder_make(job->folder) != RES_OK || pipe2(fds, O_CLOEXEC) < 0)
		return false;
	inside.fd = fds[1];
	inside.order = (struct trial_order){.scenario = scenario,
					    .client = order->client,
					    .protocol = order->protocol,
					    .world_folder = order->world_folder,
					    .folder = job->folder,
					    .patience_ms = order->patience_ms};
	(void)fflush(NULL);
	if (cell_start(&job->pid, own, sizeof own / sizeof own[0], inside_cell, &inside) != RES_OK) {
		job->pid = 0;
		close(fds[0]);
	} else {
		job->fd = fds[0];
		job->deadline_ms = clock_mono_ms() + 2 * order->patience_ms + TRIAL_EXTRA_MS;
	}
	close(fds[1]);
	return job->pid != 0;
}

static void
job_end(const struct jobs_order *order, struct job *job)
{
	struct trial_result result;
	ssize_t n;

	while ((n = read(job->fd, &result, sizeof result)) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof result)
		result = (struct trial_result){
		    .outcome = OUTCOME_BROKEN, .mark = MARK_FAIL, .ms = -1, .detail = "the trial broke off"};
	close(job->fd);
	cell_end(job->pid); /* its result has been read */
	job->pid = 0;
	order->on_result(order->ctx, job->scenario, &result);
	if (!order->keep)
		lab_folder_remove(job->folder);
}

/* Starts as many as fit. False: a trial could not be started. */
static bool
jobs_fill(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->order->at_a_time && jobs->next < jobs->n_queue; i++)
		if (jobs->slots[i].pid == 0 &&
		    !job_start(jobs->order, &jobs->slots[i], jobs->queue[jobs->next++]))
			return false;
	return true;
}

/* Waits for results, and ends trials that take too long. */
static void
jobs_wait(struct jobs *jobs)
{
	struct pollfd polls[JOBS_MAX];
	struct job *of[JOBS_MAX];
	nfds_t n = 0;
	int64_t now;

	for (size_t i = 0; i < jobs->order->at_a_time; i++)
		if (jobs->slots[i].pid != 0) {
			of[n] = &jobs->slots[i];
			polls[n++] = (struct pollfd){.fd = jobs->slots[i].fd, .events = POLLIN};
		}
	(void)poll(polls, n, LOOK_MS);
	now = clock_mono_ms();
	for (nfds_t i = 0; i < n; i++) {
		if (polls[i].revents == 0 && now > of[i]->deadline_ms)
			(void)kill(of[i]->pid, SIGTERM);
		if (polls[i].revents != 0)
			job_end(jobs->order, of[i]);
	}
}

static bool
jobs_left(const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->order->at_a_time; i++)
		if (jobs->slots[i].pid != 0)
			return true;
	return jobs->next < jobs->n_queue;
}

static void
jobs_stop(struct jobs *jobs)
{
	int saved = errno;

	for (size_t i = 0; i < jobs->order->at_a_time; i++)
		if (jobs->slots[i].pid != 0) {
			cell_end(jobs->slots[i].pid);
			close(jobs->slots[i].fd);
			jobs->slots[i].pid = 0;
		}
	errno = saved;
}

enum res
jobs_run(const struct jobs_order *order, const struct scenario *const *queue, size_t n)
{
	struct jobs jobs = {.order = order, .queue = queue, .n_queue = n};
	bool started = true;

	while (started && jobs_left(&jobs) && *order->stop == 0) {
		started = jobs_fill(&jobs);
		if (started)
			jobs_wait(&jobs);
	}
	jobs_stop(&jobs);
	return started ? RES_OK : RES_IO;
}
