#include "cli/rules.h"

#include "base/bytes.h"
#include "base/text.h"
#include "config/forms.h"

#include <stdlib.h>
#include <string.h>

enum {
	RULE_CA = RULES_OPTION_FIRST,
	RULE_CT,
	RULE_CT_POLICY,
	RULE_CT_LOGS,
	RULE_DISALLOW,
	RULE_PIN,
	RULE_ALLOW_ISSUER,
	RULE_CRL,
	RULE_CONSTRAINTS
};

const struct cli_option rules_options[] = {
    {"ca", RULE_CA, "FILE", "the trust anchors: a PEM file, or a folder of them"},
    {"ct", RULE_CT, "MODE", "Certificate Transparency: require, report or off"},
    {"ct-policy", RULE_CT_POLICY, "POLICY", "strict, chrome, mozilla or apple"},
    {"ct-logs", RULE_CT_LOGS, "FILE", "the list of CT logs"},
    {"disallow", RULE_DISALLOW, "FILE",
     "a file of disallow entries, in addition to those of the configuration;\nmay be repeated"},
    {"pin", RULE_PIN, "HASH",
     "SHA-256 of a key that the path must have, in place of the configured pins;\nmay be repeated: one of "
     "them must be met"},
    {"allow-issuer", RULE_ALLOW_ISSUER, "ENTRY",
     "SHA-256 of a CA's certificate or key, \"spki-sha256 HEX\", \"cert-sha256 HEX\" or\n\"issuer NAME\" of "
     "the "
     "anchor, in place of those configured;\nmay be repeated: one of them must be met"},
    {"crl", RULE_CRL, "FILE", "a certificate revocation list, PEM or DER; may be repeated"},
    {"constraints", RULE_CONSTRAINTS, "FILE",
     "limits of trust anchors, in addition to the compiled-in table; may be repeated"},
    {NULL, 0, NULL, NULL},
};

static bool
rules_complain(char **complaint, const char *option, const char *arg, const char *expected)
{
	struct buf text = buf_max(4096);

	buf_format(&text, "%s \"%.200s\": %s was expected", option, arg, expected);
	base64_sha256_hint(&text, span_str(arg));
	*complaint = buf_take_cstr(&text);
	buf_free(&text);
	return false;
}

static bool
rules_add(struct strings *list, const char *value, char **complaint)
{
	*complaint = NULL;
	return strings_append(list, value, (struct place){0});
}

static bool
rules_take_word(const char **out, const char *option, const char *arg, enum option_form form,
		char **complaint)
{
	struct buf words = buf_max(256);

	for (const char *const *w = form_words(form); *w != NULL; w++)
		if (strcmp(*w, arg) == 0) {
			*out = arg;
			return true;
		}
	form_words_put(&words, form); /* without the "" that an upstream may have */
	(void)rules_complain(complaint, option, arg,
			     buf_cstr(&words) != NULL ? buf_cstr(&words) : "another word");
	buf_free(&words);
	return false;
}

static bool
rules_is_hash(const char *arg)
{
	uint8_t hash[32];

	return hex_read_pasted(hash, sizeof hash, span_str(arg)) == RES_OK;
}

/* A bare hash as an entry of that kind. */
static bool
rules_add_hash(struct strings *list, const char *kind, const char *arg, char **complaint)
{
	struct buf entry = buf_max(CONFIG_STRING_MAX);
	bool ok;

	buf_format(&entry, "%s %s", kind, arg);
	ok = buf_cstr(&entry) != NULL && rules_add(list, buf_cstr(&entry), complaint);
	buf_free(&entry);
	return ok;
}

static bool
rules_take_pin(struct rules *r, const char *arg, char **complaint)
{
	char value[CONFIG_STRING_MAX + 1];

	if (rules_is_hash(arg))
		return rules_add_hash(&r->pin, "spki-sha256", arg, complaint);
	if (!form_read(value, FORM_PIN, arg))
		return rules_complain(complaint, "--pin", arg, "a SHA-256 of 64 hex digits");
	return rules_add(&r->pin, value, complaint);
}

