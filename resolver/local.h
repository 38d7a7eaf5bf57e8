/*
 * local.h - names that are answered here and never sent: local data, special-use names, hosts, single labels.
 *
 * local_data is immutable (config: local.data, the special-use registry); hosts is one worker's reading of
 * the hosts file, read again when it changes.
 */
#ifndef RESOLVER_LOCAL_H
#define RESOLVER_LOCAL_H

#include "base/dns/message.h"
#include "config/settings.h"

struct local_data; /* local_data.h */
struct hosts;      /* hosts.h */
struct routes;
struct route; /* both routes.h */

/* All that says which names are ours. Lent. */
struct local_view {
	const struct local_data *data;
	struct hosts *hosts;
	const struct routes *routes;
	enum single_labels single_labels;
};

/*
 * One rule holds for all of it: a name that exists for one type exists for all (NODATA), and so do the names above it (RFC
 * 4592, 2.2.2; RFC 8020). NXDOMAIN is said only of what is known not to exist. A name that is ours is never sent, whatever
 * the type, but for the DS of a zone's apex, which is the parent's (RFC 4035, 3.1.4.1).
 */
enum local {
	LOCAL_NOT_OURS,
	LOCAL_ANSWERED, /* a whole message was appended: header, question, records; no OPT; id, flags and spelling are
			   mended by msg_reply_from_answer */
	LOCAL_REFUSED, /* a single label, and the configuration refuses those */
};

/*
 * Answers locally when the name is one of ours. Order: local data, hosts, zones of local data (an SOA among them makes its
 * zone wholly local: what is not there does not exist, unless a forward names a part of it), special-use names (RFC 6761,
 * 6762, 6303, 7686, 8375, 9462, 9476), single labels that are no top-level domains. `route` is the name's: a forward of
 * the configuration that names this very zone or one above it short of the root takes the special-use registry out of
 * force (an organisation's own .home.arpa, 10.in-addr.arpa), but for localhost.
 */
enum local local_answer(const struct local_view *, const struct msg_question *, const struct route *,
			int64_t now_ms, struct buf *out);

/* What a question for ANY gets of a name that is not ours (RFC 8482, 4.2). Appends. */
void local_any(const struct msg_question *, struct buf *out);

/* A name of a zone that never leaves this machine (a forward to nobody): there is no such name. zone is the
 * end of the question's name. Appends. */
void local_nothing(const struct local_view *, const struct msg_question *, struct span zone, struct buf *out);

/* What a blocked name gets: NXDOMAIN, NODATA or unspecified addresses. Appends. False: it is to be refused. */
bool local_blocked(const struct local_view *, const struct msg_question *, enum filter_answer,
		   struct buf *out);

/*
 * An upstream's NXDOMAIN that says too much. Of a name that exists here it becomes NODATA. Of a neighbour of such a name,
 * when the zone that denies it ends above what they have in common, it is said in the name of that: a cache in front would
 * deny ours as well. The message is appended then; false: the answer may stand.
 */
bool local_mends(const struct local_view *, const struct msg_question *, const struct msg_answer *,
		 struct buf *out);

#endif
