/*
 * pem.h - the binary inside PEM text (RFC 7468). Text around and between the blocks is passed over.
 */
#ifndef VERIFY_X509_PEM_H
#define VERIFY_X509_PEM_H

#include "base/bytes.h"
#include "base/res.h"

/*
 * Appends the content of the next block with this label ("CERTIFICATE") to out and moves *text behind it.
 * RES_NOT_FOUND: there is none left. RES_MALFORMED: it has no end or is not base64. RES_LIMIT: more than out
 * takes. RES_NOMEM.
 */
enum res pem_next(struct buf *out, struct span *text, const char *label);

/* A text read block by block, of several labels. */
struct pem_text {
	struct span left;
	size_t line; /* of what comes next, from 1 */
};

struct pem_text pem_text_over(struct span);
/*
 * As pem_next, for the next block with any of the n labels; *label: which, *line: where it begins. After RES_MALFORMED and
 * RES_LIMIT the text is past the bad block, so that the reading can go on: a block without an end of its own label ends
 * where the next block begins.
 */
enum res pem_next_of(struct buf *out, struct pem_text *, const char *const *labels, size_t n, size_t *label,
		     size_t *line);

#endif
