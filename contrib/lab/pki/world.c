#include "config.h"

#include "contrib/lab/pki/world.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>

#define WORLD_FILE     "world.json"
#define WORLD_FILE_MAX 4096
#define WORLD_KEYS_MAX 64

struct named_key {
	char name[64];
	struct key *key;
};

struct world {
	char folder[FILE_PATH_MAX];
	char keys_folder[FILE_PATH_MAX];
	int64_t at_ms;
	struct toylogs *logs;
	struct named_key keys[WORLD_KEYS_MAX];
	size_t n_keys;
};

static const struct ca {
	const char *dn;
	const char *key;
	enum key_kind kind;
	enum ca_id issuer; /* itself: a root */
	int from_days, to_days;
} cas[CA_COUNT] = {
    [CA_ROOT] = {"C=XX/O=Lab Trust/CN=Lab Root R1", "ca-root", KEY_P256, CA_ROOT, -2000, 5000},
    [CA_ISSUING] = {"C=XX/O=Lab Trust/CN=Lab Issuing E1", "ca-issuing", KEY_P256, CA_ROOT, -700, 1500},
    [CA_FINA_ROOT] = {"C=HR/O=Toy Fina/CN=Toy Fina Root", "ca-fina-root", KEY_P256, CA_FINA_ROOT, -2000,
		      5000},
    [CA_FINA_ISSUING] = {"C=HR/O=Toy Fina/CN=Toy Fina RDC", "ca-fina-issuing", KEY_P256, CA_FINA_ROOT, -700,
			 1500},
    [CA_FINA_REAL_NAME] = {"C=HR/O=Financijska agencija/CN=Fina RDC 2015", "ca-fina-real-name", KEY_P256,
			   CA_FINA_ROOT, -700, 1500},
    [CA_STRANGER_ROOT] = {"C=XX/O=Strangers/CN=Stranger Root", "ca-stranger-root", KEY_P256, CA_STRANGER_ROOT,
			  -2000, 5000},
    [CA_STRANGER_ISSUING] = {"C=XX/O=Strangers/CN=Stranger Issuing", "ca-stranger-issuing", KEY_P256,
			     CA_STRANGER_ROOT, -700, 1500},
    [CA_FALSE_ROOT] = {"C=XX/O=Lab Trust/CN=Lab Root R1", "ca-false-root", KEY_P256, CA_FALSE_ROOT, -2000,
		       5000},
    [CA_FALSE_ISSUING] = {"C=XX/O=Lab Trust/CN=Lab Issuing E1", "ca-false-issuing", KEY_P256, CA_FALSE_ROOT,
			  -700, 1500},
    [CA_OLD_ROOT] = {"C=XX/O=Lab Trust/CN=Lab Root R0", "ca-old-root", KEY_P256, CA_OLD_ROOT, -5000, -100},
    [CA_PRIVATE_ROOT] = {"C=XX/O=Example Corp/CN=Example Corp Root", "ca-private-root", KEY_P256,
			 CA_PRIVATE_ROOT, -700, 1500},
    [CA_RSA_ISSUING] = {"C=XX/O=Lab Trust/CN=Lab Issuing R1", "ca-rsa-issuing", KEY_RSA_2048, CA_ROOT, -700,
			1500},
    [CA_WEAK_ISSUING] = {"C=XX/O=Lab Trust/CN=Lab Issuing W1", "ca-weak-issuing", KEY_RSA_1024, CA_ROOT, -700,
			 1500},
};

/* The time in an existing world.json. */
static enum res
world_file_read(const char *path, int64_t *at_ms)
{
	struct buf text = buf_max(WORLD_FILE_MAX);
	enum res res = lab_file_read(&text, path);
	json_t *json = NULL;
	const char *at;

	if (res != RES_OK)
		goto out;
	json = json_loadb((const char *)text.p, text.n, 0, NULL);
	at = json_string_value(json_object_get(json, "at"));
	res = at != NULL ? time_read(at_ms, at) : RES_MALFORMED;
out:
	json_decref(json);
	buf_free(&text);
	return res;
}

static enum res
world_file_write(const char *path, int64_t at_ms)
{
	struct buf text = buf_max(WORLD_FILE_MAX);
	char at[TIME_TEXT_MAX];
	enum res res;

	buf_format(&text, "{\"what\": \"a world of ctstub-lab: TEST ONLY\", \"at\": \"%s\"}\n",
		   time_text(at_ms, at));
	res = buf_ok(&text) ? lab_file_write(path, buf_span(&text), 0644) : RES_NOMEM;
	buf_free(&text);
	return res;
}

