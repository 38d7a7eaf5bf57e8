/* The words of `ctstub probe` as an upstream. */
#include "config/forms.h"
#include "config/reader.h"
#include "config/settings.h"

#include <string.h>

/* "dot://" and "doh://", or neither. Moves *uri past it. */
static const char *
protocol_read(const char **uri)
{
	static const char *const schemes[] = {"dot", "doh"};

	for (size_t i = 0; i < 2; i++)
		if (strncmp(*uri, schemes[i], 3) == 0 && strncmp(*uri + 3, "://", 3) == 0) {
			*uri += 6;
			return schemes[i];
		}
	return strstr(*uri, "://") == NULL ? "dot" : NULL;
}

static bool
put_quoted(struct buf *out, const char *option, const char *s, size_t n)
{
	char text[CONFIG_STRING_MAX + 1];

	if (n > CONFIG_STRING_MAX)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	buf_format(out, " %s = ", option);
	if (strcmp(option, "address") == 0) {
		buf_u8(out, '{');
		string_print(out, text);
		buf_u8(out, '}');
	} else {
		string_print(out, text);
	}
	return true;
}

/* The upstream as it would stand in a file: then the checks and the messages are those of a file. */
static bool
upstream_text(struct buf *out, const char *uri)
{
	const char *protocol = protocol_read(&uri), *hash, *path, *end;
	char address[ADDR_TEXT_MAX];
	struct addr addr;
	bool ok;

	if (protocol == NULL)
		return false;
	end = uri + strlen(uri);
	hash = strchr(uri, '#');
	if (hash == NULL)
		hash = end;
	path = memchr(uri, '/', (size_t)(hash - uri));
	if (path == NULL)
		path = hash;
	if ((size_t)(path - uri) >= sizeof address)
		return false;
	memcpy(address, uri, (size_t)(path - uri));
	address[path - uri] = '\0';
	if (form_read_address(&addr, FORM_SERVER, address) != NULL)
		return false;
	buf_format(out, "upstream \"probe\" { protocol = \"%s\"", protocol);
	ok = put_quoted(out, "address", uri, (size_t)(path - uri));
	if (path < hash)
		ok = ok && put_quoted(out, "path", path, (size_t)(hash - path));
	/* An empty name comes from a script whose variable is not set: it must not switch the check off. */
	if (hash < end)
		ok = ok && hash + 1 < end && put_quoted(out, "name", hash + 1, (size_t)(end - hash) - 1);
	buf_text(out, " }");
	return ok && buf_ok(out);
}

enum res
settings_for_probe(struct settings **settings, const char *uri, struct config_errors *errors)
{
	struct buf text = buf_max(CONFIG_STRING_MAX * 4);
	struct reader r = {.s = *settings, .errors = errors};
	enum res res;

	settings_routes_drop(*settings);
	*settings = NULL;
	if (upstream_text(&text, uri)) {
		(void)reader_text(&r, NULL, buf_span(&text));
	} else {
		config_errors_add(errors, (struct place){0},
				  "\"%.200s\" is neither an upstream nor an address, "
				  "[dot|doh]://ADDR[:PORT][/PATH][#NAME] was expected",
				  uri);
		r.bad = true;
	}
	buf_free(&text);
	if (r.bad) {
		settings_free(r.s);
		return RES_MALFORMED;
	}
	res = reader_finish(&r, settings);
	if (res == RES_MALFORMED) {
		settings_free(*settings);
		*settings = NULL;
	}
	return res;
}
