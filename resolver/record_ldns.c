#include "config.h"

#include "resolver/record_ldns.h"

#include <dlfcn.h>
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* The functions that are used, with the types of the library's header. */
static struct {
	__typeof__(ldns_get_errorstr_by_id) *get_errorstr_by_id;
	__typeof__(ldns_rdf_deep_free) *rdf_deep_free;
	__typeof__(ldns_rr2wire) *rr2wire;
	__typeof__(ldns_rr_free) *rr_free;
	__typeof__(ldns_rr_new_frm_str) *rr_new_frm_str;
	__typeof__(ldns_str2rdf_dname) *str2rdf_dname;
	bool loaded, sealed;
} ldns;

static const struct {
	const char *symbol;
	size_t at;
} functions[] = {
#define ROW(name) "ldns_" #name, offsetof(__typeof__(ldns), name)
    {ROW(get_errorstr_by_id)}, {ROW(rdf_deep_free)}, {ROW(rr2wire)}, {ROW(rr_free)},
    {ROW(rr_new_frm_str)},     {ROW(str2rdf_dname)},
#undef ROW
};

static const char *
error_of_loader(void)
{
	const char *error = dlerror();

	return error != NULL ? error : LDNS_SONAME " cannot be loaded";
}

/* It stays loaded: there is no need to unload it. */
static const char *
library_load(void)
{
	void *library;

	if (ldns.loaded)
		return NULL;
	if (ldns.sealed)
		return "this record needs ldns, which is loaded at the start only: check it with ctstubd -t, "
		       "and restart ctstubd; or write the record without parentheses, comments, escaped "
		       "names and rare types";
	library = dlopen(LDNS_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return error_of_loader();
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *symbol = dlsym(library, functions[i].symbol);

		if (symbol == NULL)
			return error_of_loader();
		*(void **)(void *)((char *)&ldns + functions[i].at) = symbol; /* POSIX, dlsym */
	}
	ldns.loaded = true;
	return NULL;
}

static const char *
record_read(struct buf *wire, const char *text, uint32_t default_ttl, const ldns_rdf *root)
{
	ldns_rr *rr = NULL;
	uint8_t *bytes = NULL;
	size_t n = 0;
	ldns_status status = ldns.rr_new_frm_str(&rr, text, default_ttl, root, NULL);

	if (status == LDNS_STATUS_OK)
		status = ldns.rr2wire(&bytes, rr, LDNS_SECTION_ANSWER, &n);
	ldns.rr_free(rr);
	if (status == LDNS_STATUS_OK)
		buf_put(wire, span_of(bytes, n));
	free(bytes);
	if (status != LDNS_STATUS_OK)
		return ldns.get_errorstr_by_id(status);
	return buf_ok(wire) ? NULL : "this record cannot be written";
}

const char *
record_ldns_read(struct buf *wire, const char *text, uint32_t default_ttl)
{
	const char *why = library_load();
	ldns_rdf *root = NULL;
	ldns_status status;

	if (why != NULL)
		return why;
	status = ldns.str2rdf_dname(&root, ".");
	why = status == LDNS_STATUS_OK ? record_read(wire, text, default_ttl, root)
				       : ldns.get_errorstr_by_id(status);
	ldns.rdf_deep_free(root);
	return why;
}

void
record_ldns_seal(void)
{
	ldns.sealed = true;
}
