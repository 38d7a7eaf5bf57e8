/*
 * query_answer.h - what came back for a query: the answer, or a reason to ask another server.
 */
#ifndef RESOLVER_QUERY_ANSWER_H
#define RESOLVER_QUERY_ANSWER_H

#include "resolver/query.h"

enum query_step query_take_outcome(struct query *, const struct attempt_outcome *);

#endif
