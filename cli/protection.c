#include "cli/protection.h"
#include "base/text.h"

#include "cli/advice.h"
#include "cli/control.h"

#include <stdio.h>
#include <string.h>

/* What needs a person: the first is shown, all are counted. */
struct complaints {
	size_t n;
	char first[PROTECTION_TEXT_MAX / 2];
};

/* A text that was cut may end within a character, and such a text is no JSON string. */
static void
incomplete_character_drop(char *text)
{
	struct span all = span_str(text);
	size_t n = 0, one;
	uint32_t c;

	while (n < all.n && (one = utf8_read(&c, span_slice(all, n, all.n))) > 0)
		n += one;
	text[n] = '\0';
}

#define COMPLAIN(c, ...)                                                                                     \
	do {                                                                                                 \
		if ((c)->n++ == 0) {                                                                         \
			(void)snprintf((c)->first, sizeof(c)->first, __VA_ARGS__);                           \
			incomplete_character_drop((c)->first);                                               \
		}                                                                                            \
	} while (0)

static bool
has_text(const json_t *object, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL && strcmp(text, want) == 0;
}

static bool
is_general(const json_t *address)
{
	return json_is_true(json_object_get(address, "general"));
}

/* Of the addresses that serve all names: how many are in this state. */
static size_t
general_count(const json_t *addresses, const char *health)
{
	size_t i, n = 0;
	json_t *a;

	json_array_foreach (addresses, i, a)
		n += is_general(a) && has_text(a, "health", health);
	return n;
}

/* Does some address of this upstream work, or could one? */
static bool
upstream_lives(const json_t *addresses, const char *upstream)
{
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a)
		if (has_text(a, "upstream", upstream) &&
		    (has_text(a, "health", "good") || has_text(a, "health", "unknown")))
			return true;
	return false;
}

/* One address that does not answer is normal: a machine without IPv6 has several. */
static void
complain_of_addresses(struct complaints *c, const json_t *addresses)
{
	const char *upstream;
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a) {
		upstream = json_string_value(json_object_get(a, "upstream"));
		if (has_text(a, "health", "refused"))
			COMPLAIN(c, "%.100s %s is refused: %s", control_text(a, "upstream"),
				 control_text(a, "address"), control_text(a, "reason"));
		else if (has_text(a, "health", "failing") && upstream != NULL &&
			 !upstream_lives(addresses, upstream))
			COMPLAIN(c, "%.100s %s does not answer: %s", control_text(a, "upstream"),
				 control_text(a, "address"), control_text(a, "reason"));
	}
}

static void
complain_of_expiry(struct complaints *c, const json_t *addresses)
{
	const json_t *certificate;
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a) {
		certificate = json_object_get(a, "certificate");
		if (has_text(a, "health", "good") && json_is_object(certificate) &&
		    !has_text(certificate, "expiry", "far"))
			COMPLAIN(c, "the certificate of %.100s %s expires %s", control_text(a, "upstream"),
				 control_text(a, "address"), control_text(certificate, "not_after"));
	}
}

/* The date of the daemon's clock if it was found to be wrong; else NULL. */
static const char *
clock_wrong(const json_t *answer)
{
	const json_t *clock = json_object_get(answer, "clock");

	return json_is_false(json_object_get(clock, "set")) ? control_text(clock, "now") : NULL;
}

static void
complain_of_clock(struct complaints *c, const json_t *answer)
{
	const char *now = clock_wrong(answer);

	if (now != NULL)
		COMPLAIN(c, "the clock is not set (%.40s, before %.40s)", now,
			 control_text(json_object_get(answer, "clock"), "floor"));
}

static void
complain(struct complaints *c, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "log_list"),
		     *addresses = json_object_get(answer, "addresses");
	const json_t *reported = json_array_get(json_object_get(answer, "would_be_refused"), 0);

	complain_of_clock(c, answer);
	complain_of_addresses(c, addresses);
	if (json_is_object(list) && !has_text(list, "step", "fresh"))
		COMPLAIN(c, "the CT log list is %s old", COUNTED(control_integer(list, "age_days"), "day"));
	complain_of_expiry(c, addresses);
	if (!control_is_null(answer, "reload_error"))
		COMPLAIN(c, "the last reload failed: %.300s", control_text(answer, "reload_error"));
	if (reported != NULL)
		COMPLAIN(c, "only report mode accepts %.100s %s", control_text(reported, "upstream"),
			 control_text(reported, "address"));
}

