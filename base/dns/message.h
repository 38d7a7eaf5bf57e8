/*
 * message.h - DNS messages in place: strict reading, patching, small replies.
 *
 * Bytes in, facts and bytes out; no memory is allocated for a question or an answer, and nothing here knows caches, clients
 * or time. A message that the walker accepts is valid record by record (RFC 1035, 4.1): names end inside the message,
 * pointers go strictly backwards and are bounded, the RDATA of the types that hold names (RFC 3597, 4) is of the length
 * that its content says, nothing follows the last record.
 */
#ifndef BASE_DNS_MESSAGE_H
#define BASE_DNS_MESSAGE_H

#include "base/bytes.h"
#include "base/res.h"

#define MSG_MAX          65535
#define MSG_HEADER       12
#define MSG_NAME_MAX     255  /* RFC 1035, 2.3.4 */
#define MSG_RRS_MAX      8192 /* a 64 KiB message can hold 5,957 of 11 bytes */
#define MSG_POINTERS_MAX 16   /* compression hops of one name; encoders make one */
#define MSG_OPTIONS_MAX  64   /* EDNS options of one OPT that are looked at; more is malformed */
#define MSG_UDP_PAYLOAD  1232 /* what we announce and the most we send over UDP (RFC 9715) */
#define MSG_EDE_TEXT_MAX 100  /* bytes of EXTRA-TEXT that are passed on */
#define MSG_EDE_SENT_MAX 4    /* EDE options of one reply */

enum {
	MSG_QR = 0x8000,
	MSG_AA = 0x0400,
	MSG_TC = 0x0200,
	MSG_RD = 0x0100,
	MSG_RA = 0x0080,
	MSG_Z = 0x0040,
	MSG_AD = 0x0020,
	MSG_CD = 0x0010,
	MSG_OPCODE = 0x7800
};
enum {
	RCODE_NOERROR,
	RCODE_FORMERR,
	RCODE_SERVFAIL,
	RCODE_NXDOMAIN,
	RCODE_NOTIMP,
	RCODE_REFUSED,
	RCODE_YXDOMAIN,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23
};
enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_HINFO = 13,
	TYPE_TXT = 16,
	TYPE_SIG = 24,
	TYPE_AAAA = 28,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_NSEC = 47,
	TYPE_NSEC3 = 50,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_NXNAME = 128, /* RFC 9824: stands only in the type bitmap of an NSEC record */
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255
};
enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_ANY = 255 };
enum {
	OPTION_NSID = 3,
	OPTION_ECS = 8,
	OPTION_COOKIE = 10,
	OPTION_KEEPALIVE = 11,
	OPTION_PADDING = 12,
	OPTION_EDE = 15
};

struct msg_edns {
	bool present;
	bool do_bit;
	uint8_t version;
	uint16_t udp_size;   /* as sent; below 512 counts as 512 (RFC 6891, 6.2.3) */
	struct span options; /* RDATA of the OPT */
	bool keepalive;      /* RFC 7828 option present (TCP clients ask with it) */
};

/* A client's question. Spans point into its message. */
struct msg_question {
	uint16_t id;
	uint16_t flags;             /* opcode, RD, AD, CD as sent; the rest was checked */
	struct span section;        /* the question section as spelled: name, type, class */
	uint8_t name[MSG_NAME_MAX]; /* lower case (RFC 4343), uncompressed wire form with its root byte */
	uint8_t name_n;
	uint8_t labels; /* without the root */
	uint16_t type;
	uint16_t class;
	struct msg_edns edns;
};

/* What to do with what a client sent. */
enum msg_fault {
	MSG_OK,
	MSG_DROP,    /* too short to answer, or itself an answer: no reply */
	MSG_FORMERR, /* the reply: header, and the question when it could be read */
	MSG_NOTIMP,
	MSG_BADVERS,
	MSG_REFUSED, /* classes and types that are never forwarded (AXFR, IXFR, meta types, CH, RD = 0) */
};
/* No record has such a type: OPT, NXNAME (RFC 9824), and 249 to 254 (RFC 6895, 3.1). ANY, which clients may ask for, is not
 * among them. */
