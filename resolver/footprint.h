/*
 * footprint.h - the memory that only the start needed.
 */
#ifndef RESOLVER_FOOTPRINT_H
#define RESOLVER_FOOTPRINT_H

/*
 * Gives back what linking, reading and compiling left behind: free heap, and the pages of programs and libraries
 * that were touched once (symbol tables, parsers). Whatever is needed after all comes back from the page cache at
 * its next use. Before the first question, and once more when the first handshakes, after a start or a reload, are
 * over.
 */
void footprint_trim(void);

#endif
