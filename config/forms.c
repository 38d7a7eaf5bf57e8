#include "config/forms.h"

#include "base/text.h"
#include "verify/x509/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define DNS_PORT     53
#define URL_PATH_MAX 1024
#define USER_MAX     32 /* useradd(8) takes no longer ones */

static const char *const log_levels[] = {"error", "warn", "notice", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const strategies[] = {"fastest", "ordered", "spread", NULL};
static const char *const single_labels[] = {"local", "forward", "refuse", NULL};
static const char *const filter_answers[] = {"nxdomain", "nodata", "zero", "refused", NULL};
static const char *const protocols[] = {"dot", "doh", NULL};
static const char *const methods[] = {"post", "get", NULL};
static const char *const ct_modes[] = {"require", "report", "off", NULL};
static const char *const ct_policies[] = {"strict", "chrome", "mozilla", "apple", NULL};
static const char *const when_stales[] = {"enforce", "refuse", "report", NULL};

static const char *const rule_modes[] = {"require", "report", NULL};
static const char *const query_client_words[] = {"full", "prefix", "none", NULL};
static const char *const watch_blocks[] = {"report", "propose", "enforce", NULL};

const char *const *
form_words(enum option_form form)
{
	switch (form) {
	case FORM_LOG_LEVEL:
		return log_levels;
	case FORM_LOG_FORMAT:
		return log_formats;
	case FORM_STRATEGY:
		return strategies;
	case FORM_SINGLE_LABELS:
		return single_labels;
	case FORM_FILTER_ANSWER:
		return filter_answers;
	case FORM_PROTOCOL:
		return protocols;
	case FORM_METHOD:
		return methods;
	case FORM_CT_MODE:
		return ct_modes;
	case FORM_CT_POLICY:
		return ct_policies;
	case FORM_WHEN_STALE:
		return when_stales;
	case FORM_RULE_MODE:
		return rule_modes;
	case FORM_WATCH_BLOCK:
		return watch_blocks;
	case FORM_QUERY_CLIENTS:
		return query_client_words;
	case FORM_ANY:
	case FORM_USER:
	case FORM_GROUP:
	case FORM_SOCKET:
	case FORM_PATH:
	case FORM_FILE:
	case FORM_LIST_URL:
	case FORM_PROGRAM:
	case FORM_QUERY_LOG:
	case FORM_URL_PATH:
	case FORM_DATE:
	case FORM_HOST:
	case FORM_DOMAIN:
	case FORM_ENTRY:
	case FORM_CA_ENTRY:
	case FORM_PIN:
	case FORM_PREFIX:
	case FORM_LISTEN:
	case FORM_SERVER:
	case FORM_BARE:
		break;
	}
	return NULL;
}

void
form_words_put(struct buf *out, enum option_form form)
{
	const char *const *words = form_words(form);

	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		buf_format(out, "%s\"%s\"", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
}

/* What a form that is no choice looks like. */
static const char *const expected[] = {
    [FORM_ANY] = "a string",
    [FORM_USER] = "the name of a user or \"\"",
    [FORM_GROUP] = "the name of a group or \"\"",
    [FORM_SOCKET] = "the path of a socket (at most 107 bytes)",
    [FORM_PATH] = "a string that is not empty",
    [FORM_FILE] = "a path or \"\"",
    [FORM_LIST_URL] = "an https URL without a user, \"#\" and spaces, a path that begins with \"/\", or \"\"",
    [FORM_PROGRAM] = "a path that begins with \"/\", or \"\"",
    [FORM_QUERY_LOG] = "the path of a file (\"/var/log/ctstub/queries.log\"), the socket of a collector "
		       "(\"dnstap:/run/dnstap.sock\"), a file of frames (\"dnstap-file:/...\") or \"\"",
    [FORM_URL_PATH] = "a path that begins with \"/\", without \"?\", \"#\" and spaces",
    [FORM_DATE] = "a day (\"2027-03-01\") or \"\"",
    [FORM_HOST] = "a host name in ASCII (xn--...) or \"\"",
    [FORM_DOMAIN] = "a domain name in ASCII (xn--...)",
    [FORM_ENTRY] = "an entry that is not empty",
    [FORM_CA_ENTRY] = "\"spki-sha256 <hex>\", \"cert-sha256 <hex>\" or \"issuer <name>\"",
    [FORM_PIN] = "\"spki-sha256 <64 hex digits>\"",
    [FORM_PREFIX] = "an address prefix (\"192.0.2.0/24\", host bits zero) or an IP address",
    [FORM_LISTEN] = "an IP address with a port from 1 to 65535 (\"127.0.0.1:53\", \"[::1]:53\")",
    [FORM_SERVER] = "the IP address of a server (\"192.0.2.1\", \"2001:db8::1\", \"[2001:db8::1]:853\")",
    [FORM_BARE] = "an IP address without a port",
    [FORM_CT_MODE] = "\"\", \"require\", \"report\" or \"off\"",
    [FORM_CT_POLICY] = "\"\", \"strict\", \"chrome\", \"mozilla\" or \"apple\"",
};

const char *
form_expected(enum option_form form)
{
	const char *text = (size_t)form < sizeof expected / sizeof *expected ? expected[form] : NULL;

	return text != NULL ? text : "one of its words";
}

static bool
starts_with(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool
user_ok(const char *s)
{
	for (const char *c = s; *c != '\0'; c++)
		if (*c <= ' ' || *c == ':' || *c == '/' || *c == ',')
			return false;
	return strlen(s) <= USER_MAX && *s != '-';
}

/* A path from the root, of a file; of a socket one that fits into its address. */
static bool
query_log_ok(const char *text)
{
	bool to_socket = starts_with(text, QUERY_LOG_DNSTAP),
	     to_frames = starts_with(text, QUERY_LOG_DNSTAP_FILE);
	const char *path = text + (to_socket   ? strlen(QUERY_LOG_DNSTAP)
				   : to_frames ? strlen(QUERY_LOG_DNSTAP_FILE)
					       : 0);

	if (*path == '\0')
		return !to_socket && !to_frames;
	return *path == '/' && path[strlen(path) - 1] != '/' &&
	       (!to_socket || strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path));
}

static bool
url_path_ok(const char *s)
{
	/* RFC 8484, 3: servers are published as URI templates. */
	static const char template[] = "{?dns}";
	size_t n = strlen(s), n_template = sizeof template - 1;

	if (n > n_template && strcmp(s + n - n_template, template) == 0)
		n -= n_template;
	/* RFC 3986, 3.3: what is not pchar or "/" ends the path or needs an escape. */
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || strchr("?#\"<>\\^`{|}", s[i]) != NULL)
			return false;
	return *s == '/' && n <= URL_PATH_MAX;
}

/* What `ctstub ct-logs update` can fetch, and append ".minisig" to: a URL without a user and a fragment, or a file. */
static bool
list_url_ok(const char *s)
{
	const char *host;
	size_t n;

	if (*s == '\0' || *s == '/')
		return true;
	if (!starts_with(s, "https://") || strlen(s) > CONFIG_LIST_URL_MAX)
		return false;
	host = s + strlen("https://");
	for (const char *c = host; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("#\"<>\\^`{|}", *c) != NULL)
			return false;
	n = strcspn(host, "/?");
	return n > 0 && *host != ':' && memchr(host, '@', n) == NULL;
}

/* "" or a name that a certificate can bear; an address is none (RFC 9525, 2): it is in `address`. "" is in out already. */
static bool
form_host_read(char *out, const char *text)
{
	return *text == '\0' || (domain_read(out, text) && identity_is_host(span_str(out)));
}

static bool
pin_ok(const char *s)
{
	uint8_t hash[32];

	if (!starts_with(s, "spki-sha256 "))
		return false;
	s += strlen("spki-sha256 ");
	return hex_read_pasted(hash, sizeof hash, span_str(s + strspn(s, " "))) == RES_OK;
}

/* YYYY-MM-DD of a year from 1971 to 9998, so that the day after it is a date as well. */
static bool
day_read(int64_t *end_ms, const char *text)
{
	const char *digits = "0123456789";
	char time[] = "YYYY-MM-DDT00:00:00Z";

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || strspn(text, digits) != 4 ||
	    strspn(text + 5, digits) != 2 || strspn(text + 8, digits) != 2)
		return false;
	memcpy(time, text, 10);
	if (strcmp(text, "1971") < 0 || strcmp(text, "9999") >= 0 || time_read(end_ms, time) != RES_OK)
		return false;
	*end_ms += 86400000;
	return true;
}

