#include "tests/unit/verify/forged.h"
#include "base/text.h"
#include "contrib/lab/pki/derw.h"
#include "contrib/lab/scenarios/site.h"
#include "tests/unit/verify/judged_again.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world *world;
static struct ctlogs *logs;
static int64_t at_ms;

struct world *
forged_world(void)
{
	return world;
}

int
forged_world_open(void **state)
{
	struct buf list = buf_max(1 << 20);
	char folder[] = "forged.XXXXXX";
	char *why = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(time_read(&at_ms, FORGED_AT), RES_OK);
	assert_int_equal(world_open(&world, folder, at_ms), RES_OK);
	assert_int_equal(toylogs_list(world_logs(world), LIST_FRESH, NULL, &list), RES_OK);
	assert_int_equal(ctlogs_from_json(&logs, buf_span(&list), &why), RES_OK);
	buf_free(&list);
	return 0;
}

int
forged_world_close(void **state)
{
	char command[1024];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", world_folder(world));
	ctlogs_free(logs);
	world_close(world);
	return system(command);
}

void
forged_begin(struct forged *f)
{
	memset(f, 0, sizeof *f);
	f->anchors = buf_max(1 << 20);
	memcpy(f->ip, (const uint8_t[]){1, 1, 1, 1}, 4);
	f->policy = (struct vfy_policy){.ctlogs = logs, .ct_list_max_age_ms = 70 * DAY_MS};
	f->in = (struct vfy_input){.ip = span_of(f->ip, 4), .now_ms = at_ms};
}

void
forged_end(struct forged *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_free(&f->der[i]);
	buf_free(&f->anchors);
	trust_free(f->trust);
	cert_match_free(f->disallow);
	cert_match_free(f->allow);
	cert_match_free(f->pins);
	cert_match_free(f->known);
	anchor_limits_free(f->anchor_limits);
}

void
forged_leaf(struct forge *f, enum ca_id issuer)
{
	int64_t issued = at_ms - 10 * DAY_MS;

	forge_init(f);
	assert_true(world_issue(world, issuer, f));
	f->key = world_key(world, "a-server", KEY_P256);
	assert_non_null(f->key);
	f->serial_seed = "a leaf";
	f->subject = "C=XX/CN=resolver.lab.test";
	f->not_before_ms = issued;
	f->not_after_ms = issued + 90 * DAY_MS - SECOND_MS;
	f->basic = BASIC_END_ENTITY;
	f->usage = USAGE_DIGITAL_SIGNATURE;
	f->eku = "1.3.6.1.5.5.7.3.1";
	forge_san_ip(f, span_of("\x01\x01\x01\x01", 4));
	forge_san_dns(f, span_str("resolver.lab.test"));
	forge_sct_add(f, LOG_ALPHA, issued + HOUR_MS, SCT_GOOD);
	forge_sct_add(f, LOG_BETA, issued + HOUR_MS, SCT_GOOD);
}

void
forged_ca(struct forge *f, enum ca_id id)
{
	forge_init(f);
	assert_true(world_ca_forge(world, id, f));
}

void
forged_sub_ca(struct forge *f, const char *subject, const char *key, const char *issuer, const char *issuer_key)
{
	forge_init(f);
	f->subject = subject;
	f->issuer = issuer;
	f->key = world_key(world, key, KEY_P256);
	f->issuer_key = world_key(world, issuer_key, KEY_P256);
	f->serial_seed = subject;
	f->not_before_ms = at_ms - 400 * DAY_MS;
	f->not_after_ms = at_ms + 400 * DAY_MS;
	f->basic = BASIC_CA;
	f->usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN;
	assert_true(f->key != NULL && f->issuer_key != NULL);
}

void
forged_put_der(struct forged *f, struct span der)
{
	assert_true(f->n < FORGED_CERTS);
	f->der[f->n] = buf_max(FORGE_CERT_MAX);
	buf_put(&f->der[f->n], der);
	assert_true(buf_ok(&f->der[f->n]));
	f->certs[f->n] = buf_span(&f->der[f->n]);
	f->n++;
}

static void
forge_der(struct buf *der, const struct forge *forge)
{
	*der = buf_max(FORGE_CERT_MAX);
	forge_certificate(forge, world_logs(world), der);
	assert_true(buf_ok(der) && der->n > 0);
}

void
forged_put(struct forged *f, const struct forge *forge)
{
	struct buf der;

	forge_der(&der, forge);
	forged_put_der(f, buf_span(&der));
	buf_free(&der);
}

