/*
 * reader.h - work that takes too long for a loop that answers questions, such as reading a large file: the main thread
 * does it.
 *
 * A job is added by the thread that wants it and carried out in the loop of the reader. It has one owner at any time: the one
 * who added it, but for one that was left while it was carried out.
 */
#ifndef RESOLVER_READER_H
#define RESOLVER_READER_H

#include "base/res.h"
#include "transport/loop.h"

#include <sys/queue.h>

struct reader;

enum reader_state { READER_WAITS, READER_RUNS, READER_DONE, READER_LEFT };

/* Embedded in a struct with the data of the job. */
struct reader_job {
	void (*run)(struct reader_job *);  /* in the loop's thread */
	void (*free)(struct reader_job *); /* it is over, and nobody wants the result any more */
	enum reader_state state;           /* the reader's own */
	TAILQ_ENTRY(reader_job) link;
};

/* loop: lent; it outlives the reader's use by others. */
enum res reader_new(struct reader **, struct loop *loop);
/* Jobs that have not begun are not carried out any more. */
void reader_end(struct reader *);
/* Every job must have been left. */
void reader_free(struct reader *);

/* From any thread. RES_NOMEM: it was not added. */
enum res reader_add(struct reader *, struct reader_job *);
/* The job is done: its result may be read, and reader_leave must be called. */
bool reader_is_done(struct reader *, struct reader_job *);
/* The owner no longer needs the job: it is freed, at once or when it is done. */
void reader_leave(struct reader *, struct reader_job *);

#endif
