#include "cli/status_print.h"
#include "base/text.h"

#include "cli/advice.h"
#include "cli/control.h"
#include "cli/protection.h"
#include "cli/watch_status.h"

#include <stdio.h>
#include <string.h>

/* ---- lists */

/* "a, b" */
static void
print_joined(const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		json_t *wrapped = json_pack("{s:O}", "s", item);

		(void)printf("%s%s", i > 0 ? ", " : "", control_text(wrapped, "s"));
		json_decref(wrapped);
	}
}

/* A line for each string, at most `most`. */
static void
print_lines(const char *label, const json_t *list, size_t most)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		json_t *wrapped = json_pack("{s:O}", "s", item);

		if (i < most)
			(void)printf("%-14s %s\n", label, control_text(wrapped, "s"));
		json_decref(wrapped);
	}
	if (i > most)
		(void)printf("%-14s and %zu more, see --json\n", label, i - most);
}

/* ---- the verdict */

static void
print_protection(const json_t *answer)
{
	struct protection p;
	const char *colour = "";

	protection_judge(&p, answer);
	switch (p.state) {
	case PROTECTION_PROTECTED:
	case PROTECTION_READY:
		colour = "\033[1;32m";
		break;
	case PROTECTION_DEGRADED:
		colour = "\033[1;33m";
		break;
	case PROTECTION_NOT_ANSWERING:
		colour = "\033[1;31m";
		break;
	}
	if (cli_in_colour())
		(void)printf("%s%s\033[0m\n", colour, p.text);
	else
		(void)puts(p.text);
	if (p.portal)
		(void)printf("%-14s try `ctstub captive`\n", "portal?");
}

/* ---- by whom */

static bool
is_good(const json_t *address)
{
	const char *health = json_string_value(json_object_get(address, "health"));

	return health != NULL && strcmp(health, "good") == 0;
}

/* For a certificate that needs attention, whatever the first line is about. */
static const char *
expiry_word(const char *step)
{
	if (step == NULL || strcmp(step, "far") == 0)
		return "";
	return strcmp(step, "over") == 0 ? " (expired)" : " (expires soon)";
}

/* "by             one 1.1.1.1:853 (dot, TLS1.3, X25519) since 2026-11-28T08:00:00Z" and the certificate below it */
static void
print_good(const json_t *a)
{
	const json_t *tls = json_object_get(a, "tls"), *certificate = json_object_get(a, "certificate");
	const json_t *logs = json_object_get(certificate, "logs");

	(void)printf("%-14s %s %s (%s", "by", control_text(a, "upstream"), control_text(a, "address"),
		     control_text(a, "protocol"));
	if (json_is_object(tls))
		(void)printf(", %s, %s", control_text(tls, "version"), control_text(tls, "group"));
	(void)printf(") since %s\n", control_text(a, "since"));
	if (!json_is_object(certificate))
		return;
	(void)printf("%-14s until %s%s, issued by %s\n", "  certificate",
		     control_text(certificate, "not_after"),
		     expiry_word(json_string_value(json_object_get(certificate, "expiry"))),
		     control_text(certificate, "issuer"));
	if (json_array_size(logs) == 0)
		return;
	(void)printf("%-14s ", "  logs");
	print_joined(logs);
	(void)putchar('\n');
}

static void
print_bad(const json_t *a)
{
	(void)printf("%-14s %s %s: %s", control_text(a, "health"), control_text(a, "upstream"),
		     control_text(a, "address"), control_text(a, "reason"));
	if (!control_is_null(a, "text"))
		(void)printf(" (%s)", control_text(a, "text"));
	(void)putchar('\n');
}

static void
print_addresses(const json_t *list)
{
	size_t i, good = 0, bad = 0;
	json_t *a;

	json_array_foreach (list, i, a)
		if (is_good(a) && good++ < STATUS_ADDRESSES_MAX)
			print_good(a);
	json_array_foreach (list, i, a)
		if (!is_good(a) && !control_is_null(a, "reason") && bad++ < STATUS_ADDRESSES_MAX)
			print_bad(a);
	if (good > STATUS_ADDRESSES_MAX || bad > STATUS_ADDRESSES_MAX)
		(void)printf("%-14s see `ctstub upstreams`\n", "and more");
}

/* ---- what was refused, and what to do */

static void
print_reason(const char *code)
{
	enum reason r = code != NULL ? reason_read(code) : REASON_NONE;

	if (r == REASON_NONE)
		return;
	(void)printf("%-14s %s\n", "  why", reason_sentence(r));
	(void)printf("%-14s %s\n", "  what to do", advice_of(r));
}

/* Names that resolve although the clock is not set. */
static void
print_time_names(const json_t *clock)
{
	const json_t *names = json_object_get(clock, "time_names");

	if (!json_is_false(json_object_get(clock, "set")) || json_array_size(names) == 0)
		return;
	(void)printf("%-14s ", "time names");
	print_joined(names);
	(void)printf(", %s\n", COUNTED(control_integer(clock, "time_questions"), "query"));
}

/* The first failure that lasts, when no refusal tells more. */
static void
print_failure(const json_t *addresses)
{
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a)
		if (!is_good(a) && !control_is_null(a, "reason")) {
			print_reason(json_string_value(json_object_get(a, "reason")));
			return;
		}
}

static void
print_refusal(const json_t *answer)
{
	const json_t *r = json_object_get(answer, "last_refusal");

	if (!json_is_object(r)) {
		print_failure(json_object_get(answer, "addresses"));
		return;
	}
	(void)printf("%-14s %s %s at %s: %s\n", "last refused", control_text(r, "upstream"),
		     control_text(r, "address"), control_text(r, "at"), control_text(r, "reason"));
	print_reason(json_string_value(json_object_get(r, "reason")));
}

