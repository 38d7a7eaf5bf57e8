/*
 * test_verify_proven.c - a path has only certificates with valid signatures: forged ones add neither key nor name to it,
 * and the valid path is found among them.
 *
 * Each row is a graph of CAs, named by letters: a certificate has a name and a key, and the name and key of its issuer.
 * Anchors are marked; the leaf has the issuer that its row gives.
 */
#include "base/text.h"
#include "contrib/lab/pki/derw.h"
#include "tests/unit/verify/forged.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES_MAX 16

enum flaw {
	SIGNED = 0,
	FORGED = 1,     /* signed by a key that is not in the graph */
	EXPIRED = 2,
	NO_CA = 4,
	ANCHOR = 8,
	AKI_WRONG = 16, /* its authorityKeyIdentifier names another key */
	AKI = 32,       /* it names the issuer's key */
	SKI = 64,
	LENGTH_0 = 128
};

/* Names are capital letters and keys small ones, so that a name may go with another key. */
struct node {
	char name, key, issuer, issuer_key;
	int flaws;
};

static const struct row {
	const char *what;
	struct node leaf; /* its own name and key have no effect */
	struct node node[NODES_MAX];
	char pin, allow_key, allow_name, disallow_key; /* 0: none */
	const char *reasons;
} rows[] = {
    /* ---- forged certificates */
    {"a pin of the anchor", {'l', 'l', 'A', 'a', 0}, {{'A', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 'r', 0, 0, 0, ""},
    {"a pin that no key of the path meets", {'l', 'l', 'A', 'a', 0}, {{'A', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0, 0,
        "pin-mismatch"},
    {"a pin of a forged self-issued root", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'R', 'x', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0, 0, "pin-mismatch"},
    {"a pin of a self-signed root beside the true one", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'R', 'x', 'R', 'x', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0, 0, "pin-mismatch"},
    {"a pin of a forged CA between", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'X', 'x', FORGED}, {'X', 'x', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0,
        0, "pin-mismatch"},
    {"a pin of a CA that signed a twin, itself forged", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'X', 'x', 0}, {'X', 'x', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0, 0,
        "pin-mismatch"},
    {"a forged self-issued CA below the issuer's name", {'l', 'l', 'A', 'a', 0},
        {{'A', 'x', 'A', 'a', FORGED}, {'A', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 'x', 0, 0, 0, "pin-mismatch"},
    {"an allowed key that is forged", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'R', 'x', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 'x', 0, 0, "issuer-not-allowed"},
    {"an allowed name that is not an anchor's", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'R', 'r', 'X', 'x', 0}, {'X', 'x', 'X', 'x', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 'X', 0,
        "issuer-not-allowed"},
    {"a forged CA's key is disallowed: it is in no path", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'X', 'x', 0}, {'X', 'x', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 'x',
        ""},
    {"the only path is forged", {'l', 'l', 'A', 'a', 0}, {{'A', 'a', 'R', 'r', FORGED}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 0,
        "bad-signature"},
    {"a forged leaf under a pinned anchor", {'l', 'l', 'R', 'r', FORGED}, {{'R', 'r', 'R', 'r', ANCHOR}}, 'r', 0, 0, 0,
        "bad-signature"},

    /* ---- many paths over few certificates */
    {"more paths than are tried, of which none is disallowed", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'B', 'b', 0}, {'A', 'a', 'B', 'b', 0}, {'A', 'a', 'B', 'b', 0}, {'B', 'b', 'C', 'c', 0}, {'B', 'b', 'C', 'c', 0},
            {'B', 'b', 'C', 'c', 0}, {'C', 'c', 'D', 'd', 0}, {'C', 'c', 'D', 'd', 0}, {'C', 'c', 'D', 'd', 0}, {'D', 'd', 'E', 'e', 0},
            {'D', 'd', 'E', 'e', 0}, {'D', 'd', 'E', 'e', 0}, {'E', 'e', 'R', 'r', 0}, {'E', 'e', 'R', 'r', 0}, {'E', 'e', 'R', 'r', 0},
            {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 'x', ""},
    {"many paths that end without an anchor", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'B', 'b', 0}, {'A', 'a', 'B', 'b', 0}, {'A', 'a', 'B', 'b', 0}, {'B', 'b', 'C', 'c', 0}, {'B', 'b', 'C', 'c', 0},
            {'B', 'b', 'C', 'c', 0}, {'C', 'c', 'D', 'd', 0}, {'C', 'c', 'D', 'd', 0}, {'C', 'c', 'D', 'd', 0}, {'D', 'd', 'E', 'e', 0},
            {'D', 'd', 'E', 'e', 0}, {'D', 'd', 'E', 'e', 0}, {'E', 'e', 'S', 's', 0}, {'E', 'e', 'S', 's', 0}, {'E', 'e', 'S', 's', 0},
            {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 'x', "untrusted"},

    /* ---- another path, when the first is refused */
    {"the second path meets the pin", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'S', 's', 0}, {'R', 'r', 'R', 'r', ANCHOR}, {'S', 's', 'S', 's', ANCHOR}}, 's', 0, 0, 0,
        ""},
    {"the second path meets the pin, the first is disallowed: the presenter could choose it", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'S', 's', 0}, {'R', 'r', 'R', 'r', ANCHOR}, {'S', 's', 'S', 's', ANCHOR}}, 0, 0, 0, 's',
        "disallowed"},
    {"a disallowed path that the pins refuse does not count", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'S', 's', 0}, {'R', 'r', 'R', 'r', ANCHOR}, {'S', 's', 'S', 's', ANCHOR}}, 'r', 0, 0, 's',
        ""},
    {"the second path has the allowed anchor", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'R', 'r', 0}, {'A', 'a', 'S', 's', 0}, {'R', 'r', 'R', 'r', ANCHOR}, {'S', 's', 'S', 's', ANCHOR}}, 0, 0, 'S', 0,
        ""},

    /* ---- rollovers, identifiers, loops */
    {"a new key of the root, signed by the old one, without identifiers", {'l', 'l', 'R', 'n', 0},
        {{'R', 'n', 'R', 'o', 0}, {'R', 'o', 'R', 'o', ANCHOR}}, 0, 0, 0, 0, ""},
    {"a new key of the root, signed by the old one, with identifiers", {'l', 'l', 'R', 'n', AKI}, {{'R', 'n', 'R', 'o', SKI | AKI}, {'R', 'o', 'R', 'o', ANCHOR | SKI}}, 0,
        0, 0, 0, ""},
    {"two renewals", {'l', 'l', 'R', 'm', 0}, {{'R', 'n', 'R', 'o', 0}, {'R', 'm', 'R', 'n', 0}, {'R', 'o', 'R', 'o', ANCHOR}}, 0, 0,
        0, 0, ""},
    {"the old key signed by the new one, which is the anchor", {'l', 'l', 'R', 'o', 0},
        {{'R', 'o', 'R', 'n', 0}, {'R', 'n', 'R', 'n', ANCHOR}}, 0, 0, 0, 0, ""},
    {"a renewal that the old key did not sign", {'l', 'l', 'R', 'n', 0}, {{'R', 'n', 'R', 'o', FORGED}, {'R', 'o', 'R', 'o', ANCHOR}},
        0, 0, 0, 0, "bad-signature"},
    {"a renewal below an anchor that allows no CA below it", {'l', 'l', 'R', 'n', 0},
        {{'R', 'n', 'R', 'o', 0}, {'R', 'o', 'R', 'o', ANCHOR | LENGTH_0}}, 0, 0, 0, 0, ""},
    {"the leaf's authority key identifier does not match its issuer", {'l', 'l', 'A', 'a', AKI_WRONG},
        {{'A', 'a', 'R', 'r', SKI}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 0, ""},
    {"no key identifier matches", {'l', 'l', 'A', 'a', AKI_WRONG},
        {{'A', 'a', 'R', 'r', SKI | AKI_WRONG}, {'R', 'r', 'R', 'r', ANCHOR | SKI}}, 0, 0, 0, 0, ""},
    {"the identifier fits a forged twin", {'l', 'l', 'A', 'a', AKI},
        {{'A', 'a', 'R', 'r', FORGED | SKI}, {'A', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 0, ""},
    {"two CAs that sign each other, and one path to the anchor", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'B', 'b', 0}, {'B', 'b', 'A', 'a', 0}, {'B', 'b', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}}, 0, 0, 0, 0, ""},
    {"three CAs in a ring, and the last leads to the anchor", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'C', 'c', 0}, {'B', 'b', 'A', 'a', 0}, {'C', 'c', 'B', 'b', 0}, {'B', 'b', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}},
        0, 0, 0, 0, ""},
    {"the root under two names with one key", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'Q', 'r', 0}, {'Q', 'r', 'S', 's', 0}, {'R', 'r', 'R', 'r', ANCHOR}, {'S', 's', 'S', 's', ANCHOR}}, 0, 0, 0, 0, ""},
    {"the right key under another name is not the issuer", {'l', 'l', 'A', 'a', 0}, {{'Q', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}},
        0, 0, 0, 0, "untrusted"},

    /* ---- one good way among many bad ones */
    {"twelve expired twins, twelve keys", {'l', 'l', 'A', 'a', 0},
        {{'A', 'b', 'R', 'r', EXPIRED}, {'A', 'c', 'R', 'r', EXPIRED}, {'A', 'd', 'R', 'r', EXPIRED}, {'A', 'e', 'R', 'r', EXPIRED},
            {'A', 'f', 'R', 'r', EXPIRED}, {'A', 'g', 'R', 'r', EXPIRED}, {'A', 'a', 'R', 'r', EXPIRED}, {'A', 'i', 'R', 'r', EXPIRED},
            {'A', 'a', 'R', 'r', NO_CA}, {'A', 'k', 'R', 'r', 0}, {'A', 'm', 'R', 'r', 0}, {'A', 'n', 'R', 'r', FORGED},
            {'A', 'a', 'R', 'r', 0}, {'R', 'r', 'R', 'r', ANCHOR}},
        0, 0, 0, 0, ""},
    {"a mesh of three below the root, the pin at its far end", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'B', 'b', 0}, {'A', 'a', 'C', 'c', 0}, {'A', 'a', 'R', 'r', 0}, {'B', 'b', 'A', 'a', 0}, {'B', 'b', 'C', 'c', 0},
            {'B', 'b', 'R', 'r', 0}, {'C', 'c', 'A', 'a', 0}, {'C', 'c', 'B', 'b', 0}, {'C', 'c', 'R', 'r', 0},
            {'R', 'r', 'R', 'r', ANCHOR}},
        'c', 0, 0, 0, ""},
    {"a mesh of three below the root, its far end disallowed", {'l', 'l', 'A', 'a', 0},
        {{'A', 'a', 'B', 'b', 0}, {'A', 'a', 'C', 'c', 0}, {'A', 'a', 'R', 'r', 0}, {'B', 'b', 'A', 'a', 0}, {'B', 'b', 'C', 'c', 0},
            {'B', 'b', 'R', 'r', 0}, {'C', 'c', 'A', 'a', 0}, {'C', 'c', 'B', 'b', 0}, {'C', 'c', 'R', 'r', 0},
            {'R', 'r', 'R', 'r', ANCHOR}},
        0, 0, 0, 'c', "disallowed"},
    {"more signature checks than are made: a ladder of one name", {'l', 'l', 'X', 'a', 0},
        {{'X', 'n', 'X', 'o', 0}, {'X', 'm', 'X', 'n', 0}, {'X', 'k', 'X', 'm', 0}, {'X', 'j', 'X', 'k', 0}, {'X', 'i', 'X', 'j', 0},
            {'X', 'h', 'X', 'i', 0}, {'X', 'g', 'X', 'h', 0}, {'X', 'f', 'X', 'g', 0}, {'X', 'e', 'X', 'f', 0}, {'X', 'd', 'X', 'e', 0},
            {'X', 'c', 'X', 'd', 0}, {'X', 'b', 'X', 'c', 0}, {'X', 'a', 'X', 'b', 0}, {'X', 'o', 'X', 'o', ANCHOR}},
        0, 0, 0, 0, "untrusted,bad-signature"},
    {"a ladder with key identifiers: one signature check a rung", {'l', 'l', 'X', 'a', AKI},
        {{'X', 'n', 'X', 'o', AKI | SKI}, {'X', 'm', 'X', 'n', AKI | SKI}, {'X', 'k', 'X', 'm', AKI | SKI}, {'X', 'j', 'X', 'k', AKI | SKI},
            {'X', 'i', 'X', 'j', AKI | SKI}, {'X', 'h', 'X', 'i', AKI | SKI}, {'X', 'g', 'X', 'h', AKI | SKI},
            {'X', 'f', 'X', 'g', AKI | SKI}, {'X', 'e', 'X', 'f', AKI | SKI}, {'X', 'd', 'X', 'e', AKI | SKI},
            {'X', 'c', 'X', 'd', AKI | SKI}, {'X', 'b', 'X', 'c', AKI | SKI}, {'X', 'a', 'X', 'b', AKI | SKI},
            {'X', 'o', 'X', 'o', ANCHOR | SKI}},
        0, 0, 0, 0, ""},
};

