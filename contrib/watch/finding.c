#include "contrib/watch/finding.h"

#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"

#include <gnutls/crypto.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_NAME_MAX 4096
#define TEXT_MAX       8192

const char *
finding_kind_text(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_EXPECTED:
		return "expected";
	case FINDING_ROGUE:
		return "rogue";
	case FINDING_UNREADABLE:
		return "unreadable";
	case FINDING_LOG_MISBEHAVED:
		return "log-misbehaved";
	case FINDING_KINDS:
		break;
	}
	return "?";
}

enum finding_kind
finding_kind_read(const char *text)
{
	for (unsigned k = 0; text != NULL && k < FINDING_KINDS; k++)
		if (strcmp(finding_kind_text((enum finding_kind)k), text) == 0)
			return (enum finding_kind)k;
	return FINDING_UNREADABLE;
}

void
finding_free(struct watch_finding *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n_item; i++) {
		free(f->item[i]);
		free(f->upstream[i]);
	}
	free(f->because);
	free(f->log);
	free(f->where);
	free(f->shown);
	free(f->subject);
	free(f->issuer);
	free(f->serial);
	free(f->problem);
	buf_free(&f->der);
	free(f);
}

bool
finding_because(struct watch_finding *f, enum finding_kind kind, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	f->kind = kind;
	free(f->because);
	f->because = strdup(text);
	return f->because != NULL;
}

const char *
finding_id_text(const struct watch_finding *f, char out[2 * FINDING_ID_SIZE + 1])
{
	return hex_write(out, span_of(f->id, sizeof f->id));
}

/* What a log signs of a certificate is what its precertificate has (RFC 6962, 3.2), so both have the same id. */
enum res
finding_id(uint8_t id[FINDING_ID_SIZE], struct span tbs)
{
	struct buf bare = buf_max(tbs.n + DER_HEADER_MAX);
	uint8_t hash[32];
	enum res without = der_tbs_without(&bare, tbs, OID_SCT_LIST);
	struct span what = without == RES_OK ? buf_span(&bare) : tbs;
	int rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, what.p, what.n, hash);

	buf_free(&bare);
	if (rc < 0 || without == RES_NOMEM)
		return RES_NOMEM;
	memcpy(id, hash, FINDING_ID_SIZE);
	return RES_OK;
}

static char *
name_of(struct span name)
{
	struct buf text = buf_max(SHOWN_NAME_MAX);

	enum res res = name.n > 0 ? name_text(&text, name) : RES_OK;

	if (res != RES_OK)
		buf_free(&text);
	if (res == RES_NOMEM) /* another name would be the issuer of another serial */
		return NULL;
	if (res != RES_OK)
		buf_text(&text, "(cannot be read)");
	return buf_take_cstr(&text);
}

static char *
serial_of(struct span serial)
{
	char hex[2 * 64 + 1];

	while (serial.n > 1 && serial.p[0] == 0)
		serial = span_slice(serial, 1, serial.n);
	return strdup(hex_write(hex, span_slice(serial, 0, 64)));
}

/* The title of the first upstream that an item comes from. Yours; *ok: there was memory for it. */
static char *
owner_of(const struct watch_plan *plan, const struct watch_item *item, bool *ok)
{
	const struct settings *s = plan->snapshot->settings;
	char *title = NULL;

	for (size_t i = 0; i < s->n_upstream && title == NULL; i++)
		if ((item->owners.bits[i / 64] >> (i % 64) & 1) != 0) {
			title = strdup(s->upstream[i].title);
			*ok = *ok && title != NULL;
		}
	return title;
}

static bool
items_take(struct watch_finding *f, const struct watch_plan *plan, const struct watch_match *m)
{
	bool ok = true;

	for (size_t i = 0; i < m->n && i < FINDING_ITEMS; i++) {
		const struct watch_item *item = watch_list_at(plan->list, m->hit[i].item);

		f->item[i] = strdup(item->text);
		ok = ok && f->item[i] != NULL;
		f->upstream[i] = owner_of(plan, item, &ok);
		f->n_item++;
	}
	return ok;
}

