#include "transport/posts.h"

#include <stdlib.h>

void
posts_init(struct posts *p)
{
	pthread_mutex_init(&p->lock, NULL);
	STAILQ_INIT(&p->list);
	p->ended = false;
}

void
posts_free(struct posts *p)
{
	struct post *post;

	while ((post = STAILQ_FIRST(&p->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->list, beside);
		free(post);
	}
	pthread_mutex_destroy(&p->lock);
}

enum res
posts_add(struct posts *p, struct post *post, bool *first)
{
	bool ended;

	pthread_mutex_lock(&p->lock);
	*first = STAILQ_EMPTY(&p->list);
	ended = p->ended;
	if (!ended)
		STAILQ_INSERT_TAIL(&p->list, post, beside);
	pthread_mutex_unlock(&p->lock);
	if (!ended)
		return RES_OK;
	free(post);
	return RES_NOT_FOUND;
}

static void
posts_take(struct posts *p, bool last)
{
	struct post_list list = STAILQ_HEAD_INITIALIZER(list);
	struct post *post;

	pthread_mutex_lock(&p->lock);
	p->ended |= last;
	STAILQ_CONCAT(&list, &p->list);
	pthread_mutex_unlock(&p->lock);
	while ((post = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, beside);
		post->fn(post->arg);
		free(post);
	}
}

void
posts_run(struct posts *p)
{
	posts_take(p, false);
}

void
posts_end(struct posts *p)
{
	posts_take(p, true);
}