static const struct key *
key_named(char letter)
{
	char name[] = {'p', 'r', 'o', 'v', 'e', 'n', letter, '\0'};

	return world_key(forged_world(), name, KEY_P256);
}

static void
extension_put(struct buf *out, struct span oid, uint8_t tag, struct span id)
{
	size_t whole = derw_open(out, DERW_SEQUENCE), octets, body;

	derw_tlv(out, DERW_OID, oid);
	octets = derw_open(out, DERW_OCTETS);
	if (tag == DER_CONTEXT(0)) {
		body = derw_open(out, DERW_SEQUENCE);
		derw_tlv(out, tag, id);
		derw_close(out, body);
	} else {
		derw_tlv(out, tag, id);
	}
	derw_close(out, octets);
	derw_close(out, whole);
}

static void
node_mark(struct forge *forge, const struct node *n, char issuer_key)
{
	char name[] = {issuer_key, '#'};

	forge->no_key_ids = true; /* except those that are set here */
	if ((n->flaws & FORGED) != 0)
		forge->issuer_key = key_named('!');
	if ((n->flaws & SKI) != 0)
		extension_put(&forge->extra, OID_SUBJECT_KEY_ID, DER_OCTET_STRING, span_of((char[]){n->key, '#'}, 2));
	if ((n->flaws & AKI) != 0)
		extension_put(&forge->extra, OID_AUTHORITY_KEY_ID, DER_CONTEXT(0), span_of(name, 2));
	if ((n->flaws & AKI_WRONG) != 0)
		extension_put(&forge->extra, OID_AUTHORITY_KEY_ID, DER_CONTEXT(0), span_of("??", 2));
}