struct span
finding_bytes(const struct watch_entry *e, const struct watch_match *m)
{
	return m->parts.tbs.n > 0 ? m->parts.tbs : e->certificate;
}

struct watch_finding *
finding_new(const struct watch_plan *plan, const struct watch_entry *e, const struct watch_match *m,
	    int64_t now_ms)
{
	struct watch_finding *f = calloc(1, sizeof *f);
	const struct cert_parts *p = &m->parts;
	bool ok;

	if (f == NULL)
		return NULL;
	f->kind = FINDING_UNREADABLE;
	f->found_ms = now_ms;
	memcpy(f->log_id, e->log->ctlog->id, sizeof f->log_id);
	f->index = e->index;
	f->logged_ms = (int64_t)e->timestamp_ms;
	f->precertificate = e->precertificate;
	memcpy(f->issuer_key_hash, e->issuer_key_hash, sizeof f->issuer_key_hash);
	f->der = buf_max(e->certificate.n);
	buf_put(&f->der, e->certificate);
	f->log = strdup(e->log->ctlog->description);
	f->where = strdup(m->n > 0 ? m->hit[0].where : "");
	f->shown = strdup(m->n > 0 ? m->shown : "");
	f->subject = name_of(p->subject);
	f->issuer = name_of(p->issuer);
	f->serial = serial_of(p->serial);
	f->not_before_ms = p->not_before_ms;
	f->not_after_ms = p->not_after_ms;
	ok = items_take(f, plan, m) && finding_id(f->id, finding_bytes(e, m)) == RES_OK &&
	     gnutls_hash_fast(GNUTLS_DIG_SHA256, p->spki.p != NULL ? p->spki.p : (const void *)"", p->spki.n,
			      f->spki_sha256) >= 0;
	if (!ok || !buf_ok(&f->der) || f->log == NULL || f->where == NULL || f->shown == NULL ||
	    f->subject == NULL || f->issuer == NULL || f->serial == NULL) {
		finding_free(f);
		return NULL;
	}
	return f;
}

/* One for a kind of misbehaviour and the head that shows it. */
static enum res
misbehaviour_id(uint8_t id[FINDING_ID_SIZE], const struct watch_misbehaviour *m)
{
	struct buf what = buf_max(4096);
	enum res res;

	buf_put(&what, span_of(m->log->ctlog->id, 32));
	buf_text(&what, m->kind);
	for (int i = 0; i < 2; i++) {
		const struct head *head = i == 0 ? m->first : m->second;

		if (head != NULL) {
			buf_u64(&what, head->size);
			buf_put(&what, span_of(head->root.b, sizeof head->root.b));
		}
	}
	/* all misbehaviours of a log have some parts in common */
	res = buf_ok(&what) ? finding_id(id, buf_span(&what)) : RES_NOMEM;
	buf_free(&what);
	return res;
}

struct watch_finding *
finding_of_log(const struct watch_misbehaviour *m, int64_t now_ms)
{
	struct watch_finding *f = calloc(1, sizeof *f);
	const struct head *shown = m->second != NULL ? m->second : m->first;

	if (f == NULL)
		return NULL;
	f->found_ms = now_ms;
	memcpy(f->log_id, m->log->ctlog->id, sizeof f->log_id);
	f->index = shown != NULL ? shown->size : 0;
	f->logged_ms = shown != NULL ? (int64_t)shown->timestamp_ms : 0;
	f->log = strdup(m->log->ctlog->description);
	f->problem = strdup(m->kind);
	if (f->log == NULL || f->problem == NULL || misbehaviour_id(f->id, m) != RES_OK ||
	    !finding_because(f, FINDING_LOG_MISBEHAVED, "%s", m->text)) {
		finding_free(f);
		return NULL;
	}
	return f;
}
