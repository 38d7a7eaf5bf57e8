/*
 * entries.c - the cost of many cached names, names of a filter list and disallow entries: resident bytes of each, and the
 * processor time of one look-up among few and among many. Each line is a name and a number.
 */
#include "config.h"

#include "base/dns/message.h"
#include "base/faults.h"
#include "resolver/cache.h"
#include "resolver/filter.h"
#include "tests/bench/measure.h"
#include "verify/disallow.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FEW     1000
#define MANY    1000000
#define ENTRIES 100000
#define LOOKS   200000
#define NOW_MS  1000000000

static size_t
resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	bench_need(f != NULL && fscanf(f, "%*s %ld", &pages) == 1, "no /proc/self/statm");
	fclose(f);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A different name for each number, with two or three labels as most names have. */
static size_t
name_text(char *text, size_t size, unsigned i)
{
	return (size_t)snprintf(text, size, "host-%u.site%u.example", i, i % 1000);
}

static struct cache_key
key_of(uint8_t name[MSG_NAME_MAX], unsigned i)
{
	char text[64];
	uint8_t n = 0;

	name_text(text, sizeof text, i);
	bench_need(msg_name_read(name, &n, text) == RES_OK, "a name cannot be read");
	return (struct cache_key){.name = span_of(name, n), .type = TYPE_A, .class = CLASS_IN};
}

/* An answer with two addresses; gives its bytes. */
static size_t
put(struct cache *c, unsigned i)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	uint8_t name[MSG_NAME_MAX];
	const struct cache_key k = key_of(name, i);
	const struct cache_entry_info info = {.upstream = 0};
	struct msg_answer a;
	struct buf wire = buf_max(MSG_MAX);
	size_t n;

	buf_put(&wire, span_of((const uint8_t *)"\0\0\x81\x80\0\1\0\2\0\0\0\0", MSG_HEADER));
	buf_put(&wire, k.name);
	buf_u16(&wire, TYPE_A);
	buf_u16(&wire, CLASS_IN);
	for (unsigned r = 0; r < 2; r++) {
		buf_put(&wire, span_of((const uint8_t *)"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2", 15));
		buf_u8(&wire, (uint8_t)r);
	}
	bench_need(msg_answer_read(&a, buf_span(&wire), ttl_at) == RES_OK, "an answer cannot be read");
	bench_need(cache_put(c, &k, &a, &info, NOW_MS), "an answer was not stored");
	n = wire.n;
	buf_free(&wire);
	return n;
}

/* Processor time of one hit, in nanoseconds. */
static double
hit_ns(struct cache *c, unsigned n)
{
	uint8_t(*names)[MSG_NAME_MAX] = calloc(FEW, sizeof *names);
	struct cache_key k[FEW];
	struct cache_hit hit;
	double from;

	bench_need(names != NULL, "no memory");
	for (unsigned i = 0; i < FEW; i++)
		k[i] = key_of(names[i], i * (n / FEW));
	from = bench_cpu_us();
	for (unsigned i = 0; i < LOOKS; i++)
		bench_need(cache_get(c, &k[i % FEW], NOW_MS, &hit) == CACHE_FRESH, "a name is not cached");
	free(names);
	return (bench_cpu_us() - from) * 1000 / LOOKS;
}

static void
cache_measure(unsigned n)
{
	const struct cache_limits limits = {.bytes = (uint64_t)1 << 40, .max_ttl_ms = 86400000, .negative_max_ttl_ms = 3600000};
	struct cache *c;
	struct cache_stats stats;
	size_t before, wire = 0;

	malloc_trim(0);
	before = resident();
	bench_need(cache_new(&c, &limits) == RES_OK, "no cache");
	for (unsigned i = 0; i < n; i++)
		wire += put(c, i);
	cache_stats(c, &stats);
	bench_need(stats.entries == n, "names are missing");
	printf("cache-%u-wire %.1f\n", n, (double)wire / n);
	printf("cache-%u-resident %.1f\n", n, (double)(resident() - before) / n);
	printf("cache-%u-counted %.1f\n", n, (double)stats.bytes / n);
	printf("cache-%u-hit-ns %.1f\n", n, hit_ns(c, n));
	cache_free(c);
}

