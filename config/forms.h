/*
 * forms.h - the forms that strings of the configuration have, and domain names as people write them.
 */
#ifndef CONFIG_FORMS_H
#define CONFIG_FORMS_H

#include "config/settings.h"

#define DOMAIN_WIRE_MAX 255 /* RFC 1035, 2.3.4 */

/* What a value may be, beyond its kind. */
enum option_form {
	FORM_ANY,
	FORM_USER,  /* a name, or "" */
	FORM_GROUP, /* the same, of a group */
	/* one of a few words */
	FORM_LOG_LEVEL,
	FORM_LOG_FORMAT,
	FORM_STRATEGY,
	FORM_SINGLE_LABELS,
	FORM_FILTER_ANSWER,
	FORM_PROTOCOL,
	FORM_METHOD,
	FORM_WHEN_STALE,
	FORM_RULE_MODE,
	FORM_WATCH_BLOCK,
	FORM_QUERY_CLIENTS,
	FORM_CT_MODE, /* as strings of an upstream "" as well; the same for the next */
	FORM_CT_POLICY,
	FORM_SOCKET,    /* a path that fits into a socket's address */
	FORM_PATH,      /* not empty */
	FORM_FILE,      /* a path, or "" */
	FORM_LIST_URL,  /* an https URL, a path from the root, or "" */
	FORM_PROGRAM,   /* a path from the root, or "" */
	FORM_QUERY_LOG, /* a path from the root, with or without dnstap: or dnstap-file:, or "" */
	FORM_URL_PATH,  /* "/dns-query", also "/dns-query{?dns}" */
	FORM_DATE,      /* "2027-03-01", or "" */
	FORM_HOST,      /* a host name, or "" */
	FORM_DOMAIN,    /* a domain name, the root too */
	FORM_ENTRY,     /* not empty; judged when it is compiled */
	FORM_CA_ENTRY,  /* an entry of allow-issuer */
	FORM_PIN,       /* spki-sha256 <hex> */
	FORM_PREFIX,    /* an address prefix, or an address alone */
	FORM_LISTEN,    /* an address to listen on, port 53 when it has none */
	FORM_SERVER,    /* an address to connect to, with or without a port */
	FORM_BARE,      /* an address without a port */
};

/* The words of a form that is a choice, by the value of its enum; NULL for other forms. */
const char *const *form_words(enum option_form);
/* Those words: "a", "b" or "c", each in quotes. */
void form_words_put(struct buf *out, enum option_form);
/* What was expected, for an error: "a DNS name". Constant. */
const char *form_expected(enum option_form);
/* Copies text to out in its normal form; false: it is not of this form. */
bool form_read(char out[CONFIG_STRING_MAX + 1], enum option_form, const char *text);
/* The first moment after a day that form_read accepted: midnight (UTC) at its end. 0 for "". */
int64_t form_date_end_ms(const char *day);
/* An IPv6 address without brackets, such as ::1:53, whose last part was surely meant as a port. */
bool form_looks_like_port(const char *text);
/* NULL, or what is wrong, "the unusable address". Constant. */
const char *form_read_address(struct addr *, enum option_form, const char *text);

/* A name in ASCII: labels of letters, digits, "-" and "_", at most 63 long, 253 in all, with or without the dot at
 * its end; "." is the root. out gets it in lower case and without that dot. False: it is not such a name. */
bool domain_read(char out[CONFIG_STRING_MAX + 1], const char *text);
/* Is this name from domain_read an IPv4 address? A query may have such a name, but nobody who configures one means it. */
bool domain_is_address(const char *domain);
/* Writes the wire form of a name from domain_read; returns its length. */
size_t domain_wire(uint8_t out[DOMAIN_WIRE_MAX], const char *domain);

#endif
