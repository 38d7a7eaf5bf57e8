#include "config.h"

#include "contrib/lab/logs/filler.h"

#include "contrib/lab/logs/leaf.h"
#include "contrib/lab/pki/derw.h"

#include <stdlib.h>
#include <string.h>

#define SERIAL_N   16 /* octets of the serial; the last eight are the number of the entry */
#define DER_MAX    (64 * 1024)
#define DER_MARGIN 16 /* of the padding extension's own headers, roughly */
#define LIFE_DAYS  90

/* A certificate with a place for the serial. */
struct template
{
	struct buf der;
	size_t number_at; /* eight octets, big-endian */
};

struct filler {
	bool tiled;
	int64_t since_ms;
	struct template certificate, precertificate, tbs;
	struct buf issuer;
	uint8_t issuer_key_hash[32], fingerprint[32];
	struct tree_hash *level[FILLER_LEVEL + 1];
	struct tree_hash above[TREE_LEVELS]; /* subtrees of whole periods: one value a level */
};

static const uint8_t serial[SERIAL_N] = {0x4c, 0x41, 0x42, 0x46, 0x49, 0x4c, 0x4c, 0x45};

static void
number_put(uint8_t *at, uint64_t number)
{
	be32_write(at, (uint32_t)(number >> 32));
	be32_write(at + 4, (uint32_t)number);
}

static bool
template_settle(struct template *template)
{
	for (size_t i = 0; i + SERIAL_N <= template->der.n; i++)
		if (memcmp(template->der.p + i, serial, SERIAL_N) == 0) {
			template->number_at = i + SERIAL_N - 8;
			return buf_ok(&template->der);
		}
	return false;
}

static void
template_put(const struct template *template, uint64_t index, struct buf *out)
{
	uint8_t *room = buf_room(out, template->der.n);

	if (room == NULL)
		return;
	memcpy(room, template->der.p, template->der.n);
	number_put(room + template->number_at, index % FILLER_PERIOD);
	buf_added(out, template->der.n);
}

/* An extension that no program knows, to give certificates the requested size. */
static void
padding_write(struct buf *extra, size_t n)
{
	static const uint8_t front[] = {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04,
					0x01, 0x82, 0xdf, 0x17, 0x7f, 0x01};
	struct buf value = buf_max(DER_MAX), inner = buf_max(DER_MAX);

	for (size_t i = 0; i < n; i++)
		buf_u8(&value, (uint8_t)(i * 151 + i / 256));
	buf_put(&inner, span_of(front, sizeof front));
	derw_tlv(&inner, DERW_OCTETS, buf_span(&value));
	derw_tlv(extra, DERW_SEQUENCE, buf_span(&inner));
	buf_free(&value);
	buf_free(&inner);
}

static bool
forge_fill(struct forge *f, struct world *world, const struct key *key, bool poison, size_t padding)
{
	forge_init(f);
	if (key == NULL || !world_issue(world, CA_ISSUING, f))
		return false;
	f->key = key;
	f->serial = span_of(serial, sizeof serial);
	f->subject = "CN=filler.lab.test";
	f->not_before_ms = world_at(world) - DAY_MS;
	f->not_after_ms = world_at(world) + LIFE_DAYS * DAY_MS;
	f->basic = BASIC_END_ENTITY;
	f->usage = USAGE_DIGITAL_SIGNATURE;
	f->eku = "1.3.6.1.5.5.7.3.1";
	f->poison = poison;
	forge_san_dns(f, span_str("filler.lab.test"));
	forge_san_dns(f, span_str("www.filler.lab.test"));
	if (padding > 0)
		padding_write(&f->extra, padding);
	return true;
}

static bool
template_forge(struct template *template, struct world *world, bool poison, size_t padding)
{
	struct forge f;
	bool done = forge_fill(&f, world, world_key(world, "filler", KEY_P256), poison, padding);

	if (done)
		forge_certificate(&f, world_logs(world), &template->der);
	forge_free(&f);
	return done && template_settle(template);
}

static bool
templates_make(struct filler *filler, struct world *world, size_t size)
{
	struct template plain = {.der = buf_max(DER_MAX)};
	bool done = template_forge(&plain, world, false, 0);
	size_t padding = size > plain.der.n + DER_MARGIN ? size - plain.der.n - DER_MARGIN : 0;

	buf_free(&plain.der);
	return done && template_forge(&filler->certificate, world, false, padding) &&
	       template_forge(&filler->precertificate, world, true, padding) &&
	       leaf_tbs_of(&filler->tbs.der, buf_span(&filler->precertificate.der)) == RES_OK &&
	       template_settle(&filler->tbs);
}