/* "would refuse   corp 10.0.0.53: pin-mismatch, revoked" */
static void
print_reported(const json_t *answer)
{
	size_t i;
	json_t *u;

	json_array_foreach (json_object_get(answer, "would_be_refused"), i, u) {
		(void)printf("%-14s %s %s: ", "would refuse", control_text(u, "upstream"),
			     control_text(u, "address"));
		print_joined(json_object_get(u, "reasons"));
		(void)putchar('\n');
	}
	json_array_foreach (json_object_get(answer, "report_windows"), i, u)
		(void)printf("%-14s %s, until %s\n", "report mode", control_text(u, "upstream"),
			     control_text(u, "until"));
}

/* ---- the daemon */

/* "needs restart  workers: 1 -> 2": what a reload could not change */
static void
print_restart(const json_t *list)
{
	size_t i;
	json_t *c;

	json_array_foreach (list, i, c)
		(void)printf("%-14s %s%s%s: %s -> %s\n", "needs restart", control_text(c, "where"),
			     *control_text(c, "where") != '\0' ? ": " : "", control_text(c, "option"),
			     control_text(c, "before"), control_text(c, "after"));
}

static void
print_daemon(const json_t *a)
{
	const json_t *up = json_object_get(a, "upstreams");
	long long s = control_integer(a, "uptime_s");

	(void)printf("%-14s %s, pid %lld, since %s (%lld d %02lld:%02lld:%02lld)\n", "ctstubd",
		     control_text(a, "version"), control_integer(a, "pid"), control_text(a, "started"),
		     s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
	(void)printf("%-14s ", "listens on");
	print_joined(json_object_get(a, "listen"));
	(void)printf("\n%-14s generation %lld, %s, log level %s\n", "configuration",
		     control_integer(a, "generation"), COUNTED(control_integer(a, "workers"), "worker"),
		     control_text(a, "log_level"));
	print_lines("file", json_object_get(a, "files"), STATUS_WARNINGS_MAX);
	if (!control_is_null(a, "reload_error"))
		(void)printf("%-14s %s\n", "reload failed", control_text(a, "reload_error"));
	print_restart(json_object_get(a, "restart_needed"));
	(void)printf("%-14s %lld: %lld good, %lld failing, %lld refused, %lld not used yet\n", "upstreams",
		     control_integer(up, "total"), control_integer(up, "good"),
		     control_integer(up, "failing"), control_integer(up, "refused"),
		     control_integer(up, "unknown"));
}

/* "portal window, 4 min left: 3 queries for names of portal probes left in clear text" */
static void
print_captive(const json_t *captive, const json_t *portal)
{
	long long left_s = control_integer(captive, "left_s"), asked = control_integer(portal, "questions");

	if (json_is_true(json_object_get(portal, "open")))
		(void)printf(
		    "portal window, %lld min left: %s for names of portal probes left in clear text\n",
		    (left_s + 59) / 60, COUNTED(asked, "query"));
	else if (json_is_true(json_object_get(captive, "active")))
		(void)printf("%-14s %lld min left: nothing leaves in clear text\n", "captive mode",
			     (left_s + 59) / 60);
}

/* Nothing while it was never needed. */
static void
print_update_window(const json_t *w)
{
	if (control_integer(w, "windows") == 0)
		return;
	if (json_is_true(json_object_get(w, "open")))
		(void)printf("%-14s open, %lld min left", "update window",
			     (control_integer(w, "left_s") + 59) / 60);
	else
		(void)printf("%-14s closed, last opened %s", "update window", control_text(w, "last"));
	(void)printf(", %s resolved in %s\n", COUNTED(control_integer(w, "names"), "name"),
		     COUNTED(control_integer(w, "windows"), "window"));
}

static void
print_query_log(const json_t *log)
{
	if (json_is_object(log))
		(void)printf(
		    "%-14s %s, clients: %s%s\n", "query log", control_text(log, "to"),
		    control_text(log, "clients"),
		    json_is_true(json_object_get(log, "writes")) ? "" : " (cannot be written, see below)");
}

static void
print_rest(const json_t *a)
{
	const json_t *list = json_object_get(a, "log_list"), *captive = json_object_get(a, "captive");
	const json_t *cache = json_object_get(a, "cache");

	if (json_is_object(list))
		(void)printf("%-14s %s, of %s, %s old%s\n", "log list", control_text(list, "from"),
			     control_text(list, "date"), COUNTED(control_integer(list, "age_days"), "day"),
			     json_is_true(json_object_get(list, "stale")) ? ", stale" : "");
	print_update_window(json_object_get(a, "update_window"));
	if (json_is_object(cache))
		(void)printf("%-14s %s, %lld KiB, %s, %s\n", "cache",
			     COUNTED(control_integer(cache, "entries"), "answer"),
			     control_integer(cache, "bytes") / 1024,
			     COUNTED(control_integer(cache, "hits"), "hit"),
			     COUNTED(control_integer(cache, "misses"), "miss"));
	print_query_log(json_object_get(a, "query_log"));
	print_captive(captive, json_object_get(a, "portal"));
}

void
status_print(const json_t *answer)
{
	print_protection(answer);
	print_time_names(json_object_get(answer, "clock"));
	print_addresses(json_object_get(answer, "addresses"));
	print_refusal(answer);
	print_reported(answer);
	print_daemon(answer);
	print_rest(answer);
	watch_status_print(json_object_get(answer, "watch"));
	print_lines("warning", json_object_get(answer, "warnings"), STATUS_WARNINGS_MAX);
}
