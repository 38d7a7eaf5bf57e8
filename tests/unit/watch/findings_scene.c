#include "tests/unit/watch/findings_scene.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the fake reader of logs */

static struct ctlog toy_ctlog = {.id = {1, 2, 3}, .description = "Toy \"log\""};
static struct ctlog other_ctlog = {.id = {4, 5, 6}, .description = "Other log"};
const struct watch_log scene_log = {&toy_ctlog, "https://127.0.0.1/", "01"};
const struct watch_log scene_other_log = {&other_ctlog, "https://127.0.0.1/", "04"};
struct scene_asked scene_asked;
static bool asked_precertificate;

enum res
watch_evidence_get(struct watch_reader *r, const struct watch_log *log, uint64_t index, watch_evidence_fn *fn, void *arg)
{
	(void)r;
	if (scene_asked.answer == RES_OK) {
		scene_asked.fn = fn;
		scene_asked.arg = arg;
		scene_asked.log = log;
		scene_asked.index = index;
	}
	scene_asked.times++;
	return scene_asked.answer;
}

const struct watch_log *
scene_log_find(const struct watch_reader *r, const uint8_t id[32])
{
	(void)r;
	return memcmp(id, toy_ctlog.id, 32) == 0 ? &scene_log : memcmp(id, other_ctlog.id, 32) == 0 ? &scene_other_log : NULL;
}

/* ---- a clock */

int64_t scene_boot_ms = 1000;

static int64_t
scripted_boot(void)
{
	return scene_boot_ms;
}

static int64_t
scripted_wall(void)
{
	return 1795435200000 + scene_boot_ms;
}

static int64_t
hurried_boot(void)
{
	return scene_boot_ms += 1000;
}

const struct clock_source scene_clock = {scripted_wall, scripted_boot, scripted_boot};
const struct clock_source scene_clock_hurried = {scripted_wall, hurried_boot, hurried_boot};

/* ---- a world, a configuration and a folder */

void
scene_file_put(const struct scene *s, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", s->folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

char *
scene_file_get(const struct scene *s, const char *name)
{
	struct buf b = buf_max(16 << 20);
	int fd = openat(s->watch, name, O_RDONLY);
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, buf_room(&b, 65536), 65536)) > 0)
		buf_added(&b, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	return buf_take_cstr(&b);
}

