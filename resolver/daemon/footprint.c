#include "config.h"

#include "resolver/daemon/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Relocated text would be lost; no distribution builds such libraries any more, and one that does is left alone. */
static bool
text_is_relocated(const struct dl_phdr_info *object)
{
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->dlpi_phdr[i];
		const ElfW(Dyn) *entry = (const void *)(uintptr_t)(object->dlpi_addr + header->p_vaddr);

		if (header->p_type != PT_DYNAMIC)
			continue;
		for (; entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_TEXTREL)
				return true;
	}
	return false;
}

/* Segments that are never written are copies of their file: dropping them loses nothing. */
static int
object_trim(struct dl_phdr_info *object, size_t size, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)ctx;
	if (text_is_relocated(object))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &object->dlpi_phdr[i];
		uintptr_t from, to;

		if (header->p_type != PT_LOAD || header->p_flags & PF_W)
			continue;
		from = (object->dlpi_addr + header->p_vaddr) & ~(page - 1);
		to = (object->dlpi_addr + header->p_vaddr + header->p_memsz) & ~(page - 1);
		if (to > from)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

#define MAPPED_FROM (64 * 1024) /* half of what malloc starts with; setting it ends its own adjusting */

void
footprint_begin(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
}

void
footprint_trim(void)
{
	(void)dl_iterate_phdr(object_trim, NULL);
	(void)malloc_trim(0);
}

/* ---- what clients made a worker hold */

static void
watch_on_look(void *ctx)
{
	struct footprint_watch *w = ctx;

	if (w->is_high(w->ctx))
		loop_timer_set(&w->timer, FOOTPRINT_LOOK_MS);
	else
		(void)malloc_trim(0);
}

void
footprint_watch_init(struct footprint_watch *w, struct loop *loop, bool (*is_high)(void *ctx), void *ctx)
{
	w->is_high = is_high;
	w->ctx = ctx;
	loop_timer_init(&w->timer, loop, watch_on_look, w);
}

void
footprint_watch_busy(struct footprint_watch *w)
{
	if (!loop_timer_is_set(&w->timer))
		loop_timer_set(&w->timer, FOOTPRINT_LOOK_MS);
}

void
footprint_watch_stop(struct footprint_watch *w)
{
	loop_timer_stop(&w->timer);
}