bool msg_type_is_meta(uint16_t type);
/* On MSG_DROP *q is undefined, else id, flags, where readable section, and whether there was an OPT are filled. */
enum msg_fault msg_question_read(struct msg_question *, struct span wire);
/* The question of a name that was read before (lower case, wire form), with RD. The section is lent. */
struct msg_question msg_question_of(struct span name, struct span section, uint16_t type, uint16_t class);

struct msg_ede {
	uint16_t code; /* INFO-CODE (RFC 8914) */
	struct span text;
};

/* An upstream's answer, walked. Offsets are into its bytes. */
struct msg_answer {
	struct span wire;
	uint16_t id, flags;
	uint16_t rcode;      /* with the OPT's upper bits */
	struct span section; /* question section, as sent */
	uint16_t type, class;
	uint16_t an, ns, ar;  /* counts, the OPT not among ar */
	size_t opt_at, opt_n; /* 0, 0 without one */
	struct msg_edns edns;
	struct msg_ede ede[MSG_EDE_SENT_MAX]; /* the first few; text lent */
	size_t n_ede;
	uint32_t ede_codes; /* bit n: INFO-CODE n is among all of them, for those below 32 */
	size_t n_ttl;
	uint16_t *ttl_at; /* lent from the caller: offsets of every TTL but the OPT's */
	uint32_t ttl_min; /* of answer and authority; UINT32_MAX without records. TTLs with the top bit count
			     as 0 (RFC 2181, 8) */
	bool has_soa;     /* in the authority section */
	uint32_t soa_negative_ttl; /* min(SOA TTL, MINIMUM) (RFC 2308, 5) */
	uint16_t soa_ttl_at;       /* where the SOA of a negative answer keeps its TTL; 0: it is none */
	bool has_alias;            /* a CNAME is in the answer section */
	bool has_answer_of_type;   /* some record of the asked type (or ANY) is in the answer section */
};
/* ttl_at has room for MSG_RRS_MAX offsets. RES_MALFORMED, RES_LIMIT. */
enum res msg_answer_read(struct msg_answer *, struct span wire, uint16_t *ttl_at);
/* The answer is for this question: its question section has the name, type and class that were sent. Letters match
 * in either case (RFC 4343, 3). Their case need not protect against forged answers, because the connection is
 * authenticated. */
bool msg_answer_matches(const struct msg_answer *, struct span section_sent);

/* The question for the upstream: id 0, RD, AD (so that a cached answer can serve clients that ask for AD), CD as
 * asked, one OPT last (1232, DO as asked, no options). The name is in lower case: some servers and load balancers
 * answer nothing else, and a client's spelling could identify it. Appends. */
void msg_question_write(struct buf *out, const struct msg_question *);

/*
 * Puts the answer section in the order in which clients read it: from the question's name along its aliases, each CNAME
 * (with the DNAME that it comes from, where there are at most 16) in front of what it leads to; records of other names last.
 * Sections authority and additional stay. True: out, which was cleared, holds the message in that order, its names written
 * out. False: it is in order already, or has more than 1,024 records, or would become too long.
 */
bool msg_order(struct buf *out, const struct msg_answer *);

/* The front of an answer that goes into a reply: its length, and the records of each section. */
struct msg_cut {
	size_t n;
	uint16_t an, ns, ar;
	bool truncated; /* something that the client needs is not in it: TC */
};
/*
 * What fits into `room` bytes of an answer that does not fit as a whole (RFC 2181, 9). Additional records go first, in
 * whole RRsets from the back; then the authority section, unless it is what makes the answer negative, or holds proofs
 * for a client that validates (do_bit). Only then the answer section is cut, at a record, and `truncated` set. The cut
 * never reaches beyond the OPT of the answer.
 */
