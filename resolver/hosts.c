#include "resolver/hosts.h"

#include "base/dns/compose.h"
#include "base/log.h"
#include "resolver/hosts_table.h"
#include "resolver/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOSTS_JOB_LOOK_MS 20 /* while the file is read: how often questions look whether it is done */

/* A large file that is read while questions are answered from the table before. */
struct hosts_job {
	struct reader_job job; /* first */
	char *file;
	enum res res; /* the rest is the reader's until it is done */
	struct hosts_table *table;
	char *why;
};

struct hosts {
	char *file;
	struct hosts_table *table;
	struct reader *reader; /* lent; NULL: none */
	struct hosts_job *job; /* NULL: none */
	int64_t look_again_ms, changed_ms;
	bool there, complained;
	struct stat seen;
};

static void
table_set(struct hosts *h, struct hosts_table *table)
{
	hosts_table_free(h->table);
	h->table = table;
}

enum res
hosts_read(struct hosts *h, struct span text)
{
	struct hosts_table *table = NULL;
	enum res res = hosts_table_read(&table, text);

	if (table != NULL)
		table_set(h, table);
	return res;
}

/* Logged once for each bad state, not once a second. */
static void
hosts_complain(struct hosts *h, const char *why)
{
	if (!h->complained)
		log_event(LOG_WARN, "hosts-not-read", LOG_STR("file", h->file), LOG_STR("why", why));
	h->complained = true;
}

/* What came of reading the file; the table and the text are taken. Beyond the limit, the entries read so far are used. A file
 * that could not be read is read again at the next look. */
static void
hosts_take(struct hosts *h, enum res res, struct hosts_table *table, char *why)
{
	if (table != NULL)
		table_set(h, table);
	else
		h->there = false;
	if (res != RES_OK) {
		hosts_complain(h, why == NULL ? res_text(res) : why);
	} else {
		h->complained = false;
		log_event(LOG_INFO, "hosts-read", LOG_STR("file", h->file), LOG_INT("entries", h->table->n),
			  LOG_INT("bad-lines", h->table->bad));
	}
	free(why);
}

static void
hosts_file_read(struct hosts *h)
{
	struct hosts_table *table = NULL;
	char *why = NULL;
	enum res res = hosts_table_load(&table, h->file, &why);

	hosts_take(h, res, table, why);
}

/* ---- beside the questions */

static struct hosts_job *
job_of(struct reader_job *job)
{
	return (struct hosts_job *)(void *)job; /* its first member */
}

static void
job_free(struct reader_job *reader_job)
{
	struct hosts_job *job = job_of(reader_job);

	hosts_table_free(job->table);
	free(job->why);
	free(job->file);
	free(job);
}

static void
job_run(struct reader_job *reader_job)
{
	struct hosts_job *job = job_of(reader_job);

	job->res = hosts_table_load(&job->table, job->file, &job->why);
}

/* False: there is no reader, or no memory. */
static bool
job_start(struct hosts *h)
{
	struct hosts_job *job = h->reader == NULL ? NULL : calloc(1, sizeof *job);

	if (job == NULL)
		return false;
	job->job = (struct reader_job){.run = job_run, .free = job_free};
	job->file = strdup(h->file);
	if (job->file == NULL || reader_add(h->reader, &job->job) != RES_OK) {
		job_free(&job->job);
		return false;
	}
	h->job = job;
	return true;
}

/* Takes what is done. */
static void
job_take(struct hosts *h)
{
	struct hosts_job *job = h->job;

	if (!reader_is_done(h->reader, &job->job))
		return;
	hosts_take(h, job->res, job->table, job->why);
	job->table = NULL;
	job->why = NULL;
	h->job = NULL;
	reader_leave(h->reader, &job->job);
}

static bool
stat_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
file_look_now(struct hosts *h, int64_t now_ms)
{
	struct stat st = {0};
	bool beside = h->job != NULL;

	if (beside)
		job_take(h);
	h->look_again_ms = now_ms + (h->job != NULL ? HOSTS_JOB_LOOK_MS : HOSTS_CHECK_MS);
	if (h->job != NULL || (beside && !h->there))
		return;
	if (stat(h->file, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			h->there = false;
			table_set(h, NULL);
		} else {
			hosts_complain(h, strerror(errno));
		}
		return;
	}
	if (h->there && stat_same(&st, &h->seen))
		return;
	h->there = true;
	h->seen = st; /* from before the read: changes made meanwhile are noticed next time */
	/* The first time there are no entries that could be used meanwhile, and names of the file must not go upstream. */
	if (h->table != NULL && st.st_size > HOSTS_BESIDE_MIN && job_start(h))
		h->look_again_ms = now_ms + HOSTS_JOB_LOOK_MS;
	else
		hosts_file_read(h);
}

