#include "base/text.h"
#include "verify/x509/identity.h"
#include "verify/judge.h"
#include "verify/x509/name.h"
#include "verify/x509/strength.h"
#include "verify/x509/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
judge_label(char out[JUDGE_LABEL_MAX], const struct cert *c)
{
	struct buf text = buf_max(4 * CERT_BYTES_MAX);
	size_t n;

	if (cert_subject_is_empty(c) || name_text(&text, c->subject) != RES_OK) {
		char serial[2 * 20 + 1];

		hex_write(serial, span_slice(c->serial, 0, 20));
		snprintf(out, JUDGE_LABEL_MAX, "serial %s", serial);
		buf_free(&text);
		return out;
	}
	n = text.n < JUDGE_LABEL_MAX ? text.n : JUDGE_LABEL_MAX - 1;
	while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80) /* not inside a UTF-8 character */
		n--;
	memcpy(out, text.p, n);
	out[n] = '\0';
	buf_free(&text);
	return out;
}

struct path_ground
judge_ground(struct judgement *j)
{
	return (struct path_ground){{j->certs, j->n_certs, j->policy->trust}, &j->rules, &j->proofs};
}

/* ---- what was presented */

/* False: without a leaf nothing can be judged. */
static bool
cert_import(struct judgement *j, size_t i)
{
	struct cert *c = &j->certs[j->n_certs];
	struct span der = j->in->certs[i];
	bool fits = der.n <= VFY_BYTES_MAX - j->n_bytes;
	enum res r = fits ? cert_read(c, der) : RES_LIMIT;

	j->n_bytes += fits ? der.n : 0;
	switch (r) {
	case RES_OK:
		j->n_certs++;
		return true;
	case RES_LIMIT:
		verdict_add(j->v, REASON_CHAIN_TOO_LONG,
			    fits ? "certificate %zu has %zu bytes and too many extensions"
				 : "certificate %zu has %zu bytes, too many with those before it",
			    i, der.n);
		break;
	case RES_NOMEM:
		j->v->out_of_memory = true;
		break;
	case RES_MALFORMED:
	case RES_UNSUPPORTED:
	case RES_NOT_FOUND:
	case RES_IO:
		verdict_add(j->v, REASON_CERT_MALFORMED, "certificate %zu can not be read", i);
		break;
	}
	return i > 0;
}

bool
judge_import(struct judgement *j)
{
	size_t n = j->in->n_certs < VFY_CERTS_MAX ? j->in->n_certs : VFY_CERTS_MAX;

	if (j->in->larger_than > 0) {
		verdict_add(j->v, REASON_CHAIN_TOO_LONG,
			    "the certificates take more than %zu bytes; they are not read",
			    j->in->larger_than);
		return false;
	}
	if (n == 0) {
		verdict_add(j->v, REASON_CHAIN_EMPTY, "no certificate was presented");
		return false;
	}
	if (j->in->n_certs > VFY_CERTS_MAX)
		verdict_add_counts(j->v, REASON_CHAIN_TOO_LONG, (int64_t)j->in->n_certs, VFY_CERTS_MAX,
				   "%zu certificates were presented; %d are read", j->in->n_certs,
				   VFY_CERTS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!cert_import(j, i))
			return false;
	j->proofs.certs = j->certs;
	j->proofs.n_certs = j->n_certs;
	j->proofs.budget = &j->budget;
	j->scts_read = sct_check_open(&j->scts, &j->certs[0], j->policy->ctlogs);
	return true;
}

/* ---- what is judged whether there is a path or not */

/* One finding about one certificate; none when there is nothing to say. */
static void
cert_add(struct judgement *j, enum reason r, const struct cert *c, const char *what)
{
	char who[JUDGE_LABEL_MAX];

	if (what != NULL)
		verdict_add(j->v, r, "%s: %s", judge_label(who, c), what);
}

static void
presented_judge(struct judgement *j, const struct cert *c)
{
	cert_add(j, REASON_WEAK_KEY, c, strength_key_fault(c->spki));
	/* A root that was sent along is no link of anything; its signature on itself says nothing. */
	if (c == &j->certs[0] || !path_self_issued(c))
		cert_add(j, REASON_WEAK_SIGNATURE, c, strength_signature_fault(c->sig_alg));
	cert_add(j, REASON_EXPIRED, c, path_cert_expired(c, j->in->now_ms) ? "it has expired" : NULL);
	cert_add(j, REASON_NOT_YET_VALID, c,
		 path_cert_not_yet_valid(c, j->in->now_ms) ? "it is not valid yet" : NULL);
}

static void
server_judge(struct judgement *j)
{
	const struct cert *leaf = &j->certs[0];
	struct usage usage;

	if (usage_read(&usage, leaf) == RES_OK)
		cert_add(j, REASON_WRONG_USAGE, leaf, usage_server_fault(&usage));
	else
		cert_add(j, REASON_CERT_MALFORMED, leaf, "its usage extensions can not be read");
	if (usage_unknown_critical(leaf) != NULL)
		cert_add(j, REASON_UNKNOWN_CRITICAL, leaf, "it has a critical extension that is not known");
}

bool
judge_presented(struct judgement *j)
{
	const struct cert *shown[VFY_CERTS_MAX];

	server_judge(j);
	if (j->path != NULL)
		return true;
	for (size_t i = 0; i < j->n_certs; i++) {
		presented_judge(j, &j->certs[i]);
		shown[i] = &j->certs[i];
	}
	verdict_show_chain(j->v, shown, j->n_certs, false);
	return true;
}

static bool
address_borne(const struct judgement *j)
{
	if (identity_has_ip(&j->certs[0], j->in->ip))
		return true;
	for (size_t i = 0; i < j->in->n_also_ips; i++)
		if (identity_has_ip(&j->certs[0], j->in->also_ips[i]))
			return true;
	return false;
}

static void
mismatch_add(struct judgement *j, enum reason r, const char *what, const char *wanted)
{
	struct buf borne = buf_max(IDENTITY_TEXT_SHOWN * (IDENTITY_NAME_MAX + 8) + 32);
	char *text;

	identity_text(&borne, &j->certs[0]);
	text = buf_take_cstr(&borne);
	buf_free(&borne);
	j->v->out_of_memory |= text == NULL;
	verdict_add(j->v, r, "the certificate does not bear the %s %s; it bears %s", what,
		    wanted == NULL ? "that is expected" : wanted, text == NULL ? "others" : text);
	free(text);
}

bool
judge_identity(struct judgement *j)
{
	bool ip = j->in->ip.n > 0, name = j->in->name != NULL && j->in->name[0] != '\0';

	if (!ip && !name)
		verdict_add(j->v, REASON_IP_MISMATCH,
			    "no address and no name is expected; that is never enough");
	if (!identity_readable(&j->certs[0]))
		cert_add(j, REASON_CERT_MALFORMED, &j->certs[0], "its alternative names can not be read");
	if (ip && !address_borne(j))
		mismatch_add(j, REASON_IP_MISMATCH, "address", j->v->expected_ip);
	if (name && !identity_has_name(&j->certs[0], j->in->name, j->policy->is_public_suffix))
		mismatch_add(j, REASON_NAME_MISMATCH, "name", j->in->name);
	return true;
}