unsigned
text_times(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void
ca_key_put(struct buf *out, enum ca_id id)
{
	char hex[65];

	buf_text(out, hex_write(hex, span_of(world_ca_key(forged_world(), id)->spki_sha256, 32)));
}

char *
scene_fill(const struct scene *s, const char *text)
{
	struct buf out = buf_max(65536);
	char hex[65];
	uint8_t hash[32];

	for (; *text != '\0'; text++) {
		if (*text != '@') {
			buf_u8(&out, (uint8_t)*text);
			continue;
		}
		switch (*++text) {
		case 'D':
			buf_text(&out, s->folder);
			break;
		case 'L':
			buf_text(&out, hex_write(hex, span_of(s->leaf.key->spki_sha256, 32)));
			break;
		case 'I':
			ca_key_put(&out, CA_ISSUING);
			break;
		case 'R':
			ca_key_put(&out, CA_ROOT);
			break;
		case 'F':
			ca_key_put(&out, CA_FINA_ISSUING);
			break;
		case 'C':
			lab_sha256(hash, buf_span(&s->certificate));
			buf_text(&out, hex_write(hex, span_of(hash, 32)));
			break;
		}
	}
	return buf_take_cstr(&out);
}

void
scene_sign(struct scene *s)
{
	struct forge precertificate = s->leaf;

	buf_clear(&s->certificate);
	buf_clear(&s->tbs);
	buf_clear(&s->precertificate);
	forge_certificate(&s->leaf, world_logs(forged_world()), &s->certificate);
	forge_precert_tbs(&s->leaf, &s->tbs);
	precertificate.n_sct = 0;
	precertificate.poison = true;
	forge_certificate(&precertificate, world_logs(forged_world()), &s->precertificate);
	memcpy(s->issuer_key_hash, s->leaf.issuer_key->spki_sha256, 32);
}

void
scene_chain_add(struct scene *s, const struct forge *ca)
{
	struct buf *der = &s->chain[s->n_chain++];

	*der = buf_max(FORGE_CERT_MAX);
	forge_certificate(ca, world_logs(forged_world()), der);
	assert_true(buf_ok(der));
}

void
scene_chain_clear(struct scene *s)
{
	while (s->n_chain > 0)
		buf_free(&s->chain[--s->n_chain]);
}

void
scene_chain(struct scene *s, enum ca_id id)
{
	struct forge ca;

	scene_chain_clear(s);
	forged_ca(&ca, id);
	scene_chain_add(s, &ca);
	forge_free(&ca);
}

void
scene_leaf(struct scene *s, enum ca_id issuer, void (*changed)(struct forge *))
{
	forge_free(&s->leaf);
	forged_leaf(&s->leaf, issuer);
	if (changed != NULL)
		changed(&s->leaf);
	scene_sign(s);
	scene_chain(s, issuer);
}

void
scene_open(struct scene *s, const char *config, const char *known)
{
	char path[128], *text;
	struct config_errors errors = {0};

	*s = (struct scene){.folder = "/tmp/test-findings.XXXXXX"};
	assert_non_null(mkdtemp(s->folder));
	(void)snprintf(path, sizeof path, "%s/watch", s->folder);
	assert_int_equal(mkdir(path, 0750), 0);
	s->watch = open(path, O_RDONLY | O_DIRECTORY);
	forged_begin(&s->forged);
	forged_anchor(&s->forged, CA_ROOT);
	forged_anchor(&s->forged, CA_FINA_ROOT);
	scene_file_put(s, "anchors.pem", buf_cstr(&s->forged.anchors));
	s->certificate = s->tbs = s->precertificate = buf_max(FORGE_CERT_MAX);
	scene_leaf(s, CA_ISSUING, NULL);
	text = scene_fill(s, known);
	scene_file_put(s, "known.txt", text);
	free(text);
	text = scene_fill(s, config);
	(void)snprintf(path, sizeof path, "%s/ctstub.conf", s->folder);
	scene_file_put(s, "ctstub.conf", text);
	free(text);
	if (watch_plan_read(&s->plan, path, &errors) != RES_OK)
		fail_msg("%s", errors.n > 0 ? errors.line[0] : "no memory");
	assert_int_equal(launcher_start(&s->launcher, path), RES_OK);
	scene_asked = (struct scene_asked){.answer = RES_OK};
}

static void
scene_on_end(void *ctx, bool reload, int status)
{
	(void)ctx;
	(void)reload;
	(void)status;
}

/* The request for a reload writes to the folder. */
static void
scene_launched_wait(struct scene *s)
{
	for (int i = 0; i < 3000 && launcher_is_busy(s->launcher); i++) {
		launcher_reap(s->launcher, scene_on_end, NULL);
		(void)usleep(10000);
	}
}

void
scene_close(struct scene *s)
{
	char command[128];

	watch_findings_close(s->w);
	scene_launched_wait(s);
	launcher_stop(s->launcher);
	watch_plan_free(s->plan);
	forge_free(&s->leaf);
	forged_end(&s->forged);
	buf_free(&s->certificate);
	buf_free(&s->tbs);
	buf_free(&s->precertificate);
	scene_chain_clear(s);
	(void)close(s->watch);
	(void)snprintf(command, sizeof command, "rm -r %s", s->folder);
	assert_int_equal(system(command), 0);
}

/* ---- findings */

void
scene_start(struct scene *s)
{
	char *why = NULL;

	assert_int_equal(launcher_configure(s->launcher), RES_OK);
	if (watch_findings_open(&s->w, s->plan, s->watch, s->launcher, &why) != RES_OK)
		fail_msg("%s", why);
	watch_findings_attach(s->w, READER, scene_log_find);
}

void
scene_kill(struct scene *s)
{
	watch_findings_close(s->w);
	s->w = NULL;
	scene_asked.fn = NULL;
}

struct watch_entry
scene_entry(const struct scene *s, bool precertificate, uint64_t index)
{
	struct watch_entry e = {.log = &scene_log, .index = index, .timestamp_ms = (uint64_t)s->leaf.not_before_ms + 60000,
				.precertificate = precertificate,
				.certificate = buf_span(precertificate ? &s->tbs : &s->certificate)};

	if (precertificate)
		memcpy(e.issuer_key_hash, s->issuer_key_hash, 32);
	return e;
}

struct watch_finding *
scene_finding(const struct scene *s, bool precertificate)
{
	struct watch_entry e = scene_entry(s, precertificate, 7);
	struct watch_match m;
	struct watch_finding *f;

	assert_true(watch_list_match(s->plan->list, &m, e.certificate, e.precertificate));
	f = finding_new(s->plan, &e, &m, scripted_wall());
	assert_non_null(f);
	return f;
}

void
scene_see_in(struct scene *s, const struct watch_log *log, bool precertificate, uint64_t index)
{
	struct watch_entry e = scene_entry(s, precertificate, index);

	e.log = log;
	asked_precertificate = precertificate;
	watch_entry_seen(s->w, &e);
}

void
scene_see(struct scene *s, bool precertificate, uint64_t index)
{
	scene_see_in(s, &scene_log, precertificate, index);
}

struct watch_evidence
scene_evidence(const struct scene *s, bool precertificate)
{
	struct watch_evidence e = {.leaf = span_str("leaf"), .n_chain = s->n_chain,
				   .certificate = buf_span(precertificate ? &s->precertificate : &s->certificate)};

	for (size_t i = 0; i < s->n_chain; i++)
		e.chain[i] = buf_span(&s->chain[i]);
	return e;
}

static void
answer(enum res res, const char *why, const struct watch_evidence *e)
{
	watch_evidence_fn *fn = scene_asked.fn;

	assert_non_null(fn);
	scene_asked.fn = NULL;
	fn(scene_asked.arg, res, why, scene_asked.log, scene_asked.index, e);
}

void
scene_chain_arrives(struct scene *s)
{
	struct watch_evidence e = scene_evidence(s, asked_precertificate);

	answer(RES_OK, NULL, &e);
}

void
scene_no_chain_arrives(void)
{
	answer(RES_IO, "the log does not answer", NULL);
}

void
scene_settle(struct scene *s)
{
	for (int i = 0; i < 2000 && watch_findings_busy(s->w); i++) {
		watch_findings_step(s->w);
		if (scene_asked.fn != NULL)
			scene_chain_arrives(s);
		(void)usleep(1000);
	}
	assert_false(watch_findings_busy(s->w));
}

void
scene_script_put(const struct scene *s, const char *text)
{
	char path[128];

	scene_file_put(s, "alert", text);
	(void)snprintf(path, sizeof path, "%s/alert", s->folder);
	assert_int_equal(chmod(path, 0755), 0);
}

/* ---- a group of tests */

static void
line_drop(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	(void)n;
}

int
scene_group_open(void **state)
{
	clock_use(&scene_clock);
	log_capture(line_drop, NULL);
	return forged_world_open(state);
}
