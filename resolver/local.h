/*
 * local.h - names that are answered here and never sent: local data, special-use names, hosts.
 *
 * local_data is immutable (config: local.data, the special-use registry); hosts is one worker's reading of
 * the hosts file, read again when it changes.
 */
#ifndef RESOLVER_LOCAL_H
#define RESOLVER_LOCAL_H

#include "resolver/plan.h"

struct local_data;
enum res local_data_compile(struct local_data **, const struct settings *, struct config_errors *);
void local_data_free(struct local_data *);

struct hosts;
#define HOSTS_FILE_MAX (16 * 1024 * 1024)
#define HOSTS_CHECK_MS 1000 /* the file is looked at this often at the most */
/* file "" or NULL: none. A file that is not there is an empty one. */
enum res hosts_new(struct hosts **, const char *file);
void hosts_free(struct hosts *);

#define LOCAL_ALIASES_MAX 16 /* CNAMEs followed from one of local.data to another */

/*
 * Answers locally when the name is one of ours: appends a whole message (header, question, records; no OPT;
 * id, flags and spelling are mended by msg_reply_from_answer). True: it was answered. Order: local data,
 * hosts, special-use names (RFC 6761, 6762, 6303, 7686, 8375, 9462, 9476), single labels (addresses alone:
 * `com. NS` is asked for). An SOA among local.data makes its zone wholly local: what is not
 * there does not exist. `forwarded`: a forward of the configuration names this very zone or one above it
 * short of the root, so that the special-use registry does not apply (an organisation's own
 * .home.arpa, 10.in-addr.arpa), but for localhost.
 */
bool local_answer(const struct local_data *, struct hosts *, const struct msg_question *, bool forwarded,
		  int64_t now_ms, struct buf *out);

/* What a question for ANY gets of a name that is not ours (RFC 8482, 4.2). Appends. */
void local_any(const struct msg_question *, struct buf *out);

/* A name of a zone that never leaves this machine (a forward to nobody): there is no such name. zone is the
 * end of the question's name. Appends. */
void local_nothing(const struct msg_question *, struct span zone, struct buf *out);

#endif
