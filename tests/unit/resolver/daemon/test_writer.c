/* The helper that writes files, over a real socket: what it does with the daemon's messages. */
#include "resolver/daemon/writer.h"

#include "resolver/daemon/evidence_folder.h"
#include "resolver/daemon/folder_lock.h"
#include "resolver/daemon/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"

static const struct {
	const char *what;
	const char *certs; /* each with three bytes of length before it, as TLS has them */
	size_t n;
	unsigned written;
} rows[] = {
    {"one certificate", "\0\0\3abc", 6, 1},
    {"two certificates", "\0\0\3abc\0\0\2de", 11, 2},
    {"an empty certificate between two is left out", "\0\0\3abc\0\0\0\0\0\2de", 14, 2},
    {"an empty certificate alone", "\0\0\0", 3, 0},
    {"no certificate", "", 0, 0},
    {"a certificate that is cut", "\0\0\3abc\0\0\7de", 11, 1},
};

/* Names of evidence files, as a compromised daemon may send them. */
static const struct {
	const char *what;
	const char *name;
	bool written;
} names[] = {
    {"a reason, a fingerprint and a hash", "expired-0123456789abcdef-0123456789abcdef", true},
    {"the list of CT logs beside the folder, which the daemon trusts", "../ct-logs", false},
    {"a file of an absolute path", "/tmp/writer-never", false},
    {"a folder in the folder", "a/b", false},
    {"the folder itself", ".", false},
    {"no name", "", false},
    {"a hidden file", ".a", false},
    {"a file of another kind", "a.json", false},
    {"the end of a line", "a\nb", false},
};

static char folder[64];
static int ends[2];
static pthread_t thread;

static void *
helper_main(void *arg)
{
	pid_t self = getpid();

	(void)arg;
	writer_run(ends[1], &self);
	return NULL;
}

static int
begin(void **state)
{
	struct settings settings = {.state_dir = folder, .evidence_count = 8, .evidence_size = 100000};
	struct buf message = buf_max(HELPER_MESSAGE_MAX);
	bool sent;

	(void)state;
	strcpy(folder, "/tmp/writer-XXXXXX");
	if (mkdtemp(folder) == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 ||
	    pthread_create(&thread, NULL, helper_main, NULL) != 0)
		return 1;
	writer_put_setup(&message, &settings);
	sent = helper_send(ends[0], buf_span(&message));
	buf_free(&message);
	return sent ? 0 : 1;
}

static int
end(void **state)
{
	char lock[128];

	(void)state;
	(void)close(ends[0]);
	(void)pthread_join(thread, NULL);
	(void)close(ends[1]);
	(void)snprintf(lock, sizeof lock, "%s/" FOLDER_LOCK_FILE, folder);
	(void)unlink(lock);
	return rmdir(folder);
}

/* How many certificates the file of evidence has; the folder is empty afterwards. */
static unsigned
certificates_written(void)
{
	char path[128], text[4096], name[512];
	unsigned found = 0;
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof path, "%s/%s", folder, REFUSAL_FOLDER);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		FILE *f;
		size_t n;

		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		f = fopen(name, "r");
		assert_non_null(f);
		n = fread(text, 1, sizeof text - 1, f);
		text[n] = '\0';
		(void)fclose(f);
		for (const char *p = text; (p = strstr(p, BEGIN)) != NULL; p += sizeof BEGIN - 1)
			found++;
		(void)unlink(name);
	}
	(void)closedir(d);
	(void)rmdir(path);
	return found;
}

static void
evidence_has_each_certificate_that_was_presented(void **state)
{
	struct buf message = buf_max(HELPER_MESSAGE_MAX);
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);

	(void)state;
	assert_non_null(room);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct writer_report report;
		ssize_t n;
		unsigned found;

		writer_put_evidence(&message, "one", span_of(rows[i].certs, rows[i].n), "{}");
		assert_true(helper_send(ends[0], buf_span(&message)));
		n = helper_receive(ends[0], room);
		assert_true(n > 0 && writer_report_read(&report, span_of(room, (size_t)n)));
		assert_int_equal(report.of, REPORT_EVIDENCE);
		assert_int_equal(report.error, 0);
		found = certificates_written();
		if (found != rows[i].written)
			fail_msg("%s: %u certificates are written, not %u", rows[i].what, found, rows[i].written);
	}
	free(room);
	buf_free(&message);
}

static void
evidence_stays_in_its_folder(void **state)
{
	struct buf message = buf_max(HELPER_MESSAGE_MAX);
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);

	(void)state;
	assert_non_null(room);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct writer_report report;
		char path[128];
		ssize_t n;

		/* the folder is there */
		(void)snprintf(path, sizeof path, "%s/%s", folder, REFUSAL_FOLDER);
		(void)mkdir(path, 0700);
		writer_put_evidence(&message, names[i].name, span_of("\0\0\3abc", 6), "{}");
		assert_true(helper_send(ends[0], buf_span(&message)));
		n = helper_receive(ends[0], room);
		assert_true(n > 0 && writer_report_read(&report, span_of(room, (size_t)n)));
		if (report.error != (names[i].written ? 0 : EINVAL) || certificates_written() != names[i].written)
			fail_msg("%s: error %d", names[i].what, report.error);
	}
	free(room);
	buf_free(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(evidence_stays_in_its_folder, begin, end),
	    cmocka_unit_test_setup_teardown(evidence_has_each_certificate_that_was_presented, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
