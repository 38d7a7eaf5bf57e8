/*
 * local.h - names that are answered locally and never sent upstream: local data, special-use names, hosts, single
 * labels.
 *
 * local_data is immutable (config: local.data, the special-use registry); hosts is one worker's reading of the hosts
 * file, read again when it changes.
 */
#ifndef RESOLVER_LOCAL_H
#define RESOLVER_LOCAL_H

#include "base/dns/message.h"
#include "config/settings.h"

struct local_data; /* local_data.h */
struct hosts;      /* hosts.h */
struct routes;
struct route; /* both routes.h */

/* Everything that makes a name local. Lent. */
struct local_view {
	const struct local_data *data;
	struct hosts *hosts;
	const struct routes *routes;
	enum single_labels single_labels;
};

/*
 * One rule holds for all local names: a name that exists for one type exists for all (NODATA), and so do the names
 * above it (RFC 4592, 2.2.2; RFC 8020). Only names known not to exist get NXDOMAIN. A local name is never sent
 * upstream, whatever the type, except for the DS of a zone's apex, which belongs to the parent (RFC 4035, 3.1.4.1).
 */
enum local {
	LOCAL_NOT_OURS,
	/* A whole message was appended: header, question, records; no OPT. msg_reply_from_answer sets id, flags, spelling. */
	LOCAL_ANSWERED,
	LOCAL_REFUSED, /* a single label, which the configuration refuses */
};

/*
 * Answers local names. Order: local data, hosts, zones of local data (an SOA in the local data makes its whole zone
 * local: other names in it do not exist, unless a forward names a part of it), special-use names (RFC 6761, 6762, 6303,
 * 7686, 8375, 9462, 9476), single labels that are not top-level domains. `route` is the name's route. If it comes from
 * a forward for this special-use zone, or for one above it but below the root, the zone is not treated as special (an
 * organisation's own .home.arpa, 10.in-addr.arpa); localhost always is.
 */
enum local local_answer(const struct local_view *, const struct msg_question *, const struct route *,
			int64_t now_ms, struct buf *out);

/* Answers ANY for a name that is not local (RFC 8482, 4.2). Appends. */
void local_any(const struct msg_question *, struct buf *out);

/* Denies a name of a zone that is never sent upstream (a forward without upstreams). zone: the end of the question's
 * name. Appends. */
void local_nothing(const struct local_view *, const struct msg_question *, struct span zone, struct buf *out);

/* Answers a blocked name with NXDOMAIN, NODATA or unspecified addresses. Appends. False: it must be refused. */
bool local_blocked(const struct local_view *, const struct msg_question *, enum filter_answer,
		   struct buf *out);

/*
 * Corrects an upstream's NXDOMAIN that would hide local names. For a name that exists locally it becomes NODATA. For a
 * neighbour of a local name, a denial by a zone above their common ancestor is replaced by a denial by the ancestor;
 * otherwise a cache between the client and ctstub would deny the local name as well. True: the corrected message was
 * appended. False: the answer needs no correction.
 */
bool local_mends(const struct local_view *, const struct msg_question *, const struct msg_answer *,
		 struct buf *out);

#endif