static void
node_put(struct forged *f, const struct node *n, size_t place)
{
	char subject[] = {'C', 'N', '=', n->name, '\0'}, issuer[] = {'C', 'N', '=', n->issuer, '\0'};
	char key[] = {'p', 'r', 'o', 'v', 'e', 'n', n->key, '\0'}, issuer_key[] = {'p', 'r', 'o', 'v', 'e', 'n', n->issuer_key, '\0'};
	char seed[16];
	struct forge forge;

	forged_sub_ca(&forge, subject, key, issuer, issuer_key);
	snprintf(seed, sizeof seed, "proven %zu", place);
	forge.serial_seed = seed;
	node_mark(&forge, n, n->issuer_key);
	if ((n->flaws & EXPIRED) != 0)
		forge.not_after_ms = f->in.now_ms - DAY_MS;
	if ((n->flaws & NO_CA) != 0)
		forge.basic = BASIC_END_ENTITY;
	if ((n->flaws & LENGTH_0) != 0)
		forge.path_length = 0;
	if ((n->flaws & ANCHOR) != 0)
		forged_anchor_forge(f, &forge);
	else
		forged_put(f, &forge);
	forge_free(&forge);
}

static struct cert_match *
key_entry(char letter)
{
	char line[128] = "spki-sha256 ";

	hex_write(line + strlen(line), span_of(key_named(letter)->spki_sha256, 32));
	return forged_entries(line);
}

