/*
 * journal_shown.h - the certificates in the journal that an upstream presented and that are still valid.
 */
#ifndef BASE_JOURNAL_SHOWN_H
#define BASE_JOURNAL_SHOWN_H

#include "base/journal.h"

/* Certificates: four addresses with weekly renewals, over the three months of a certificate's life. */
#define JOURNAL_SHOWN_MAX 64

struct journal_shown {
	struct journal_shown_one {
		uint8_t *line; /* owned; the record points into it */
		struct journal_record record;
	} v[JOURNAL_SHOWN_MAX];
	size_t n; /* each certificate at each address once, the one that was seen last at the end */
};

/* The certificates of accepted records of this upstream whose notAfter is not before now. A certificate that several
 * addresses presented has one entry for each. The result is yours: journal_shown_free. Errors as in journal_read;
 * then the result has what could be read. */
enum res journal_shown_read(struct journal_shown *, int state_dir, const char *upstream, int64_t now_ms,
			    const char **why);
/* A later entry has the same certificate, presented at another address. */
bool journal_shown_is_elsewhere(const struct journal_shown *, size_t at);
void journal_shown_free(struct journal_shown *);

#endif