/* Under the folder's lock: reads the world's time or fixes it. */
static enum res
world_settle(struct world *world, int64_t at_ms)
{
	char path[FILE_PATH_MAX];
	enum res res = lab_path_join(path, world->folder, WORLD_FILE);

	if (res != RES_OK)
		return res;
	res = world_file_read(path, &world->at_ms);
	if (res == RES_OK && at_ms != 0 && at_ms != world->at_ms)
		return RES_MALFORMED;
	if (res != RES_NOT_FOUND)
		return res;
	world->at_ms = at_ms != 0 ? at_ms : clock_wall_ms() / SECOND_MS * SECOND_MS;
	return world_file_write(path, world->at_ms);
}

static enum res
world_folders(struct world *world, const char *folder)
{
	char absolute[PATH_MAX];
	enum res res = lab_folder_make(folder);

	if (res != RES_OK)
		return res;
	if (realpath(folder, absolute) == NULL)
		return RES_IO;
	if (snprintf(world->folder, sizeof world->folder, "%s", absolute) >= (int)sizeof world->folder)
		return RES_LIMIT;
	res = lab_path_join(world->keys_folder, world->folder, "keys");
	return res == RES_OK ? lab_folder_make(world->keys_folder) : res;
}

enum res
world_open(struct world **out, const char *folder, int64_t at_ms)
{
	struct world *world = calloc(1, sizeof *world);
	int lock = -1;
	enum res res;

	if (world == NULL)
		return RES_NOMEM;
	res = world_folders(world, folder);
	if (res != RES_OK)
		goto out;
	lock = open(world->keys_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0) {
		res = RES_IO;
		goto out;
	}
	res = world_settle(world, at_ms);
	if (res == RES_OK)
		res = toylogs_new(&world->logs, world->keys_folder, world->at_ms);
	/* Makes the keys that most scenarios need, under the folder's lock. */
	for (enum ca_id id = 0; id <= CA_STRANGER_ISSUING && res == RES_OK; id++)
		res = world_ca_key(world, id) != NULL ? RES_OK : RES_IO;
	if (res == RES_OK && world_key(world, "server", KEY_P256) == NULL)
		res = RES_IO;
out:
	if (lock >= 0)
		close(lock);
	if (res == RES_OK)
		*out = world;
	else
		world_close(world);
	return res;
}

void
world_close(struct world *world)
{
	if (world == NULL)
		return;
	for (size_t i = 0; i < world->n_keys; i++)
		key_free(world->keys[i].key);
	toylogs_free(world->logs);
	free(world);
}

const char *
world_folder(const struct world *world)
{
	return world->folder;
}

int64_t
world_at(const struct world *world)
{
	return world->at_ms;
}

struct toylogs *
world_logs(struct world *world)
{
	return world->logs;
}

const struct key *
world_key(struct world *world, const char *name, enum key_kind kind)
{
	struct named_key *slot;
	char file[80], path[FILE_PATH_MAX];

	for (size_t i = 0; i < world->n_keys; i++)
		if (strcmp(world->keys[i].name, name) == 0)
			return world->keys[i].key;
	if (world->n_keys == WORLD_KEYS_MAX)
		return NULL;
	slot = &world->keys[world->n_keys];
	snprintf(slot->name, sizeof slot->name, "%s", name);
	snprintf(file, sizeof file, "%s.pem", name);
	if (lab_path_join(path, world->keys_folder, file) != RES_OK ||
	    key_open(&slot->key, kind, path) != RES_OK)
		return NULL;
	world->n_keys++;
	return slot->key;
}

const struct key *
world_ca_key(struct world *world, enum ca_id id)
{
	return world_key(world, cas[id].key, cas[id].kind);
}

const char *
world_ca_name(enum ca_id id)
{
	return cas[id].dn;
}

bool
world_issue(struct world *world, enum ca_id id, struct forge *f)
{
	f->issuer = cas[id].dn;
	f->issuer_key = world_ca_key(world, id);
	return f->issuer_key != NULL;
}

bool
world_ca_forge(struct world *world, enum ca_id id, struct forge *f)
{
	f->subject = cas[id].dn;
	f->serial_seed = cas[id].key;
	f->key = world_ca_key(world, id);
	f->not_before_ms = world->at_ms + cas[id].from_days * DAY_MS;
	f->not_after_ms = world->at_ms + cas[id].to_days * DAY_MS;
	f->basic = BASIC_CA;
	f->usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN;
	return f->key != NULL && world_issue(world, cas[id].issuer, f);
}
