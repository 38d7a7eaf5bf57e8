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

/* Answers a name that has records, along local aliases, or with NODATA. False: it has none, or the question is for
 * the DS of a local zone's apex. */
bool local_data_answer(const struct local_data *, const struct msg_question *, struct buf *out);
/* The question is for the DS of a local zone, which belongs to the parent (RFC 4035, 3.1.4.1). */
bool local_data_is_parents(const struct local_data *, const struct msg_question *);
/* Length of the name of the nearest zone at or above; 0: there is none. */
size_t local_data_zone(const struct local_data *, struct span name);
/* Appends NXDOMAIN with the SOA of the zone that contains `name`, which is the end of the question's name. */
void local_data_deny(const struct local_data *, const struct msg_question *, struct span name,
		     struct buf *out);
/* The name has records, or one below it has. */
bool local_data_has(const struct local_data *, struct span name);
const struct special *local_data_special(const struct local_data *); /* lent */

#endif
