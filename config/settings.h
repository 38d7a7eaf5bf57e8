/*
 * settings.h - the configuration, typed and complete.
 *
 * Every field always has a value: the compiled-in default or the value in the files. Strings are owned by the
 * settings; lists are arrays with a count. Nothing here is compiled, opened or resolved: that is snapshot.h.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/addr.h"
#include "base/faults.h"
#include "base/log.h"
#include "transport/transport.h"
#include "verify/verify.h"

#include <stdio.h>

#define CONFIG_FILE_MAX       (1024 * 1024)
#define CONFIG_FILES_MAX      256 /* files in conf.d */
#define CONFIG_LIST_MAX       4096
#define CONFIG_LIST_URL_MAX   2000 /* fetch.h takes no longer URLs, and that of the signature is longer */
#define CONFIG_STRING_MAX     4096
#define CONFIG_ERRORS_MAX     100 /* shown in one run; then "and more" */
#define CONFIG_UPSTREAMS_MAX  256
#define CONFIG_ADDRESSES_MAX  16 /* of one upstream */
#define CONFIG_FORWARDS_MAX   1024
#define CONFIG_LISTEN_MAX     64
#define CONFIG_TIME_NAMES_MAX 16 /* an NTP client has four servers */
#define CONFIG_WORKERS_MAX    64
/* Names added to the compiled list: a few login pages, not a way to send everything in clear text. */
#define CONFIG_PORTAL_NAMES_MAX     32
#define CONFIG_PORTAL_RESOLVERS_MAX 3 /* as many as resolv.conf(5) has */

/* Where something was set: file is NULL when it is compiled in or came from a command line. Lent from the settings. */
struct place {
	const char *file;
	unsigned line;
	bool wrong; /* of an option: its value could not be taken, and an error says so */
};
struct strings {
	char **v;
	struct place *place; /* of each */
	size_t n;
};
/* Appends a copy. False: no memory. */
bool strings_append(struct strings *, const char *s, struct place);
void strings_free(struct strings *);
struct addrs {
	struct addr *v;
	size_t n;
};

/* One for each row of the option table. */
enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "config/options.def"
#undef OPTION
	OPTION_COUNT
};

enum single_labels { SINGLE_LABELS_LOCAL, SINGLE_LABELS_FORWARD, SINGLE_LABELS_REFUSE };
/* The reply for a name on a filter list, and for one that rebinding protection stopped. */
enum filter_answer { FILTER_NXDOMAIN, FILTER_NODATA, FILTER_ZERO, FILTER_REFUSED };
/* What ctstub-watch does about a rogue certificate: nothing, a proposal for a person, an entry that is in force. */
enum watch_block { WATCH_BLOCK_REPORT, WATCH_BLOCK_PROPOSE, WATCH_BLOCK_ENFORCE };
/* What the query log shows of the client that asked: its address and port, its network, or nothing. */
enum query_clients { QUERY_CLIENTS_FULL, QUERY_CLIENTS_PREFIX, QUERY_CLIENTS_NONE };
/* What query-log.to begins with when it is not the path of a text file. */
#define QUERY_LOG_DNSTAP      "dnstap:"      /* the Unix socket of a collector */
#define QUERY_LOG_DNSTAP_FILE "dnstap-file:" /* a file of frames */

enum strategy { STRATEGY_FASTEST, STRATEGY_ORDERED, STRATEGY_SPREAD };

struct upstream_settings {
	char *title;
	struct place place;
	struct place set_at[OPTION_COUNT]; /* where each option was set last; line 0: it has its default */
	enum tp_protocol protocol;
	struct addrs address; /* ports filled in */
	uint16_t port;        /* 0: the protocol's own (853, 443) */
	char *path;
	enum tp_method method;
	char *name;
	char *trust_anchors;            /* "" : trust.anchors */
	char *ct, *ct_policy, *ct_logs; /* "" : the global ones */
	struct strings disallow, disallow_file, allow_issuer, pin, crl_file;
	enum vfy_mode mode[VFY_RULE_COUNT];
	char *report_until; /* a day (UTC), or "" */
	char *client_cert, *client_key;
	struct addrs also_address;
	bool trust_ad;
	bool forward_only; /* serves what is forwarded to it, and takes no compiled-in upstream's place */
};

struct forward_settings {
	char *title; /* a domain name, or an address prefix for its reverse zone */
	struct place place;
	struct place set_at[OPTION_COUNT];
	struct strings upstream; /* titles; empty: never leaves this machine */
	bool shared;             /* its upstreams serve what they served without this row */
};

struct settings {
	struct addrs listen;
	unsigned workers;
	char *user;
	struct strings allow; /* prefixes of clients that are not this machine */
	enum log_level log_level;
	enum log_format log_format;
	char *control_socket;
	char *control_group; /* may do everything that the socket offers; "" : none */
	char *state_dir;
	struct strings time_names; /* resolved while the clock is not set */