/* A bare hash may be that of a key or of a certificate. It is added as both: no value can be the hash of both. */
static bool
rules_take_allow_issuer(struct rules *r, const char *arg, char **complaint)
{
	char value[CONFIG_STRING_MAX + 1];

	if (rules_is_hash(arg))
		return rules_add_hash(&r->allow_issuer, "spki-sha256", arg, complaint) &&
		       rules_add_hash(&r->allow_issuer, "cert-sha256", arg, complaint);
	if (!form_read(value, FORM_CA_ENTRY, arg))
		return rules_complain(complaint, "--allow-issuer", arg, form_expected(FORM_CA_ENTRY));
	return rules_add(&r->allow_issuer, value, complaint);
}

bool
rules_take(struct rules *r, int id, const char *arg, char **complaint)
{
	*complaint = NULL;
	switch (id) {
	case RULE_CA:
		r->ca = arg;
		return true;
	case RULE_CT:
		return rules_take_word(&r->ct, "--ct", arg, FORM_CT_MODE, complaint);
	case RULE_CT_POLICY:
		return rules_take_word(&r->ct_policy, "--ct-policy", arg, FORM_CT_POLICY, complaint);
	case RULE_CT_LOGS:
		r->ct_logs = arg;
		return true;
	case RULE_DISALLOW:
		return rules_add(&r->disallow, arg, complaint);
	case RULE_PIN:
		return rules_take_pin(r, arg, complaint);
	case RULE_ALLOW_ISSUER:
		return rules_take_allow_issuer(r, arg, complaint);
	case RULE_CRL:
		return rules_add(&r->crl, arg, complaint);
	case RULE_CONSTRAINTS:
		return rules_add(&r->constraints, arg, complaint);
	default:
		return rules_complain(complaint, "option", arg, "another");
	}
}

void
rules_clear(struct rules *r)
{
	strings_free(&r->disallow);
	strings_free(&r->crl);
	strings_free(&r->constraints);
	strings_free(&r->pin);
	strings_free(&r->allow_issuer);
}

bool
rules_text_set(char **field, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return false;
	free(*field);
	*field = copy;
	return true;
}

/* An option of the command line overrides the file's: it goes into the global field, and the upstream's field is emptied. */
static bool
rules_override(struct settings *s, enum option_id id, char **field, char **of_upstream, const char *value)
{
	if (value == NULL)
		return true;
	if (id != OPTION_COUNT)
		s->set_at[id] = (struct place){0};
	return (field == NULL || rules_text_set(field, value)) && rules_text_set(of_upstream, "");
}

static bool
rules_join(struct strings *list, const struct strings *more)
{
	bool ok = true;

	for (size_t i = 0; ok && i < more->n; i++)
		ok = strings_append(list, more->v[i], (struct place){0});
	return ok;
}

static bool
rules_replace(struct strings *list, const struct strings *with)
{
	if (with->n == 0)
		return true;
	strings_free(list);
	return rules_join(list, with);
}

static unsigned
rules_word_index(enum option_form form, const char *word)
{
	unsigned i = 0;

	while (strcmp(form_words(form)[i], word) != 0)
		i++;
	return i;
}

bool
rules_anchors_set(struct settings *s, const char *ca)
{
	if (ca == NULL)
		return true;
	s->set_at[OPTION_TRUST_ANCHORS] = (struct place){0};
	return rules_text_set(&s->trust_anchors, ca);
}

bool
rules_apply(const struct rules *r, struct settings *s)
{
	struct upstream_settings *u = &s->upstream[0];

	if (r->ct != NULL)
		s->ct_mode = (enum ct_mode)rules_word_index(FORM_CT_MODE, r->ct);
	if (r->ct_policy != NULL)
		s->ct_policy = (enum ct_policy)rules_word_index(FORM_CT_POLICY, r->ct_policy);
	return rules_override(s, OPTION_TRUST_ANCHORS, &s->trust_anchors, &u->trust_anchors, r->ca) &&
	       rules_override(s, OPTION_CT_LOG_LIST, &s->ct_log_list, &u->ct_logs, r->ct_logs) &&
	       rules_override(s, OPTION_COUNT, NULL, &u->ct, r->ct) &&
	       rules_override(s, OPTION_COUNT, NULL, &u->ct_policy, r->ct_policy) &&
	       rules_join(&s->disallow_file, &r->disallow) &&
	       rules_join(&s->constraints_file, &r->constraints) && rules_join(&u->crl_file, &r->crl) &&
	       rules_replace(&u->pin, &r->pin) && rules_replace(&u->allow_issuer, &r->allow_issuer);
}