static void
row_make(struct forged *f, const struct row *row)
{
	char issuer[] = {'C', 'N', '=', row->leaf.issuer, '\0'}, name[] = "issuer CN=?";
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.issuer = issuer;
	forge.issuer_key = key_named(row->leaf.issuer_key);
	node_mark(&forge, &row->leaf, row->leaf.issuer_key);
	forged_put(f, &forge);
	forge_free(&forge);
	for (size_t i = 0; i < NODES_MAX && row->node[i].name != '\0'; i++)
		node_put(f, &row->node[i], i);
	name[10] = row->allow_name;
	if (row->pin != '\0')
		f->pins = key_entry(row->pin);
	if (row->allow_key != '\0')
		f->allow = key_entry(row->allow_key);
	if (row->allow_name != '\0')
		f->allow = forged_entries(name);
	if (row->disallow_key != '\0')
		f->disallow = key_entry(row->disallow_key);
}

static void
every_graph_is_judged_as_its_row_says(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct forged f;
		struct vfy_work work;
		const char *have;

		forged_begin(&f);
		f.policy.ct_mode = CT_OFF; /* forged leaves have other issuers' SCTs */
		row_make(&f, &rows[i]);
		have = forged_reasons(&f, &work);
		if (strcmp(have, rows[i].reasons) != 0) {
			print_error("%s: \"%s\", expected \"%s\"\n", rows[i].what, have, rows[i].reasons);
			wrong++;
		}
		if (work.signature_checks > PROOFS_CHECKS_MAX) {
			print_error("%s: %zu signature checks\n", rows[i].what, work.signature_checks);
			wrong++;
		}
		/* Each certificate once, however many paths it is in, and once more where it is reported. */
		if (work.readings > NODES_MAX + 1 || work.lookups > 4 * NODES_MAX) {
			print_error("%s: %zu readings, %zu lookups\n", rows[i].what, work.readings, work.lookups);
			wrong++;
		}
		forged_end(&f);
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_graph_is_judged_as_its_row_says),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
