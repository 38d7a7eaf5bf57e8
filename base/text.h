/*
 * text.h - text: its lines and characters, and numbers, bytes and times written as text and read from it.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"
#include "base/res.h"

#include <stdarg.h>

/* Lower-case hex. out needs 2 * n + 1 bytes; returns out. */
char *hex_write(char *out, struct span);
/* Reads exactly n bytes from 2 * n hex digits, either case, nothing else. */
enum res hex_read(uint8_t *out, size_t n, struct span text);
/*
 * Hex as people paste it from browsers, certificate dialogs, openssl and incident notices: in either case; between
 * octets nothing, one colon, one hyphen, or white space; an optional 0x; the mark U+200E that one dialog puts in front.
 */
/* A fixed length, as a fingerprint has: exactly n bytes, and separators only between octets. */
enum res hex_read_pasted(uint8_t *out, size_t n, struct span text);
/* A number, as a serial is: the octets of its value, without leading zeros, go to out, their number to *n (0 for zero).
 * RES_LIMIT: more than max octets. */
enum res hex_number_read(uint8_t *out, size_t max, size_t *n, struct span text);

/* RFC 4648, 4, with padding. Appends. */
void base64_write(struct buf *, struct span);
/* RFC 4648, 4: padding required, no white space, no stray bits. Appends to out; on an error out is unchanged.
 * RES_LIMIT: more than out may hold. RES_NOMEM is not the text's fault: a caller that skips malformed texts must not
 * skip this one. */
enum res base64_read(struct buf *out, struct span text);
/* Why a SHA-256 of 64 hex digits is not one: it is base64, as curl(1), RFC 7469 and others write pins (sha256//...=,
 * pin-sha256="...="). Appends the same in hex, "; in hex it is ...". Nothing for any other text. */
void base64_sha256_hint(struct buf *, struct span text);
/* RFC 7468: the bytes between lines that name them ("CERTIFICATE"). Appends. */
void pem_write(struct buf *, const char *label, struct span);
/* RFC 4648, 5, without padding (RFC 8484, 6). Appends. */
void base64url_write(struct buf *, struct span);

#define TIME_TEXT_MAX 40
/* "2026-11-21T18:00:00Z"; with ms "2026-11-21T18:00:00.123Z". Any year from 0 to 9999; others give "invalid". */
const char *time_text(int64_t ms, char text[TIME_TEXT_MAX]);
const char *time_text_ms(int64_t ms, char text[TIME_TEXT_MAX]);
/* RFC 3339 with Z or a numeric offset, an optional fraction. */
enum res time_read(int64_t *ms, const char *text);
/* Days from civil date to milliseconds since the epoch; month 1-12. RES_MALFORMED for a date that is not one. */
enum res time_from_civil(int64_t *ms, int year, int month, int day, int hour, int minute, int second);

/* "10ms" "1500ms" "4s" "1h" "70d": a whole number and one of ms s m h d. RES_LIMIT beyond 100 years. */
enum res duration_read(int64_t *ms, const char *text);
/* The shortest exact form with one unit: 86400000 is "1d". */
const char *duration_text(int64_t ms, char text[TIME_TEXT_MAX]);
/* "64KiB" "16MiB" or plain bytes "4096". */
enum res size_read(uint64_t *bytes, const char *text);
const char *size_text(uint64_t bytes, char text[TIME_TEXT_MAX]);
/* A whole decimal number, nothing around it. */
enum res number_read(int64_t *out, const char *text);

#define COUNTED_TEXT_MAX 64
/* "1 answer", "2 answers", "0 entries": a number with its noun, which is given in the singular. */
const char *text_counted(uint64_t n, const char *noun, char text[COUNTED_TEXT_MAX]);
/* The same for the arguments of one call: the text lives as long as the block around it. */
#define COUNTED(n, noun) text_counted((uint64_t)(n), noun, (char[COUNTED_TEXT_MAX]){0})

/* Takes the next line off the front, without its end (LF or CR LF; the last line may lack the LF). False: nothing is left. */
bool text_line_take(struct span *text, struct span *line);
/* The line has no control characters except tabs: no CR that only looks like the end of a line, no NUL. */
bool text_is_plain(struct span line);
/* The text without the byte order mark (UTF-8) that some editors put before it. */
struct span text_without_bom(struct span text);
/* What a file is that cannot be text in UTF-8, with the remedy: "compressed with gzip; decompress it first". NULL: it may
 * be text. */
const char *text_foreign(struct span file);
/* Takes the next word, a run without blanks, off the front. False: nothing but blanks is left. */
bool text_word_take(struct span *line, struct span *word);
/* Takes blanks off the front. */
void text_blanks_skip(struct span *line);

/* Appends s with everything but printable ASCII, and `"` and `\`, as \xNN: safe on a terminal and in a log line. */
void text_escape(struct buf *, struct span s);
/* Appends s, but control characters, invisible characters, marks that change the direction of text, and bytes that
 * are not UTF-8 as \xNN: safe on a terminal, and all other UTF-8 stays readable. */
void text_show(struct buf *, struct span s);
/* Formats a complaint for a person, at most TEXT_COMPLAINT_MAX bytes: two of the longest paths, and a sentence. It
 * goes to out, an empty buffer with room for TEXT_SHOWN_MAX, as text_show writes it. Lent by out, or "out of
 * memory". */
#define TEXT_COMPLAINT_MAX 8192
#define TEXT_SHOWN_MAX     (4 * TEXT_COMPLAINT_MAX) /* each byte may be shown as \xNN */
const char *text_complaint(struct buf *out, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));
/* The character that text begins with: its length, or 0 when there is none of RFC 3629 form. */
size_t utf8_read(uint32_t *out, struct span text);
bool utf8_ok(struct span);
/* Controls, and the marks that turn the direction of text or hide: not for a terminal. */
bool unicode_is_control(uint32_t c);
/* No byte above 0x7f. */
bool text_is_ascii(struct span);
/* ASCII only; no locale. */
/* Space, tab, line feed, vertical tab, form feed, carriage return. */
bool ascii_is_blank(uint8_t);
static inline uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}
void ascii_lower_copy(uint8_t *to, const uint8_t *from, size_t n);
bool ascii_case_equal(struct span, struct span);

#endif
