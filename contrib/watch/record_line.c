/* Lines of the record, appended by the monitor or, with a note, by a process that it started. */
#include "contrib/watch/record.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum res
record_line_write(int fd, off_t *size, struct span line)
{
	ssize_t n = write(fd, line.p, line.n);
	int error;

	if (n == (ssize_t)line.n && fdatasync(fd) == 0) {
		*size += n;
		return RES_OK;
	}
	error = n < 0 || n == (ssize_t)line.n ? errno : ENOSPC; /* write(2): no room for all of it */
	if (n > 0 && ftruncate(fd, *size) != 0)
		*size += n; /* the next start removes it */
	errno = error;
	return RES_IO;
}

enum res
record_note_append(const struct record_note *note)
{
	struct stat st;

	return fstat(note->file, &st) == 0
		   ? record_line_write(note->file, &st.st_size, span_of(note->line, note->n))
		   : RES_IO;
}
