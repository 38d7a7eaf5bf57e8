#include "contrib/watch/accepted.h"

#include "base/journal.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct comparison {
	struct accepted *out;
	const struct watch_finding *f;
};

/* Is this hash in hex the same? */
static bool
hash_is(struct span hex, const uint8_t hash[32])
{
	uint8_t read[32];

	return hex_read(read, sizeof read, hex) == RES_OK && memcmp(read, hash, sizeof read) == 0;
}

static bool
is_itself(const struct watch_finding *f, const struct journal_record *r)
{
	bool other_signer = f->has_signer && r->issuer_spki_sha256.n > 0 &&
			    !hash_is(r->issuer_spki_sha256, f->signer_spki_sha256);

	return span_equal(r->serial, span_str(f->serial)) && hash_is(r->spki_sha256, f->spki_sha256) &&
	       !other_signer;
}

static void
accepted_on_record(void *ctx, const struct journal_record *r)
{
	const struct comparison *c = ctx;

	if (r->kind == JOURNAL_REFUSED || is_itself(c->f, r))
		return;
	c->out->key |= hash_is(r->spki_sha256, c->f->spki_sha256);
	c->out->serial |= r->serial.n > 0 && span_equal(r->serial, span_str(c->f->serial)) &&
			  span_equal(r->issuer, span_str(c->f->issuer));
}

void
accepted_read(struct accepted *out, const char *state_dir, const struct watch_finding *f, const char **why)
{
	struct comparison c = {out, f};
	struct journal_counts counts;
	int folder;

	*out = (struct accepted){false, false};
	*why = NULL;
	if (*state_dir == '\0')
		return;
	folder = path_folder_open(state_dir, why);
	if (folder < 0 || journal_read(folder, &counts, why, accepted_on_record, &c) != RES_OK) {
		out->key = true;
		if (*why == NULL)
			*why = strerror(errno);
	}
	if (folder >= 0)
		(void)close(folder);
}