static bool
issuer_make(struct filler *filler, struct world *world)
{
	const struct key *key = world_ca_key(world, CA_ISSUING);
	struct forge f;
	bool done;

	forge_init(&f);
	done = key != NULL && world_ca_forge(world, CA_ISSUING, &f);
	if (done)
		forge_certificate(&f, world_logs(world), &filler->issuer);
	forge_free(&f);
	if (!done || !buf_ok(&filler->issuer))
		return false;
	memcpy(filler->issuer_key_hash, key->spki_sha256, 32);
	lab_sha256(filler->fingerprint, buf_span(&filler->issuer));
	return true;
}

static bool
is_precertificate(uint64_t index)
{
	return index % 2 == 1;
}

void
filler_leaf(const struct filler *filler, uint64_t index, struct buf *out)
{
	struct leaf leaf = {.timestamp_ms = (uint64_t)filler->since_ms + index % FILLER_PERIOD,
			    .has_index = filler->tiled,
			    .index = index % FILLER_PERIOD};
	const struct template *template = is_precertificate(index) ? &filler->tbs : &filler->certificate;

	if (is_precertificate(index))
		leaf.issuer_key_hash = filler->issuer_key_hash;
	leaf_front_write(out, &leaf, template->der.n);
	template_put(template, index, out);
	leaf_extensions_write(out, &leaf);
}

void
filler_extra(const struct filler *filler, uint64_t index, struct buf *out)
{
	if (is_precertificate(index)) {
		buf_u24(out, (uint32_t)filler->precertificate.der.n);
		template_put(&filler->precertificate, index, out);
	}
	buf_u24(out, (uint32_t)filler->issuer.n + 3);
	buf_u24(out, (uint32_t)filler->issuer.n);
	buf_put(out, buf_span(&filler->issuer));
}

void
filler_tile_rest(const struct filler *filler, uint64_t index, struct buf *out)
{
	if (is_precertificate(index)) {
		buf_u24(out, (uint32_t)filler->precertificate.der.n);
		template_put(&filler->precertificate, index, out);
	}
	buf_u16(out, 32);
	buf_put(out, span_of(filler->fingerprint, 32));
}

static bool
hashes_make(struct filler *filler)
{
	struct tree_hasher *hasher = tree_hasher_new();
	struct buf leaf = buf_max(DER_MAX);
	bool ok = hasher != NULL;

	for (unsigned l = 0; l <= FILLER_LEVEL && ok; l++) {
		filler->level[l] = calloc(FILLER_PERIOD >> l, sizeof *filler->level[l]);
		ok = filler->level[l] != NULL;
		for (uint64_t i = 0; ok && i < FILLER_PERIOD >> l; i++) {
			if (l > 0) {
				tree_node_hash(hasher, &filler->level[l][i], &filler->level[l - 1][2 * i],
					       &filler->level[l - 1][2 * i + 1]);
				continue;
			}
			buf_clear(&leaf);
			filler_leaf(filler, i, &leaf);
			tree_leaf_hash(hasher, &filler->level[0][i], buf_span(&leaf), (struct span){0});
			ok = buf_ok(&leaf);
		}
	}
	if (ok)
		filler->above[FILLER_LEVEL] = filler->level[FILLER_LEVEL][0];
	for (unsigned l = FILLER_LEVEL + 1; ok && l < TREE_LEVELS; l++)
		tree_node_hash(hasher, &filler->above[l], &filler->above[l - 1], &filler->above[l - 1]);
	buf_free(&leaf);
	tree_hasher_free(hasher);
	return ok;
}

const struct tree_hash *
filler_node(const struct filler *filler, unsigned level, uint64_t index)
{
	if (level > FILLER_LEVEL)
		return &filler->above[level];
	return &filler->level[level][index % (FILLER_PERIOD >> level)];
}

struct span
filler_issuer(const struct filler *filler)
{
	return buf_span(&filler->issuer);
}

enum res
filler_new(struct filler **out, struct world *world, bool tiled, size_t size)
{
	struct filler *filler = calloc(1, sizeof *filler);

	if (filler == NULL)
		return RES_NOMEM;
	filler->tiled = tiled;
	filler->since_ms = world_at(world) - DAY_MS;
	filler->certificate.der = filler->precertificate.der = filler->tbs.der = filler->issuer =
	    buf_max(DER_MAX);
	if (!issuer_make(filler, world) || !templates_make(filler, world, size) || !hashes_make(filler)) {
		filler_free(filler);
		return RES_IO;
	}
	*out = filler;
	return RES_OK;
}

void
filler_free(struct filler *filler)
{
	if (filler == NULL)
		return;
	buf_free(&filler->certificate.der);
	buf_free(&filler->precertificate.der);
	buf_free(&filler->tbs.der);
	buf_free(&filler->issuer);
	for (unsigned l = 0; l <= FILLER_LEVEL; l++)
		free(filler->level[l]);
	free(filler);
}