void
forged_put_leaf(struct forged *f, enum ca_id issuer)
{
	struct forge forge;

	forged_leaf(&forge, issuer);
	forged_put(f, &forge);
	forge_free(&forge);
}

void
forged_put_ca(struct forged *f, enum ca_id id)
{
	struct forge forge;

	forged_ca(&forge, id);
	forged_put(f, &forge);
	forge_free(&forge);
}

void
forged_anchor_forge(struct forged *f, const struct forge *forge)
{
	struct buf der;

	forge_der(&der, forge);
	lab_pem_write(&f->anchors, "CERTIFICATE", buf_span(&der));
	buf_free(&der);
}

void
forged_anchor(struct forged *f, enum ca_id id)
{
	struct forge forge;

	forged_ca(&forge, id);
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

void
forged_good(struct forged *f)
{
	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

void
forged_leaf_changed(struct forged *f, void (*change)(struct forge *))
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	change(&forge);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
signature_break(struct forge *f)
{
	f->broken_signature = true;
}

void
forged_bad_signature(struct forged *f)
{
	forged_leaf_changed(f, signature_break);
}

void
forged_expired_and_unknown(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_STRANGER_ISSUING);
	forge.not_after_ms = f->in.now_ms - DAY_MS;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_STRANGER_ISSUING);
	forged_anchor(f, CA_ROOT);
}

void
forged_logged_in_time(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T13:00:00Z");
}

struct cert_match *
forged_entries(const char *lines)
{
	struct cert_match_builder *builder;
	struct cert_match *list;

	assert_int_equal(cert_match_builder_new(&builder), RES_OK);
	assert_int_equal(disallow_add_file(builder, span_str(lines), NULL), RES_OK);
	assert_int_equal(cert_match_finish(&list, builder), RES_OK);
	return list;
}

const char *
forged_spki_entry(char out[128], enum ca_id id)
{
	char hex[65];

	snprintf(out, 128, "spki-sha256 %s", hex_write(hex, span_of(world_ca_key(world, id)->spki_sha256, 32)));
	return out;
}

const char *
forged_cert_entry(char out[128], struct span der)
{
	uint8_t hash[32];
	char hex[65];

	lab_sha256(hash, der);
	snprintf(out, 128, "cert-sha256 %s", hex_write(hex, span_of(hash, 32)));
	return out;
}

void
forged_constraint(struct forged *f, enum ca_id id, const char *rest)
{
	char line[256], entry[128];

	snprintf(line, sizeof line, "%s %s", forged_spki_entry(entry, id), rest);
	assert_int_equal(anchor_limits_new(&f->anchor_limits), RES_OK);
	assert_int_equal(anchor_limits_add_file(f->anchor_limits, NULL, span_str(line), NULL), RES_OK);
}

void
forged_judge(struct forged *f, struct verdict *v, struct vfy_work *work)
{
	char *why = NULL;

	trust_free(f->trust);
	f->trust = NULL;
	if (f->anchors.n > 0)
		assert_int_equal(trust_from_pem(&f->trust, buf_span(&f->anchors), &why), RES_OK);
	free(why);
	f->policy.trust = f->trust;
	if (f->disallow != NULL) {
		f->policy.disallow[0] = f->disallow;
		f->policy.n_disallow = 1;
	}
	f->policy.allow_issuer = f->allow;
	f->policy.pins = f->pins;
	f->policy.known_keys = f->known;
	f->policy.anchor_limits = f->anchor_limits;
	f->in.certs = f->certs;
	f->in.n_certs = f->n;
	memset(v, 0, sizeof *v);
	vfy_check_work(v, &f->policy, &f->in, work);
	if (f->in.known == NULL)
		assert_true(judged_again_same(v, work, &f->policy, f->in));
}

const char *
forged_reasons(struct forged *f, struct vfy_work *work)
{
	static char text[1024];
	enum reason last = REASON_NONE;
	struct vfy_work unused;
	struct verdict v;

	forged_judge(f, &v, work == NULL ? &unused : work);
	text[0] = '\0';
	for (size_t i = 0; i < v.n_findings; i++) {
		size_t n = strlen(text);

		if (!v.findings[i].enforced || v.findings[i].reason == last)
			continue;
		last = v.findings[i].reason;
		snprintf(text + n, sizeof text - n, "%s%s", n == 0 ? "" : ",", reason_code(last));
	}
	assert_int_equal(verdict_accepted(&v), text[0] == '\0');
	verdict_clear(&v);
	return text;
}