/* When the first of the addresses in use became good; "" without any. Dates of one form sort as text. */
static const char *
protected_since(const json_t *addresses)
{
	const char *since, *first = "";
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a) {
		since = json_string_value(json_object_get(a, "since"));
		if (is_general(a) && since != NULL && (*first == '\0' || strcmp(since, first) < 0))
			first = since;
	}
	return first;
}

/* The reason that all addresses share; else that of the first. */
static enum reason
common_reason(const json_t *addresses, bool *portal)
{
	enum reason common = REASON_NONE, r;
	const char *code;
	size_t i;
	json_t *a;

	*portal = true;
	json_array_foreach (addresses, i, a) {
		code = is_general(a) ? json_string_value(json_object_get(a, "reason")) : NULL;
		r = code != NULL ? reason_read(code) : REASON_NONE;
		if (r == REASON_NONE)
			continue;
		/* An address of a family that this network lacks tells nothing while another has more to tell. */
		if (common == REASON_NONE || common == REASON_UNREACHABLE)
			common = r;
		*portal &= r == REASON_UNREACHABLE || advice_suspects_portal(r);
	}
	*portal &= common != REASON_NONE && common != REASON_UNREACHABLE;
	return common;
}

static void
judge_outage(struct protection *p, const json_t *answer)
{
	enum reason r = common_reason(json_object_get(answer, "addresses"), &p->portal);
	const char *now = clock_wrong(answer);

	p->state = PROTECTION_NOT_ANSWERING;
	if (now != NULL &&
	    r != REASON_NONE) { /* whatever else is wrong: nothing can be judged until it is set */
		p->portal = false;
		(void)snprintf(p->text, sizeof p->text,
			       "NOT ANSWERING: the clock is not set (%.40s, before %.40s)", now,
			       control_text(json_object_get(answer, "clock"), "floor"));
	} else if (r == REASON_UNREACHABLE)
		(void)snprintf(p->text, sizeof p->text, "NOT ANSWERING: network unreachable");
	else if (r == REASON_NONE)
		(void)snprintf(p->text, sizeof p->text,
			       "NOT ANSWERING: no upstream is configured for all names");
	else
		(void)snprintf(p->text, sizeof p->text, "NOT ANSWERING: %s (%s)", reason_sentence(r),
			       reason_code(r));
}

void
protection_judge(struct protection *p, const json_t *answer)
{
	const json_t *addresses = json_object_get(answer, "addresses");
	size_t good = general_count(addresses, "good"), unknown = general_count(addresses, "unknown");
	struct complaints c = {0};

	*p = (struct protection){0};
	if (good == 0 && unknown == 0) {
		judge_outage(p, answer);
		return;
	}
	complain(&c, answer);
	if (c.n > 0) {
		p->state = PROTECTION_DEGRADED;
		(void)snprintf(p->text, sizeof p->text, "DEGRADED: %s", c.first);
		if (c.n > 1)
			(void)snprintf(p->text + strlen(p->text), sizeof p->text - strlen(p->text),
				       ", and %zu more", c.n - 1);
	} else if (good == 0) {
		p->state = PROTECTION_READY;
		(void)snprintf(p->text, sizeof p->text, "READY: no upstream has been used yet");
	} else
		(void)snprintf(p->text, sizeof p->text, "PROTECTED since %s", protected_since(addresses));
}

const char *
protection_state_text(enum protection_state state)
{
	switch (state) {
	case PROTECTION_PROTECTED:
		return "protected";
	case PROTECTION_READY:
		return "ready";
	case PROTECTION_DEGRADED:
		return "degraded";
	case PROTECTION_NOT_ANSWERING:
		return "not-answering";
	}
	return "not-answering";
}

enum exit_code
protection_exit_code(enum protection_state state)
{
	switch (state) {
	case PROTECTION_PROTECTED:
	case PROTECTION_READY:
		return EXIT_GOOD;
	case PROTECTION_DEGRADED:
		return EXIT_REFUSED;
	case PROTECTION_NOT_ANSWERING:
		break;
	}
	return EXIT_USAGE; /* interface: 2 means not protected, for this verb alone */
}
