/*
 * Reads logs as ctstub-watch does, without its findings: for the bench, and for tests that kill it.
 *
 *   logread [--once] [--from N|end] [--out FILE] --logs LIST --ca FILE --state FOLDER
 *
 * At the end it prints entries, seconds of CPU and of the clock, and the largest memory in JSON. With --out it writes a line for
 * each entry, "log index bytes", before it stores the position.
 */
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "config/load.h"
#include "contrib/watch/reader.h"
#include "contrib/watch/state.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct watch_findings {
	int out; /* -1: none */
	struct buf lines;
	uint64_t entries, bytes, misbehaviours, broken;
};

static volatile sig_atomic_t stop;

bool
watch_entry_seen(struct watch_findings *findings, const struct watch_entry *entry)
{
	findings->entries++;
	findings->bytes += entry->certificate.n;
	findings->broken += entry->unreadable;
	if (findings->out >= 0)
		buf_format(&findings->lines, "%.8s %llu %zu\n", entry->log->id_hex, (unsigned long long)entry->index,
			   entry->certificate.n);
	return true;
}

bool
watch_log_misbehaved(struct watch_findings *findings, const struct watch_misbehaviour *what)
{
	findings->misbehaviours++;
	(void)fprintf(stderr, "misbehaved %s %s: %s\n", what->log->ctlog->description, what->kind, what->text);
	return true;
}

enum res
watch_findings_sync(struct watch_findings *findings)
{
	struct span left = buf_span(&findings->lines);

	while (findings->out >= 0 && left.n > 0) {
		ssize_t n = write(findings->out, left.p, left.n);

		if (n <= 0)
			return RES_IO;
		left = span_slice(left, (size_t)n, left.n);
	}
	buf_clear(&findings->lines);
	return RES_OK;
}

static void
main_on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void
result_print(const struct watch_findings *f, const struct watch_reader *reader, int64_t ms)
{
	struct rusage used;
	double cpu;
	uint64_t bytes = 0, requests = 0;

	(void)getrusage(RUSAGE_SELF, &used);
	cpu = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	for (size_t i = 0; i < watch_reader_count(reader); i++) {
		struct watch_progress p;

		watch_reader_progress(reader, i, &p);
		bytes += p.bytes;
		requests += p.requests;
		if (p.trouble != NULL)
			(void)fprintf(stderr, "trouble %s: %s\n", p.log->ctlog->description, p.trouble);
	}
	(void)printf("{\"entries\": %llu, \"certificate_bytes\": %llu, \"fetched_bytes\": %llu, \"requests\": %llu, "
		     "\"misbehaviours\": %llu, \"unreadable\": %llu, \"cpu_s\": %.3f, \"user_s\": %ld.%03ld, \"wall_s\": %.3f, "
		     "\"rss_kb\": %ld, \"entries_per_cpu_s\": %.0f}\n",
		     (unsigned long long)f->entries, (unsigned long long)f->bytes, (unsigned long long)bytes,
		     (unsigned long long)requests, (unsigned long long)f->misbehaviours, (unsigned long long)f->broken, cpu,
		     (long)used.ru_utime.tv_sec, (long)used.ru_utime.tv_usec / 1000, (double)ms / 1000, used.ru_maxrss,
		     (double)f->entries / cpu);
}

static int
run(struct reader_settings *settings, struct watch_findings *findings)
{
	struct watch_reader *reader;
	int64_t begin = clock_boot_ms();
	char *why = NULL;
	bool readable;

	if (watch_reader_open(&reader, settings, &why) != RES_OK) {
		(void)fprintf(stderr, "logread: %s\n", why);
		free(why);
		return 2;
	}
	while (!stop && !(settings->once && watch_reader_done(reader)))
		if (!watch_reader_run(reader, INT64_MAX, -1, &readable))
			break;
	result_print(findings, reader, clock_boot_ms() - begin);
	watch_reader_close(reader);
	return 0;
}

enum { OPT_LOGS, OPT_CA, OPT_STATE, OPT_FROM, OPT_ONCE, OPT_OUT, OPT_POLL };

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"logs", required_argument, NULL, OPT_LOGS},   {"ca", required_argument, NULL, OPT_CA},
	    {"state", required_argument, NULL, OPT_STATE}, {"from", required_argument, NULL, OPT_FROM},
	    {"once", no_argument, NULL, OPT_ONCE},         {"out", required_argument, NULL, OPT_OUT},
	    {"poll", required_argument, NULL, OPT_POLL},   {NULL, 0, NULL, 0},
	};
	struct watch_findings findings = {.out = -1, .lines = buf_max((size_t)256 * 1024 * 1024)};
	struct reader_settings settings = {.findings = &findings, .poll_ms = 1000, .from_kind = READER_FROM_INDEX};
	struct vfy_policy policy = {.ct_mode = CT_OFF};
	struct config_errors warnings = {0};
	struct ctlogs *logs = NULL;
	struct trust *trust = NULL;
	char *why = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == OPT_LOGS && log_list_load(&logs, optarg, false, &why) != RES_OK)
			break;
		if (c == OPT_CA && anchors_load(&trust, optarg, false, &warnings, &why) != RES_OK)
			break;
		if (c == OPT_STATE)
			settings.state_folder = state_folder_open(optarg, &why);
		if (c == OPT_FROM && strcmp(optarg, "end") == 0)
			settings.from_kind = READER_FROM_END;
		else if (c == OPT_FROM)
			settings.from = strtoull(optarg, NULL, 10);
		if (c == OPT_ONCE)
			settings.once = true;
		if (c == OPT_POLL)
			settings.poll_ms = strtoll(optarg, NULL, 10);
		if (c == OPT_OUT)
			findings.out = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	}
	if (why != NULL || logs == NULL || trust == NULL || settings.state_folder < 0) {
		(void)fprintf(stderr, "logread: %s\n", why != NULL ? why : "--logs, --ca and --state are needed");
		return 2;
	}
	policy.trust = trust;
	settings.logs = logs;
	settings.servers = &policy;
	(void)signal(SIGTERM, main_on_signal);
	return run(&settings, &findings);
}
