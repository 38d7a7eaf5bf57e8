#include "base/faults.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 16384 /* a path and a sentence */

void
faults_add(struct faults *f, size_t line, char *why)
{
	if (f == NULL || f->n_shown == FAULTS_SHOWN_MAX)
		free(why);
	else
		f->shown[f->n_shown++] = (struct fault){line, why};
	if (f != NULL)
		f->n++;
}

bool
faults_add_foreign(struct faults *f, struct span file)
{
	const char *what = text_foreign(file);

	if (what != NULL)
		faults_add(f, 0, strdup(what));
	return what != NULL;
}

size_t
faults_lines(const struct faults *f)
{
	return f->n_shown + (f->n > f->n_shown ? 1 : 0);
}

char *
faults_text(const struct faults *f, size_t i, const char *file)
{
	struct buf text = buf_max(TEXT_MAX);

	if (i >= faults_lines(f))
		return NULL;
	buf_text(&text, file);
	if (i < f->n_shown && f->shown[i].line > 0)
		buf_format(&text, ":%zu", f->shown[i].line);
	if (i < f->n_shown)
		buf_format(&text, ": %s", f->shown[i].why != NULL ? f->shown[i].why : "out of memory");
	else
		buf_format(&text, ": and %zu more", f->n - f->n_shown);
	return buf_take_cstr(&text);
}

void
faults_clear(struct faults *f)
{
	for (size_t i = 0; i < f->n_shown; i++)
		free(f->shown[i].why);
	*f = (struct faults){.n = 0};
}
