/*
 * scenario.h - the table of scenarios: what an impostor does, and what a strict client must do.
 *
 * A scenario is a row and, where fields are not enough, one small function. Rows live in one file a
 * group (scenarios_*.c); scenario_at walks all of them in the order in which they are listed and reported.
 */
#ifndef CONTRIB_LAB_SCENARIOS_SCENARIO_H
#define CONTRIB_LAB_SCENARIOS_SCENARIO_H

#include "contrib/lab/pki/forge.h"

struct site;

enum want {
	WANT_ACCEPT, /* a client that refuses is broken for its users */
	WANT_REFUSE,
	WANT_NOTE, /* both behaviours are defensible: reported, not counted */
};

enum reach {
	REACH_OFFLINE = 1, /* a chain that can be judged without network */
	REACH_DOT = 2,
	REACH_DOH = 4,
	REACH_ALL = 7,
	REACH_WIRE = 6,
};

/* What happens between the client's first question and the one that counts. */
enum script {
	SCRIPT_ONCE, /* one question */
	SCRIPT_SWAP, /* the first question meets good-v4, then connections are closed and this scenario is
			served */
	SCRIPT_SWAP_KEEPING_TICKETS, /* the same, and tickets of the first server are taken by the second */
	SCRIPT_EXPIRE,  /* connections are closed and the certificate expires between two questions; tickets
			   are valid */
	SCRIPT_RESUME,  /* connections are closed between two questions; tickets are valid */
	SCRIPT_TIGHTEN, /* the client's policy becomes the scenario's while it is connected */
};

struct sct_row {
	enum log_id log;
	enum sct_fault fault;
	int hours; /* after the certificate's notBefore; negative: before */
};
#define SCTS(...)                                                                                            \
	.has_scts = true, .scts = (const struct sct_row[]){__VA_ARGS__},                                     \
	.n_scts = sizeof((const struct sct_row[]){__VA_ARGS__}) / sizeof(struct sct_row)
#define NO_SCTS .has_scts = true

struct scenario {
	const char *name;
	const char *impostor; /* what it does, a sentence */
	enum want want;
	const char *reason;      /* the first of ctstub's verdict; NULL when accepted */
	const char *wire_reason; /* when it is another one over the wire */
	enum reach reach;        /* 0: REACH_ALL */
	bool v6;                 /* the client dials the IPv6 address */
	const char *dial_name;   /* the client also wants this name */
	const char *subject;     /* NULL: a good one */
	/* Subject alternative names: "ip:" "dns:" "uri:" "email:" items separated by blanks, $4 and $6
	 * stand for the resolver's addresses, $n for the neighbour of the IPv4 one. NULL: good ones, "":
	 * no extension. */
	const char *san;
	bool has_scts; /* instead of two good ones */
	const struct sct_row *scts;
	size_t n_scts;
	void (*leaf)(struct site *, struct forge *); /* changes the leaf before it is signed */
	void (*build)(struct site *);                /* makes the whole chain instead */
	void (*policy)(struct site *);               /* adds to the client's policy after the chain is made */
	const char *fault;                           /* of the server, as lab_fault.h reads it */
	enum script script;
};

struct scenario_group {
	const char *name;
	const char *about; /* a sentence for the report */
	const struct scenario *rows;
	size_t n;
};

extern const struct scenario_group scenarios_identity, scenarios_chain, scenarios_transparency,
    scenarios_misissuance, scenarios_revocation, scenarios_sessions, scenarios_protocol, scenarios_downgrade;

/* The good resolver of the same kind (family, wanted name): if a client refuses that one as well, its
 * refusal of this one proves nothing. */
const char *scenario_good_resolver(const struct scenario *);

const struct scenario_group *scenario_group_at(size_t); /* NULL after the last */
size_t scenario_count(void);
const struct scenario *scenario_at(size_t);         /* NULL after the last */
const struct scenario *scenario_find(const char *); /* NULL: there is none of that name */
const struct scenario_group *scenario_group_of(const struct scenario *);
enum reach scenario_reach(const struct scenario *);
const char *scenario_want_text(enum want);

#endif