static void
file_look(struct hosts *h, int64_t now_ms)
{
	const struct hosts_table *before = h->table;

	file_look_now(h, now_ms);
	if (h->table != before) /* the next one is made before the last one is freed */
		h->changed_ms = now_ms;
}

enum res
hosts_new(struct hosts **out, const char *file)
{
	struct hosts *h = calloc(1, sizeof *h);

	if (h == NULL)
		return RES_NOMEM;
	if (file != NULL && file[0] != '\0') {
		h->file = strdup(file);
		if (h->file == NULL) {
			free(h);
			return RES_NOMEM;
		}
	}
	h->look_again_ms = h->changed_ms = INT64_MIN;
	*out = h;
	return RES_OK;
}

void
hosts_read_beside(struct hosts *h, struct reader *reader)
{
	h->reader = reader;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	if (h->job != NULL)
		reader_leave(h->reader, &h->job->job);
	hosts_table_free(h->table);
	free(h->file);
	free(h);
}

bool
hosts_look_again(struct hosts *h, const char *file)
{
	h->look_again_ms = INT64_MIN;
	return strcmp(h->file != NULL ? h->file : "", file != NULL ? file : "") == 0;
}

int64_t
hosts_changed_ms(const struct hosts *h)
{
	return h->changed_ms;
}

size_t
hosts_bad(const struct hosts *h)
{
	return h->table == NULL ? 0 : h->table->bad;
}

/* Adds the addresses of a name that match the type; ANY: all. Returns how many. */
static size_t
addresses_put(const struct hosts_table *t, uint32_t number, struct compose *c)
{
	const struct hosts_group *g = &t->group[number];
	uint16_t asked = c->question->type;
	size_t n = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct addr *a = &t->pair[g->first + i].addr;
		uint16_t type = a->family == ADDR_V4 ? TYPE_A : TYPE_AAAA;

		if (type != asked && asked != TYPE_ANY)
			continue;
		compose_answer(c, (struct span){NULL, 0}, type, COMPOSE_TTL_SHORT, addr_ip(a));
		n++;
	}
	return n;
}

/* Answers a reverse lookup with the official name of the address. */
static size_t
pointer_put(const struct hosts_table *t, uint32_t official, struct compose *c)
{
	const uint8_t *name = t->names_text.p + official;

	if (c->question->type != TYPE_PTR && c->question->type != TYPE_ANY)
		return 0;
	compose_answer(c, (struct span){NULL, 0}, TYPE_PTR, COMPOSE_TTL_SHORT, span_of(name + 1, name[0]));
	return 1;
}

bool
hosts_answer(struct hosts *h, const struct msg_question *q, int64_t now_ms, struct buf *out)
{
	struct span name = span_of(q->name, q->name_n);
	uint32_t number, official;
	bool forwards, backwards;
	struct compose c;
	size_t n = 0;

	if (h->file != NULL && now_ms >= h->look_again_ms)
		file_look(h, now_ms);
	if (h->table == NULL)
		return false;
	forwards = nameset_find(h->table->names, name, &number);
	backwards = nameset_find(h->table->reverse, name, &official);
	if (!forwards && !backwards)
		return false;
	c = compose_begin(out, q, RCODE_NOERROR);
	if (forwards)
		n += addresses_put(h->table, number, &c);
	if (backwards)
		n += pointer_put(h->table, official, &c);
	if (n == 0)
		compose_soa(&c, name, COMPOSE_TTL_SHORT);
	return true;
}

bool
hosts_has(const struct hosts *h, struct span name)
{
	const struct hosts_table *t = h->table;

	return t != NULL && (nameset_find(t->names, name, NULL) || nameset_find(t->reverse, name, NULL));
}

bool
hosts_is_above(const struct hosts *h, struct span name)
{
	return h->table != NULL && nameset_find(h->table->above, name, NULL);
}