	enum ct_mode ct_mode;
	enum ct_policy ct_policy;
	char *ct_log_list;
	char *ct_list_url; /* an organisation's mirror of the list: https, or a file; "": none */
	bool ct_update_window;
	char *ct_list_key; /* the public key that signs it */
	int64_t ct_list_max_age_ms;
	enum ct_when_stale ct_when_stale;

	char *trust_anchors;
	struct strings constraints_file;
	struct strings disallow, disallow_file;
	bool builtin_disallow;

	uint64_t cache_size;
	int64_t cache_min_ttl_ms, cache_max_ttl_ms, cache_negative_max_ttl_ms, cache_serve_stale_ms;
	bool cache_prefetch;

	char *hosts_file; /* "" : none */
	struct strings local_data;

	struct upstream_settings *upstream;
	size_t n_upstream;
	enum strategy strategy;
	bool hedge;
	int64_t keep_warm_ms; /* 0: off */
	struct forward_settings *forward;
	size_t n_forward;
	enum single_labels single_labels;
	enum filter_answer filter_answer;
	bool rebinding_protect;
	struct strings rebinding_allow;
	struct strings filter_list_file;

	bool portal_enable;
	struct strings portal_names;  /* beside the compiled list (portal_names.h); lower case */
	struct addrs portal_resolver; /* without ports; empty: what the network's configuration names */
	char *portal_socket;
	char *portal_user; /* of the helper when it is started as root */

	struct strings watch_file, known_file;
	int64_t watch_poll_ms;
	enum watch_block watch_block;
	char *watch_exec; /* "" : none */

	uint64_t journal_size; /* of each of its two files */
	unsigned evidence_count;
	uint64_t evidence_size;

	char *query_log_to; /* "" : none; a path, or one of the above with a path */
	enum query_clients query_log_clients;
	uint64_t query_log_size;

	struct place set_at[OPTION_COUNT]; /* of the options that are not in an upstream or forward */
	char **file;                       /* what was read, in that order */
	size_t n_file;
	bool broken; /* something was wrong: use it only to find further errors */
	/* At boot: data that others collect (block lists, CRLs, log lists) and that cannot be read is a warning, and what
	 * needs it does without (names) or refuses (certificates). Never set for -t, reload and the tools. */
	bool serve_without;
};

/* All errors: "file:line: what, what was expected". */
struct config_errors {
	char **line;
	size_t n;
	bool more; /* there were more than CONFIG_ERRORS_MAX */
};
void config_errors_free(struct config_errors *);
/* Adds the faults that a reader found in this file, one line each. */
void config_errors_add_faults(struct config_errors *, const char *file, const struct faults *);
/* Adds "file:line: " and the text; without a file the text alone. The text says what is wrong and what was expected. */
void config_errors_add(struct config_errors *, struct place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads `file` and every conf.d/NAME.conf beside it in lexical order, over the compiled-in defaults. file NULL: the
 * defaults alone. RES_OK: *out is whole and valid in itself (names of upstreams in forwards exist, listeners are not
 * upstreams); otherwise errors say why. Yours: settings_free.
 */
enum res settings_read(struct settings **out, const char *file, struct config_errors *errors);
/* As settings_read; RES_MALFORMED leaves in *out, broken, what could be read: compiling them finds further errors
 * and then refuses them. Yours, unless there is no memory. */
enum res settings_read_on(struct settings **out, const char *file, struct config_errors *errors);
void settings_free(struct settings *);
/* Leaves one upstream and no forwards, for tools that work with one. title NULL: a new one, "none", with every
 * option at its default and an address where no server is (192.0.2.1, RFC 5737). RES_NOT_FOUND: there is no such
 * upstream. */
enum res settings_narrow(struct settings *, const char *title);
/*
 * Leaves one upstream called "probe", made of the words of `ctstub probe [dot|doh]://ADDR[:PORT][/PATH][#NAME]`, and no
 * forwards. On an error *settings is freed and NULL. RES_MALFORMED: the words, errors say why.
 */
enum res settings_for_probe(struct settings **settings, const char *uri, struct config_errors *errors);
/* Must this main file be read? Not if neither it nor a file of conf.d beside it exists. What exists and cannot be read, a
 * link that leads nowhere included, is an error of reading. */
bool settings_file_is_expected(const char *file);
/* The file that is read when none is named: SYSCONFDIR/ctstub/ctstub.conf; NULL when it is not expected (the compiled-in
 * defaults apply). Constant. */
const char *settings_default_file(void);
/* The effective configuration as a configuration file; reading it gives the same settings and prints the same. */
enum res settings_print(const struct settings *, FILE *);

#endif