static void
filter_measure(unsigned n)
{
	struct faults left_out = {.n = 0};
	struct filter *f;
	struct buf text = buf_max((size_t)64 * n);
	char line[64];
	uint8_t name[MSG_NAME_MAX];
	size_t before, found = 0;
	double from;

	for (unsigned i = 0; i < n; i++) {
		buf_put(&text, span_of((const uint8_t *)line, name_text(line, sizeof line, i)));
		buf_u8(&text, '\n');
	}
	malloc_trim(0);
	before = resident();
	from = bench_cpu_us();
	bench_need(filter_new(&f) == RES_OK && filter_read(f, buf_span(&text), &left_out) == RES_OK && filter_count(f) == n,
		 "no filter");
	filter_seal(f);
	printf("filter-%u-read-ms %.1f\n", n, (bench_cpu_us() - from) / 1000);
	printf("filter-%u-text %.1f\n", n, (double)text.n / n);
	printf("filter-%u-resident %.1f\n", n, (double)(resident() - before) / n);
	from = bench_cpu_us();
	for (unsigned i = 0; i < LOOKS; i++) {
		const struct cache_key k = key_of(name, i % n);

		found += filter_has(f, k.name);
	}
	bench_need(found == LOOKS, "names are missing");
	printf("filter-%u-look-ns %.1f\n", n, (bench_cpu_us() - from) * 1000 / LOOKS);
	filter_free(f);
	buf_free(&text);
}

/* Half of the entries are serials, half fingerprints. */
static void
disallow_measure(unsigned n)
{
	struct cert_match_builder *builder;
	struct cert_match *list;
	struct buf text = buf_max(DISALLOW_FILE_MAX);
	size_t before;
	double from;

	for (unsigned i = 0; i < n; i++)
		if (i % 2 == 0)
			buf_format(&text, "serial %08x%08x issuer CN=Somebody %u,O=Elsewhere,C=XX\n", i + 1, i * 7, i % 97);
		else
			buf_format(&text, "cert-sha256 %064x\n", i * 2654435761U);
	bench_need(buf_ok(&text), "no memory for entries");
	malloc_trim(0);
	before = resident();
	from = bench_cpu_us();
	bench_need(cert_match_builder_new(&builder) == RES_OK && disallow_add_file(builder, buf_span(&text), NULL) == RES_OK &&
		       cert_match_finish(&list, builder) == RES_OK,
		   "no disallow list");
	bench_need(cert_match_count(list) == n, "entries are missing");
	printf("disallow-%u-read-ms %.1f\n", n, (bench_cpu_us() - from) / 1000);
	printf("disallow-%u-resident %.1f\n", n, (double)(resident() - before) / n);
	cert_match_free(list);
	buf_free(&text);
}

/* In a process of its own: a part must not reuse the memory that another has freed. */
static void
apart(void (*measure)(unsigned n), unsigned n)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	bench_need(pid >= 0, "no process");
	if (pid == 0) {
		measure(n);
		exit(0);
	}
	bench_need(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "a part failed");
}

static const struct part {
	const char *name;
	void (*measure)(unsigned n);
	unsigned n;
} parts[] = {
    {"cache", cache_measure, FEW},
    {"cache", cache_measure, MANY},
    {"filter", filter_measure, MANY},
    {"disallow", disallow_measure, ENTRIES},
};

/* entries [PART N]: one of them alone, for a profiler */
int
main(int argc, char **argv)
{
	(void)mallopt(M_MMAP_THRESHOLD, 65536); /* as the daemon does (heap_begin) */
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (argc < 3)
			apart(parts[i].measure, parts[i].n);
		else if (strcmp(argv[1], parts[i].name) == 0) {
			parts[i].measure((unsigned)strtoul(argv[2], NULL, 10));
			return 0;
		}
	}
	return 0;
}
