/*
 * data_text.h - the texts of verify/data/, made into C by the build. Each ends with a NUL; facts only, with their
 * source and date in their first lines.
 */
#ifndef VERIFY_DATA_TEXT_H
#define VERIFY_DATA_TEXT_H

extern const char data_text_ctlogs[];
extern const char data_text_ctlogs_retired[];
extern const char data_text_anchors[];  /* a constraints file */
extern const char data_text_disallow[]; /* a disallow file */

#endif
