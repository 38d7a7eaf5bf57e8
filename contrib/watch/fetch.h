/*
 * fetch.h - many concurrent GETs over HTTPS, in one loop, within one budget of bytes. The only door to libcurl.
 *
 * vfy_check judges a server before a byte from it is used. What logs say is signed or hashed anyway, but without this
 * check anyone on the path could feed us data that takes long to refuse. No redirects, no cookies, no other protocol, TLS
 * 1.2 or later. Time, size and connections are bounded by the constants below.
 */
#ifndef CONTRIB_WATCH_FETCH_H
#define CONTRIB_WATCH_FETCH_H

#include "verify/verify.h"

#define FETCHER_CONNECT_MS      15000
#define FETCHER_TOTAL_MS        120000 /* of one answer: 8 MiB at 70 KiB a second */
#define FETCHER_STALL_S         30     /* below 1 KiB a second for this long: the log is taken for down */
#define FETCHER_CONNECTIONS_MAX 64     /* some 60 KiB each */
#define FETCHER_HOST_MAX        8 /* connections to one host: as many as concurrent requests to one log */
/* Of one answer: 256 entries of 48 KiB; public ones have 2 MiB. */
#define FETCHER_ANSWER_MAX (12 * 1024 * 1024)
/* Bytes of all answers that are held. With an uncompressed answer and everything else the process stays below 64 MiB. */
#define FETCHER_BYTES_MAX ((size_t)20 * 1024 * 1024)
#define FETCHER_URL_MAX   2048

struct fetcher;

/* Bytes that count against the budget until they are freed. */
struct fetch_body {
	struct buf bytes;
	size_t reserved;
};

enum fetch_result {
	FETCH_ANSWER,      /* an HTTP answer with any status */
	FETCH_TROUBLE,     /* no connection, a time-out, or a connection that broke */
	FETCH_TOO_LARGE,   /* beyond the limit of the request */
	FETCH_NO_ROOM,     /* beyond what was expected, and the budget had nothing left: ask again */
	FETCH_NOT_TRUSTED, /* the server's chain was refused */
};

struct fetch_answer {
	enum fetch_result result;
	long status;             /* of HTTP */
	int64_t retry_after_ms;  /* 0: not said */
	bool gzip;               /* the body is compressed */
	struct fetch_body *body; /* lent; fetch_body_take keeps it */
	const char *why;         /* for people, unless it is an answer. Lent */
};

typedef void fetch_fn(void *arg, const struct fetch_answer *);

struct fetch_request {
	const char *url;
	size_t expected; /* bytes that are reserved */
	size_t limit;    /* bytes that the answer may have; at most FETCHER_ANSWER_MAX */
	bool gzip;       /* a compressed body is accepted */
};

/* The policy is lent and outlives the fetcher. NULL: no memory. */
struct fetcher *fetcher_new(const struct vfy_policy *);
/* Drops all requests without calling back. */
void fetcher_free(struct fetcher *);

/* Starts a GET; fn is called from fetcher_wait, once. RES_LIMIT: the budget has no room now. RES_NOMEM. */
enum res fetcher_get(struct fetcher *, const struct fetch_request *, fetch_fn *fn, void *arg);
/* Drops the requests with this arg without calling back. */
void fetcher_drop(struct fetcher *, const void *arg);
unsigned fetcher_under_way(const struct fetcher *);

/* Keeps the bytes of an answer after its callback. */
void fetch_body_take(struct fetch_body *mine, struct fetch_body *lent);
void fetch_body_free(struct fetcher *, struct fetch_body *);

/* Waits for answers, for a descriptor of the caller's (a metrics listener; -1: none) or for the time, and calls back.
 * False: libcurl failed, which it does only without memory. *readable: the descriptor can be read. */
bool fetcher_wait(struct fetcher *, int64_t timeout_ms, int fd, bool *readable);
/* Wakes fetcher_wait; may be called from a signal handler's self-pipe reader or another thread. */
void fetcher_wake(struct fetcher *);

#endif