int64_t
form_date_end_ms(const char *day)
{
	int64_t ms = 0;

	return day_read(&ms, day) ? ms : 0;
}

static bool
word_ok(const char *const *words, const char *s)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, s) == 0)
			return true;
	return *s == '\0';
}

static bool
form_prefix_read(char *out, const char *text)
{
	struct prefix p;
	char ip[ADDR_TEXT_MAX];

	if (addr_read_ip(&p.addr, text) == RES_OK)
		p.bits = p.addr.family == ADDR_V4 ? 32 : 128;
	else if (prefix_read(&p, text) != RES_OK)
		return false;
	(void)snprintf(out, CONFIG_STRING_MAX + 1, "%s/%u", addr_ip_text(&p.addr, ip), p.bits);
	return true;
}

/* Is this text, which is its own normal form, of the form? */
static bool
form_has(enum option_form form, const char *text)
{
	switch (form) {
	case FORM_USER:
	case FORM_GROUP:
		return user_ok(text);
	case FORM_SOCKET:
		return *text != '\0' && strlen(text) < sizeof((struct sockaddr_un *)NULL)->sun_path;
	case FORM_PATH:
	case FORM_ENTRY:
		return *text != '\0';
	case FORM_LIST_URL:
		return list_url_ok(text);
	case FORM_PROGRAM:
		return *text == '\0' || *text == '/';
	case FORM_QUERY_LOG:
		return query_log_ok(text);
	case FORM_URL_PATH:
		return url_path_ok(text);
	case FORM_DATE:
		return *text == '\0' || form_date_end_ms(text) != 0;
	case FORM_CA_ENTRY:
		return starts_with(text, "spki-sha256 ") || starts_with(text, "cert-sha256 ") ||
		       starts_with(text, "issuer ");
	case FORM_PIN:
		return pin_ok(text);
	case FORM_CT_MODE:
		return word_ok(ct_modes, text);
	case FORM_CT_POLICY:
		return word_ok(ct_policies, text);
	case FORM_ANY:
	case FORM_FILE:
		return true;
	case FORM_HOST:
	case FORM_DOMAIN:
	case FORM_LOG_LEVEL:
	case FORM_LOG_FORMAT:
	case FORM_STRATEGY:
	case FORM_SINGLE_LABELS:
	case FORM_FILTER_ANSWER:
	case FORM_PROTOCOL:
	case FORM_METHOD:
	case FORM_WHEN_STALE:
	case FORM_RULE_MODE:
	case FORM_WATCH_BLOCK:
	case FORM_QUERY_CLIENTS:
	case FORM_PREFIX:
	case FORM_LISTEN:
	case FORM_SERVER:
	case FORM_BARE:
		break;
	}
	return false;
}

