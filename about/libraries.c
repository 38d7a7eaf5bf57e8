#include "config.h"

#include "about/libraries.h"

#include "about/version.h"

#include <dlfcn.h>
#include <string.h>

/* How a library says its version. */
enum ask {
	ASK_TEXT,    /* const char *f(void) */
	ASK_TEXT_OF, /* const char *f(const char *), NULL asks for the version */
	ASK_DATA,    /* const char *const, not a function */
	ASK_NETTLE,  /* two functions that give numbers */
	ASK_NGHTTP2,
	ASK_CURL,
	ASK_SECCOMP,
	ASK_PACKAGE, /* it does not: only its package is known */
};

struct row {
	const char *name;
	enum ask ask;
	const char *symbol, *built_with, *packages;
};

static const struct row rows[] = {
#define LIBRARY(name, ask, symbol, built_with, packages) {name, ask, symbol, built_with, packages},
#include "about/libraries.def"
#undef LIBRARY
};
_Static_assert(sizeof rows / sizeof rows[0] <= LIBRARIES_MAX, "LIBRARIES_MAX");

/* The first members of nghttp2_info and curl_version_info_data, which neither library may change. */
struct nghttp2_known {
	int age, number;
	const char *text;
};
struct curl_known {
	int age;
	const char *text;
};
struct seccomp_known {
	unsigned major, minor, micro;
};

/* What dlsym found, as a function: ISO C has no cast for it. */
union symbol {
	void *at;
	const char *(*text)(void);
	const char *(*text_of)(const char *);
	const char *const *data;
	int (*number)(void);
	const struct nghttp2_known *(*nghttp2)(int least);
	const struct curl_known *(*curl)(int age);
	const struct seccomp_known *(*seccomp)(void);
};

static void
nettle_put(struct library *l, union symbol major)
{
	union symbol minor = {.at = dlsym(RTLD_DEFAULT, "nettle_version_minor")};

	if (minor.at != NULL)
		(void)snprintf(l->version, sizeof l->version, "%d.%d", major.number(), minor.number());
}

static void
seccomp_put(struct library *l, union symbol s)
{
	const struct seccomp_known *v = s.seccomp();

	if (v != NULL)
		(void)snprintf(l->version, sizeof l->version, "%u.%u.%u", v->major, v->minor, v->micro);
}

/* The version is the first word: libpsl names its own libraries after it. */
static void
version_put(struct library *l, const char *text)
{
	if (text != NULL)
		(void)snprintf(l->version, sizeof l->version, "%.*s", (int)strcspn(text, " "), text);
}

static void
version_ask(struct library *l, enum ask ask, union symbol s)
{
	switch (ask) {
	case ASK_TEXT:
		version_put(l, s.text());
		break;
	case ASK_TEXT_OF:
		version_put(l, s.text_of(NULL));
		break;
	case ASK_DATA:
		version_put(l, *s.data);
		break;
	case ASK_NETTLE:
		nettle_put(l, s);
		break;
	case ASK_NGHTTP2:
		version_put(l, s.nghttp2(0)->text);
		break;
	case ASK_CURL:
		version_put(l, s.curl(0)->text);
		break;
	case ASK_SECCOMP:
		seccomp_put(l, s);
		break;
	case ASK_PACKAGE:
		break;
	}
}

/* A library in /usr/local, or in a folder of somebody's own, is of no package. */
static bool
is_of_the_system(union symbol s)
{
	Dl_info where;

	return dladdr(s.at, &where) != 0 && where.dli_fname != NULL &&
	       (strncmp(where.dli_fname, "/lib/", 5) == 0 || strncmp(where.dli_fname, "/usr/lib/", 9) == 0);
}

size_t
libraries_loaded(struct library out[LIBRARIES_MAX])
{
	struct dpkg_wanted wanted[LIBRARIES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		union symbol s = {.at = dlsym(RTLD_DEFAULT, rows[i].symbol)};

		if (s.at == NULL)
			continue;
		out[n] = (struct library){.name = rows[i].name, .built_with = rows[i].built_with};
		version_ask(&out[n], rows[i].ask, s);
		wanted[n++] = (struct dpkg_wanted){.packages = is_of_the_system(s) ? rows[i].packages : ""};
	}
	dpkg_find(wanted, n);
	for (size_t i = 0; i < n; i++)
		if (out[i].version[0] == '\0' || version_holds(wanted[i].version, out[i].version))
			memcpy(out[i].package, wanted[i].version, sizeof out[i].package);
	return n;
}
