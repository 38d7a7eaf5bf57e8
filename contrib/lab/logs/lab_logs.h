/*
 * lab_logs.h - the lab's CT logs without their network side: submissions, trees, and misbehaviour on request.
 *
 * A request comes in as method, path and body, a reply goes out as bytes; nothing here knows sockets or TLS. Every log of
 * the world's list answers below /NAME/: RFC 6962 logs with ct/v1/..., static-ct logs with both APIs of C2SP
 * static-ct-api. Requests below /lab/ control the lab. Any thread may call; each log has a lock of its own.
 */
#ifndef CONTRIB_LAB_LOGS_LAB_LOGS_H
#define CONTRIB_LAB_LOGS_LAB_LOGS_H

#include "contrib/lab/logs/logs_reply.h"
#include "contrib/lab/pki/world.h"

const char *misbehaviour_name(enum misbehaviour);
const char *misbehaviour_text(enum misbehaviour);

struct lab_logs;

/* `base` is where the logs are served, "https://127.0.0.1:8445"; the world is lent. */
enum res lab_logs_new(struct lab_logs **, struct world *, const char *base, const struct logs_options *);
void lab_logs_free(struct lab_logs *);

/* Switches a misbehaviour of one log ("alpha-1"), or of all (NULL). False: no such name or log. */
bool lab_logs_misbehave(struct lab_logs *, const char *misbehaviour, const char *log, bool on);

/*
 * Enters a certificate, chain[0], in every log that it has an SCT of, with the time and leaf index of that SCT; a
 * static-ct log is filled up to the index. RES_NOT_FOUND: no log of ours. RES_LIMIT: the place in the log is taken.
 * `entered`, when not NULL, gets a line for each log.
 */
enum res lab_logs_enter(struct lab_logs *, const struct span *chain, size_t n, struct buf *entered);

/* The reply's body is the caller's buf, ready and empty. */
void lab_logs_answer(struct lab_logs *, const struct logs_request *, struct logs_reply *);

#endif
