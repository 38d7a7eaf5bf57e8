/*
 * footprint.h - the memory that only the start needed.
 */
#ifndef RESOLVER_DAEMON_FOOTPRINT_H
#define RESOLVER_DAEMON_FOOTPRINT_H

/*
 * Large tables keep to mappings of their own, page by page as they are used. Left to itself malloc moves them into the
 * heap, and clears them there, as soon as one large file was read and freed. Before anything is read.
 */
void footprint_begin(void);

/*
 * Gives back what linking, reading and compiling left behind: free heap, and the pages of programs and libraries
 * that were touched once (symbol tables, parsers). Whatever is needed after all comes back from the page cache at
 * its next use. Before the first question, and once more when the first handshakes, after a start or a reload, are
 * over.
 */
void footprint_trim(void);

#endif
