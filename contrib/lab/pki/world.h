/*
 * world.h - the toy Internet of one lab: its clock, its certification authorities, its logs, its keys.
 *
 * A world is a folder. world.json has the time at which everything is made; keys/ has the keys, which are made
 * when they are first needed. Everything else follows from these: two processes with one folder forge the
 * same certificates, byte for byte.
 */
#ifndef CONTRIB_LAB_PKI_WORLD_H
#define CONTRIB_LAB_PKI_WORLD_H

#include "base/addr.h"
#include "contrib/lab/lab_files.h"
#include "contrib/lab/pki/forge.h"

#define SECOND_MS ((int64_t)1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define DAY_MS    (24 * HOUR_MS)

enum ca_id {
	CA_ROOT,           /* trusted */
	CA_ISSUING,        /* by CA_ROOT: the resolver's own */
	CA_FINA_ROOT,      /* trusted as well, but careless */
	CA_FINA_ISSUING,   /* by it */
	CA_FINA_REAL_NAME, /* by it, with the issuer name of the certificates of 2025 */
	CA_STRANGER_ROOT,  /* not trusted */
	CA_STRANGER_ISSUING,
	CA_FALSE_ROOT, /* another key under CA_ROOT's name */
	CA_FALSE_ISSUING,
	CA_OLD_ROOT,     /* trusted once, expired */
	CA_PRIVATE_ROOT, /* an organisation's own */
	CA_RSA_ISSUING,  /* by CA_ROOT, RSA-2048 */
	CA_WEAK_ISSUING, /* by CA_ROOT, RSA-1024 */
	CA_COUNT
};

struct world;

/*
 * Opens the world in the folder, or makes one there whose time is at_ms (0: now). RES_MALFORMED: the folder holds a
 * world.json that is malformed, or has another time than at_ms. Yours: world_close.
 */
enum res world_open(struct world **out, const char *folder, int64_t at_ms);
void world_close(struct world *);

const char *world_folder(const struct world *); /* absolute */
int64_t world_at(const struct world *);
struct toylogs *world_logs(struct world *);

/* Lent. NULL: it could be neither read nor made. The name is the file's, without ".pem". */
const struct key *world_key(struct world *, const char *name, enum key_kind);
const struct key *world_ca_key(struct world *, enum ca_id);
const char *world_ca_name(enum ca_id); /* as derw_name reads it */

/* Fills f (after forge_init) with the fields of the CA's own certificate. False: no key. */
bool world_ca_forge(struct world *, enum ca_id, struct forge *f);
/* Makes the CA the issuer of f: name and key. False: no key. */
bool world_issue(struct world *, enum ca_id, struct forge *f);

#endif
