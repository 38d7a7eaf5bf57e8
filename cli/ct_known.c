#include "cli/ct_known.h"

#include "base/journal.h"
#include "cli/cli.h"
#include "config/file.h"
#include "verify/disallow.h"

#include <stdlib.h>
#include <string.h>

#define HEX_MAX (2 * 32 + 1)

static const char verb[] = "ct-logs";

/* What the journal says about one address of an upstream. */
struct shown {
	const struct tp_target *target;
	char address[ADDR_TEXT_MAX];
	int64_t at_ms;                      /* of its last acceptance; INT64_MIN: there is none */
	char key[HEX_MAX], issuer[HEX_MAX]; /* hashes of the keys; "": not known */
};

struct ct_known {
	struct shown *shown; /* of every address */
	size_t n_shown;
	struct tp_target *target; /* of those that may be asked, */
	struct vfy_policy *policy;
	struct cert_match **keys; /* of each */
	size_t n;
	bool accepted; /* the journal has an acceptance, of any upstream */
};

static void
hex_take(char out[HEX_MAX], struct span hex)
{
	out[0] = '\0';
	if (hex.n == HEX_MAX - 1) {
		memcpy(out, hex.p, hex.n);
		out[hex.n] = '\0';
	}
}

static bool
is_acceptance(enum journal_kind kind)
{
	switch (kind) {
	case JOURNAL_FIRST:
	case JOURNAL_CHANGE:
	case JOURNAL_ACCEPTED:
	case JOURNAL_KNOWN:
		return true;
	case JOURNAL_REFUSED:
		break;
	}
	return false;
}

static void
known_on_record(void *ctx, const struct journal_record *r)
{
	struct ct_known *k = ctx;

	k->accepted |= is_acceptance(r->kind);
	for (size_t i = 0; i < k->n_shown && is_acceptance(r->kind); i++) {
		struct shown *s = &k->shown[i];

		if (r->time_ms < s->at_ms || !span_equal(r->upstream, span_str(s->target->upstream)) ||
		    !span_equal(r->address, span_str(s->address)))
			continue;
		s->at_ms = r->time_ms;
		hex_take(s->key, r->spki_sha256);
		hex_take(s->issuer, r->issuer_spki_sha256);
	}
}

/* False: there is a file, and it cannot be read or trusted. */
static bool
journal_take(struct ct_known *k, const char *state_dir, const char *name)
{
	struct buf text = buf_max(0);
	char *why = NULL;
	enum res res = config_state_read(&text, state_dir, name, JOURNAL_FILE_MAX, &why);

	if (res != RES_OK && res != RES_NOT_FOUND)
		cli_complain_part(verb, "update window: %s", why != NULL ? why : res_text(res));
	if (res == RES_OK)
		journal_text_read(text.p, text.n, known_on_record, k);
	free(why);
	buf_free(&text);
	return res == RES_OK || res == RES_NOT_FOUND;
}

static bool
shown_of(struct ct_known *k, const struct snapshot *snap)
{
	size_t n = 0;

	for (size_t u = 0; u < snap->n_upstream; u++)
		n += snap->upstream[u].n_target;
	k->shown = calloc(n + 1, sizeof *k->shown);
	k->target = calloc(n + 1, sizeof *k->target);
	k->policy = calloc(n + 1, sizeof *k->policy);
	k->keys = calloc(n + 1, sizeof(struct cert_match *));
	if (k->shown == NULL || k->target == NULL || k->policy == NULL || k->keys == NULL)
		return false;
	for (size_t u = 0; u < snap->n_upstream; u++)
		for (size_t i = 0; i < snap->upstream[u].n_target; i++) {
			struct shown *s = &k->shown[k->n_shown++];

			*s = (struct shown){.target = &snap->upstream[u].target[i], .at_ms = INT64_MIN};
			(void)addr_text(&s->target->addr, s->address);
		}
	return true;
}

static bool
key_add(struct cert_match_builder *b, const char *hex)
{
	struct buf entry = buf_max(128);
	char *why = NULL;
	bool added;

	buf_format(&entry, "spki-sha256 %s", hex);
	added = buf_ok(&entry) && cert_match_add(b, buf_span(&entry), &why) == RES_OK;
	free(why);
	buf_free(&entry);
	return added;
}

/* The keys of an address; NULL: none is known. */
static struct cert_match *
keys_of(const struct shown *s)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *keys = NULL;
	bool any = false;

	if (cert_match_builder_new(&b) != RES_OK)
		return NULL;
	any |= s->key[0] != '\0' && key_add(b, s->key);
	any |= s->issuer[0] != '\0' && key_add(b, s->issuer);
	if (!any) {
		cert_match_builder_free(b);
		return NULL;
	}
	return cert_match_finish(&keys, b) == RES_OK ? keys : NULL;
}

static void
targets_make(struct ct_known *k, bool fresh)
{
	for (size_t i = 0; i < k->n_shown; i++) {
		struct cert_match *keys = fresh ? NULL : keys_of(&k->shown[i]);

		if (keys == NULL && !fresh)
			continue;
		k->keys[k->n] = keys;
		k->policy[k->n] = *k->shown[i].target->policy;
		k->policy[k->n].known_keys = keys;
		k->policy[k->n].old_list_serves = true;
		k->target[k->n] = *k->shown[i].target;
		k->target[k->n].policy = &k->policy[k->n];
		k->n++;
	}
}

struct ct_known *
ct_known_read(const struct snapshot *snap, const char *state_dir, bool compiled_in)
{
	struct ct_known *k = calloc(1, sizeof *k);
	bool readable;

	if (k == NULL || !shown_of(k, snap)) {
		ct_known_free(k);
		return NULL;
	}
	readable = journal_take(k, state_dir, JOURNAL_OLDER);
	readable &= journal_take(k, state_dir, JOURNAL_FILE);
	if (readable)
		targets_make(k, !k->accepted && compiled_in);
	if (k->n > 0)
		return k;
	cli_complain_part(verb,
			  "update window: no upstream may be asked, for the journal in state-dir shows no "
			  "acceptance of one");
	ct_known_free(k);
	return NULL;
}

const struct tp_target *
ct_known_targets(const struct ct_known *k)
{
	return k->target;
}

size_t
ct_known_count(const struct ct_known *k)
{
	return k->n;
}

void
ct_known_free(struct ct_known *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++)
		cert_match_free(k->keys[i]);
	free(k->keys);
	free(k->policy);
	free(k->target);
	free(k->shown);
	free(k);
}