bool
form_read(char out[CONFIG_STRING_MAX + 1], enum option_form form, const char *text)
{
	if (strlen(text) > CONFIG_STRING_MAX)
		return false;
	out[0] = '\0';
	if (form == FORM_HOST)
		return form_host_read(out, text);
	if (form == FORM_DOMAIN)
		return domain_read(out, text) && !domain_is_address(out);
	if (form == FORM_PREFIX)
		return form_prefix_read(out, text);
	memcpy(out, text, strlen(text) + 1);
	return form_has(form, text);
}

/* Where a server cannot be: unspecified, multicast, broadcast; or cannot be reached: link-local without its zone (RFC 4007,
 * 6), for which an address has no room here. */
static bool
is_no_server(const struct addr *a)
{
	if (a->family == ADDR_V4)
		return a->ip[0] == 0 || a->ip[0] >= 224;
	return addr_is_any(a) || a->ip[0] == 0xff || addr_is_link_local(a);
}

/* Ports that people write after an address; any number, where the address before it is ::1. */
bool
form_looks_like_port(const char *text)
{
	static const char *const ports[] = {"53",   "443",  "784",  "853",  "5053", "5300",
					    "5353", "8053", "8443", "8853", NULL};
	const char *last = strrchr(text, ':');
	struct addr before, whole;
	bool known;

	if (last == NULL || *text == '[' || addr_read_ip(&whole, text) != RES_OK ||
	    addr_read_ip_span(&before, span_of(text, (size_t)(last - text))) != RES_OK)
		return false;
	known = addr_is_loopback(&before) && strspn(last + 1, "0123456789") == strlen(last + 1);
	for (const char *const *p = ports; *p != NULL && !known; p++)
		known = strcmp(last + 1, *p) == 0;
	return known;
}

const char *
form_read_address(struct addr *out, enum option_form form, const char *text)
{
	enum res res;

	if (form == FORM_BARE)
		res = addr_read_ip(out, text);
	else
		res = addr_read(out, text, form == FORM_LISTEN ? DNS_PORT : 0);
	if (res != RES_OK)
		return starts_with(text, "::ffff:") || starts_with(text, "[::ffff:")
			   ? "the IPv4-mapped address"
		       : strchr(text, '%') != NULL ? "an address with a zone:"
						   : "the wrong value";
	if (form != FORM_BARE && form_looks_like_port(text))
		return "no brackets around the address in";
	if (form == FORM_LISTEN ? !addr_is_any(out) && is_no_server(out) : is_no_server(out))
		return "the unusable address";
	return NULL;
}

static bool
label_char_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
domain_read(char out[CONFIG_STRING_MAX + 1], const char *text)
{
	size_t n = strlen(text), label = 0;

	if (strcmp(text, ".") == 0) {
		memcpy(out, ".", 2);
		return true;
	}
	if (n > 0 && text[n - 1] == '.')
		n--;
	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		out[i] = (char)ascii_lower((uint8_t)text[i]);
		if (out[i] == '.' ? label == 0 : !label_char_ok(out[i]))
			return false;
		label = out[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	out[n] = '\0';
	return label > 0;
}

bool
domain_is_address(const char *domain)
{
	struct addr address;

	return addr_read_ip(&address, domain) == RES_OK;
}

size_t
domain_wire(uint8_t out[DOMAIN_WIRE_MAX], const char *domain)
{
	size_t n = 0;

	for (const char *at = strcmp(domain, ".") == 0 ? "" : domain; *at != '\0';) {
		size_t label = strcspn(at, ".");

		out[n++] = (uint8_t)label;
		memcpy(out + n, at, label);
		n += label;
		at += label + (at[label] == '.');
	}
	out[n++] = 0;
	return n;
}
