/*
 * fuzz_portal.c - ctstub-portal: an answer of the network's resolver, a message of the daemon or the helper, and the text of
 * a lease. The first byte chooses which.
 *
 * An accepted answer has only addresses that a login page can have, of the type that was asked, and the message with them is
 * read by the daemon as the same. A message that is read is written as it was. A resolver is never this machine.
 */
#include "contrib/portal/question.h"
#include "contrib/portal/resolvers.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const uint8_t name[] = "\7nmcheck\5gnome\3org";

static void
message_check(const struct portal_message *m, struct span wire)
{
	struct buf again = buf_max(PORTAL_MESSAGE_MAX);

	portal_message_write(&again, m);
	check(span_equal(buf_span(&again), wire));
	buf_free(&again);
}

static void
answer_check(struct span wire, uint16_t type)
{
	struct buf question = buf_max(QUESTION_MAX), passed = buf_max(PORTAL_MESSAGE_MAX);
	struct portal_message m, read;
	enum question_verdict verdict;

	question_compose(&question, wire.n >= 2 ? be16_read(wire.p) : 0, type, span_of(name, sizeof name));
	verdict = question_judge(&m, wire, buf_span(&question));
	check(m.type == type && m.n <= PORTAL_ADDRESSES_MAX && (m.n == 0 || verdict == QUESTION_ANSWERED));
	for (size_t i = 0; i < m.n; i++)
		check(type == TYPE_A ? m.ip[i][0] != 127 && m.ip[i][0] != 0 && m.ip[i][0] < 224 : m.ip[i][0] != 0xff);
	portal_message_write(&passed, &m);
	check(portal_message_read(&read, buf_span(&passed)) == RES_OK && read.n == m.n && read.outcome == m.outcome);
	buf_free(&question);
	buf_free(&passed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span rest = span_of(data + 1, n > 0 ? n - 1 : 0);
	struct resolvers r = {.n = 0};
	struct portal_message m;

	if (n == 0)
		return 0;
	switch (data[0]) {
	case 'a':
		answer_check(rest, TYPE_A);
		break;
	case 'b':
		answer_check(rest, TYPE_AAAA);
		break;
	case 'm':
		if (portal_message_read(&m, rest) == RES_OK)
			message_check(&m, rest);
		break;
	default:
		resolvers_read(&r, (enum resolvers_form)(data[0] % 3), rest, rest, 1795860000000);
		check(r.n <= RESOLVERS_MAX);
		for (size_t i = 0; i < r.n; i++)
			check(resolver_usable(&r.v[i]) && r.v[i].addr.port == 53);
	}
	return 0;
}