struct msg_cut msg_cut(const struct msg_answer *, size_t room, bool do_bit);

/* How a reply to this client is finished. */
struct msg_finish {
	const struct msg_question *question;
	size_t max; /* UDP: min(client, MSG_UDP_PAYLOAD), at least 512; TCP: MSG_MAX */
	bool ad;    /* AD may be given (the client asked by AD or DO, and the upstream is trusted for it) */
	const struct msg_ede *ede; /* made or passed; may be NULL; goes out only to clients with EDNS */
	size_t n_ede;
	bool no_recursion;     /* of a reply without records: the upstream's answer had RA clear */
	bool keepalive;        /* TCP client that asked: add edns-tcp-keepalive */
	uint16_t keepalive_ds; /* its value, units of 100 ms */
};
/*
 * Makes the reply from an answer's bytes (with or without OPT). It has the client's id, spelling and flags, RA as the
 * answer has it (a resolver that blocks a name may say so by clearing it), and TTLs less `age_s` (never below 0). The
 * upstream's OPT is replaced by ours or removed; every other record is unchanged. If the reply does not fit, records
 * are left out as msg_cut says, then our EDE, and only then TC is set. Over TCP, where TC would not help, our OPT is
 * left out before that. Appends to out, which may be a stack buffer wrapped in a buf. ttl_at as msg_answer_read gave
 * it; at the end TTLs below ttl_floor are raised to it and TTLs above ttl_cap cut to it (0 and UINT32_MAX: neither).
 *
 * RES_MALFORMED: the OPT cannot be cut out, because a name after it runs through bytes that are not a name (no honest
 * server sends such).
 */
enum res msg_reply_from_answer(struct buf *out, const struct msg_finish *, const struct msg_answer *,
			       uint32_t age_s, uint32_t ttl_floor, uint32_t ttl_cap);
/* The answer's bytes without its OPT, pointers mended: wire.n - opt_n bytes. The counts in the header are as
 * they were. False: see RES_MALFORMED above. */
bool msg_strip(uint8_t *out, const struct msg_answer *);
/* EXTRA-TEXT for people: well-formed UTF-8 without control characters ('?' in place of anything else), truncated. */
size_t msg_ede_clean(uint8_t out[MSG_EDE_TEXT_MAX], struct span text);
/* A reply without records: SERVFAIL with EDE, FORMERR, REFUSED, an empty NOERROR. Appends. */
enum res msg_reply_empty(struct buf *out, const struct msg_finish *, uint16_t rcode);

/* Names. */
/* RFC 1035 text (escapes \. \DDD, trailing dot optional) to lower-case wire form; controls and spaces as
 * escapes only. RES_MALFORMED, RES_LIMIT. */
enum res msg_name_read(uint8_t out[MSG_NAME_MAX], uint8_t *n, const char *text);
enum res msg_name_read_span(uint8_t out[MSG_NAME_MAX], uint8_t *n, struct span text);
/* Escaped text of a wire name, without the trailing dot ("." for the root). Appends. */
void msg_name_text(struct buf *out, struct span name);
/* Both lower-case wire forms: name is suffix, or below it. */
bool msg_name_below(struct span name, struct span suffix);
const char *msg_type_text(uint16_t type, char text[16]);   /* "A", "TYPE65280" */
const char *msg_rcode_text(uint16_t rcode, char text[16]); /* "NOERROR" */

/* Calls fn for every record of the sections answer, authority, additional (OPT left out); stops when fn gives
 * false. Only for messages that msg_answer_read accepted. */
struct msg_rr {
	enum { MSG_SECTION_ANSWER, MSG_SECTION_AUTHORITY, MSG_SECTION_ADDITIONAL } section;
	size_t name_at;
	uint16_t type, class;
	uint32_t ttl;
	struct span rdata;
};
void msg_each(const struct msg_answer *, bool (*fn)(void *ctx, const struct msg_rr *), void *ctx);

#endif
