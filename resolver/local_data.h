/*
 * local_data.h - local.data of the configuration, for local.c: records, the zones that their SOA records make, and what
 * exists because of them. Immutable.
 */
#ifndef RESOLVER_LOCAL_DATA_H
#define RESOLVER_LOCAL_DATA_H

#include "config/settings.h"
#include "resolver/special.h"

#define LOCAL_ALIASES_MAX 16 /* CNAMEs followed from one of local.data to another */

struct local_data;
enum res local_data_compile(struct local_data **, const struct settings *, struct config_errors *);
void local_data_free(struct local_data *);

/* The name has records: those of the type, along local aliases, or that there are none. False: it has none, or is the apex
 * of a zone of ours whose DS is asked for. */
bool local_data_answer(const struct local_data *, const struct msg_question *, struct buf *out);
/* The DS of a zone that begins here: it is the parent's (RFC 4035, 3.1.4.1). */
bool local_data_is_parents(const struct local_data *, const struct msg_question *);
/* How long the name of the nearest zone at or above is; 0: there is none. */
size_t local_data_zone(const struct local_data *, struct span name);
/* NXDOMAIN with the SOA of the zone that `name`, the end of the question's, is in. */
void local_data_deny(const struct local_data *, const struct msg_question *, struct span name,
		     struct buf *out);
/* The name has records, or one below it has. */
bool local_data_has(const struct local_data *, struct span name);
const struct special *local_data_special(const struct local_data *); /* lent */

#endif
