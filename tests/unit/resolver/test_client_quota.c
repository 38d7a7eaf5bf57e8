#include "resolver/client_quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct addr
client(const char *text)
{
	struct addr a;

	assert_int_equal(addr_read(&a, text, 0), RES_OK);
	return a;
}

static uint32_t
take_all(struct client_quota *s, const struct addr *a)
{
	uint32_t n = 0;

	while (client_quota_take(s, a))
		n++;
	return n;
}

static void
one_client_gets_two_thirds(void **state)
{
	struct addr a = client("127.0.0.1");
	struct client_quota *s;

	(void)state;
	assert_int_equal(client_quota_new(&s, 300), RES_OK);
	assert_int_equal(take_all(s, &a), 200);
	assert_int_equal(client_quota_used(s), 200);
	assert_int_equal(client_quota_of(s, &a), 200);
	client_quota_free(s);
}

/* R03, R17: after several clients have taken all they can get, there is a place for a new one. */
static void
a_newcomer_finds_room(void **state)
{
	struct client_quota *s;
	char text[32];
	struct addr a;

	(void)state;
	assert_int_equal(client_quota_new(&s, 4096), RES_OK);
	for (unsigned i = 1; i <= 6; i++) {
		snprintf(text, sizeof text, "192.0.2.%u", i);
		a = client(text);
		assert_true(take_all(s, &a) > 0);
	}
	a = client("2001:db8::1");
	assert_true(client_quota_take(s, &a));
	client_quota_free(s);
}

static void
returned_places_can_be_taken(void **state)
{
	struct addr a = client("192.0.2.1:1"), same = client("192.0.2.1:2"), b = client("192.0.2.2");
	struct client_quota *s;

	(void)state;
	assert_int_equal(client_quota_new(&s, 3), RES_OK);
	assert_true(client_quota_take(s, &a));
	assert_true(client_quota_take(s, &same)); /* the port does not make another client */
	assert_int_equal(client_quota_of(s, &a), 2);
	assert_false(client_quota_take(s, &a));
	assert_true(client_quota_take(s, &b));
	assert_false(client_quota_take(s, &b));
	client_quota_give(s, &a);
	client_quota_give(s, &same);
	assert_int_equal(client_quota_of(s, &a), 0);
	assert_true(client_quota_take(s, &b));
	client_quota_give(s, &b);
	client_quota_give(s, &b);
	assert_int_equal(client_quota_used(s), 0);
	client_quota_free(s);
}

/* R04: addresses come and go; an address without a place takes no room in the table. */
static void
many_addresses_come_and_go(void **state)
{
	struct client_quota *s;
	struct addr a = client("10.0.0.0");

	(void)state;
	assert_int_equal(client_quota_new(&s, 16), RES_OK);
	for (unsigned i = 0; i < 100000; i++) {
		a.ip[1] = (uint8_t)(i >> 16);
		a.ip[2] = (uint8_t)(i >> 8);
		a.ip[3] = (uint8_t)i;
		assert_true(client_quota_take(s, &a));
		client_quota_give(s, &a);
	}
	assert_int_equal(client_quota_used(s), 0);
	client_quota_free(s);
	client_quota_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_client_gets_two_thirds),
	    cmocka_unit_test(a_newcomer_finds_room),
	    cmocka_unit_test(returned_places_can_be_taken),
	    cmocka_unit_test(many_addresses_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
