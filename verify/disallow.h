/*
 * disallow.h - entries that name certificates, keys and issuers; also used for allow-issuer and pin.
 *
 *   serial <hex> issuer <name>    cert-sha256 <hex>    spki-sha256 <hex>    issuer <name>
 *
 * <name> is RFC 4514 text, most specific attribute first, or der:<base64>. A file has one entry a line; ctstub.conf(5)
 * says where `#` begins a comment, and that a name is read whole. A list is immutable once built, sorted, and looked up
 * in logarithmic time: its size does not show in the cost of a verdict.
 */
#ifndef VERIFY_DISALLOW_H
#define VERIFY_DISALLOW_H

#include "base/faults.h"
#include "verify/x509/cert.h"

#define DISALLOW_FILE_MAX    (64 * 1024 * 1024)
#define DISALLOW_ENTRIES_MAX 1000000
#define DISALLOW_LINE_MAX    8192

enum disallow_kind { DISALLOW_SERIAL, DISALLOW_CERT, DISALLOW_SPKI, DISALLOW_ISSUER };

struct disallow;         /* an immutable list */
struct disallow_builder; /* on the way to one */

enum res disallow_builder_new(struct disallow_builder **);
void disallow_builder_free(struct disallow_builder *);
/* One entry as text. *why as in ctlogs.h: what is wrong with it, without file and line. */
enum res disallow_add(struct disallow_builder *, const char *entry, char **why);
/* A whole file; *line gets the number of the bad line, 0 when the fault has none. Empty files are RES_OK. */
enum res disallow_add_file(struct disallow_builder *, struct span text, size_t *line, char **why);
/* The same in one run: every bad line goes to faults, also the fault of the whole (line 0). RES_MALFORMED: there are some. */
enum res disallow_add_lines(struct disallow_builder *, struct span text, struct faults *faults);
/* The compiled-in list of known rogue certificates. */
enum res disallow_add_builtin(struct disallow_builder *);
/* The builder is taken, also on failure. */
enum res disallow_finish(struct disallow **out, struct disallow_builder *);
void disallow_free(struct disallow *);
size_t disallow_count(const struct disallow *);
bool disallow_has_kind(const struct disallow *, enum disallow_kind);

/* What matched, as the entry's text in canonical form; lent. */
struct disallow_hit {
	enum disallow_kind kind;
	const char *entry;
	enum res res; /* without a match: RES_OK, or why the certificate's name could not be compared */
};
/* Each looks for entries of the named kinds only, by hash also in the other forms that the certificate or the key can be
 * given (disguise.h). NULL list: no hit. `hit` is always filled. */
bool disallow_match_cert(const struct disallow *, const struct cert *,
			 struct disallow_hit *); /* serial, cert-sha256 */
bool disallow_match_key(const struct disallow *, const struct cert *,
			struct disallow_hit *); /* spki-sha256 */
bool disallow_match_issuer(const struct disallow *, const struct cert *,
			   struct disallow_hit *); /* issuer: its issuer Name */
bool disallow_match_subject(const struct disallow *, const struct cert *,
			    struct disallow_hit *); /* issuer entry against the subject */

/* Mozilla's OneCRL JSON to a disallow file's text. Yours. *why on failure; *left_out counts records that an entry cannot
 * express; records that cannot be read are left out as well and told in faults (may be NULL). RES_MALFORMED: there are
 * records, and none can be read. */
enum res disallow_from_onecrl(char **text, struct span json, size_t *entries, size_t *left_out,
			      struct faults *faults, char **why);

#endif
