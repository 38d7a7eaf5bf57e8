/*
 * fuzz_walker.c - the walker compared with a library: where both accept a message, they see the same records.
 */
#include "tests/fuzz/beside.h"
#include "tests/fuzz/fuzz.h"

#include <ldns/ldns.h>
#include <string.h>

struct beside {
	ldns_pkt *pkt;
	struct span wire;
	size_t seen[3];
};

static size_t
expand(struct span wire, size_t at, uint8_t out[MSG_NAME_MAX])
{
	size_t n = 0;

	for (;;) {
		uint8_t c = wire.p[at];

		if (c >= 0xc0) {
			at = be16_read(wire.p + at) & 0x3fff;
			continue;
		}
		check(n + c + 1 <= MSG_NAME_MAX);
		memcpy(out + n, wire.p + at, 1U + c);
		n += 1U + c;
		at += 1U + c;
		if (c == 0)
			return n;
	}
}

static bool
record_beside(void *ctx, const struct msg_rr *rr)
{
	struct beside *b = ctx;
	ldns_rr_list *lists[] = {ldns_pkt_answer(b->pkt), ldns_pkt_authority(b->pkt),
				 ldns_pkt_additional(b->pkt)};
	const ldns_rr *other = ldns_rr_list_rr(lists[rr->section], b->seen[rr->section]++);
	const ldns_rdf *owner, *rdf;
	uint8_t name[MSG_NAME_MAX];
	size_t n = expand(b->wire, rr->name_at, name);

	check(other != NULL);
	owner = ldns_rr_owner(other);
	check(ldns_rdf_size(owner) == n && memcmp(ldns_rdf_data(owner), name, n) == 0);
	check((uint16_t)ldns_rr_get_type(other) == rr->type &&
	      (uint16_t)ldns_rr_get_class(other) == rr->class);
	check(ldns_rr_ttl(other) == rr->ttl);
	if (rr->type == TYPE_A || rr->type == TYPE_AAAA) {
		rdf = ldns_rr_rdf(other, 0);
		check(ldns_rr_rd_count(other) == 1 && ldns_rdf_size(rdf) == rr->rdata.n);
		check(memcmp(ldns_rdf_data(rdf), rr->rdata.p, rr->rdata.n) == 0);
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct beside b = {.wire = span_of(data, n)};
	struct msg_answer a;

	if (msg_answer_read(&a, b.wire, ttl_at) != RES_OK)
		return 0;
	if (!beside_is_plain(&a) || ldns_wire2pkt(&b.pkt, data, n) != LDNS_STATUS_OK)
		return 0;
	msg_each(&a, record_beside, &b);
	check(b.seen[0] == a.an && ldns_rr_list_rr_count(ldns_pkt_answer(b.pkt)) == a.an);
	check(b.seen[1] == a.ns && ldns_rr_list_rr_count(ldns_pkt_authority(b.pkt)) == a.ns);
	check(b.seen[2] == a.ar && ldns_rr_list_rr_count(ldns_pkt_additional(b.pkt)) == a.ar);
	ldns_pkt_free(b.pkt);
	return 0;
}
