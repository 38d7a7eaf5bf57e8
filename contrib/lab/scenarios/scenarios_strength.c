#include "contrib/lab/scenarios/scenarios_strength.h"
#include "contrib/lab/pki/derw.h"

#define OID_CLIENT_AUTH  "1.3.6.1.5.5.7.3.2"
#define OID_CODE_SIGNING "1.3.6.1.5.5.7.3.3"

void
strength_leaf_client_auth(struct site *site, struct forge *f)
{
	(void)site;
	f->eku = OID_CLIENT_AUTH;
}

void
strength_leaf_code_signing(struct site *site, struct forge *f)
{
	(void)site;
	f->eku = OID_CODE_SIGNING;
}

static void
leaf_rsa(struct site *site, struct forge *f, const char *name, enum key_kind kind)
{
	site->key = world_key(site->world, name, kind);
	f->key = site->key;
	site->bad = site->bad || site->key == NULL;
}

void
strength_leaf_rsa_2048(struct site *site, struct forge *f)
{
	leaf_rsa(site, f, "server-rsa-2048", KEY_RSA_2048);
}

void
strength_leaf_rsa_1024(struct site *site, struct forge *f)
{
	leaf_rsa(site, f, "server-rsa-1024", KEY_RSA_1024);
}

void
strength_build_weak_intermediate(struct site *site)
{
	site_put_leaf(site, CA_WEAK_ISSUING);
	site_put_ca(site, CA_WEAK_ISSUING);
}

void
strength_leaf_sha1(struct site *site, struct forge *f)
{
	(void)site;
	f->digest = KEY_SHA1;
}

void
strength_build_md5(struct site *site)
{
	struct forge f;

	site_leaf(site, &f, CA_RSA_ISSUING);
	f.digest = KEY_MD5;
	site_put(site, &f);
	forge_free(&f);
	site_put_ca(site, CA_RSA_ISSUING);
}

static void
ca_sha1(struct site *site, struct forge *f)
{
	(void)site;
	f->digest = KEY_SHA1;
}

void
strength_build_sha1_intermediate(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca_changed(site, CA_ISSUING, ca_sha1);
}

void
strength_leaf_unknown_critical(struct site *site, struct forge *f)
{
	(void)site;
	f->unknown_critical = true;
}

/* RFC 5280, 4.2: no more than one instance of an extension. */
void
strength_leaf_extension_twice(struct site *site, struct forge *f)
{
	size_t ext = derw_open(&f->extra, DERW_SEQUENCE), value;

	(void)site;
	derw_oid(&f->extra, "2.5.29.17");
	value = derw_open(&f->extra, DERW_OCTETS);
	derw_tlv(&f->extra, DERW_SEQUENCE, buf_span(&f->san));
	derw_close(&f->extra, value);
	derw_close(&f->extra, ext);
}
