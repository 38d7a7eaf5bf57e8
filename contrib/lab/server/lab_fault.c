#include "contrib/lab/server/lab_fault.h"
#include "base/text.h"

#include <string.h>

static const struct {
	const char *name;
	const char *form; /* of the value; NULL: takes none */
	const char *text;
} rows[FAULT_COUNT] = {
#define FAULT(id, name, value, text) [FAULT_##id] = {name, value, text},
#include "contrib/lab/server/lab_faults.def"
#undef FAULT
};

/* Is this the value of a fault that takes a number? */
static bool
value_is_number(const char *value)
{
	int64_t number;

	return number_read(&number, value) == RES_OK && number >= 0;
}

/* One item of n bytes. */
static bool
fault_add(struct lab_faults *faults, const char *item, size_t n)
{
	const char *equals = memchr(item, '=', n);
	size_t name = equals != NULL ? (size_t)(equals - item) : n, value = equals != NULL ? n - name - 1 : 0;

	for (size_t i = 0; i < FAULT_COUNT; i++) {
		if (strlen(rows[i].name) != name || memcmp(rows[i].name, item, name) != 0)
			continue;
		if ((rows[i].form != NULL) != (equals != NULL) || value >= FAULT_VALUE_MAX)
			return false;
		memcpy(faults->value[i], item + n - value, value);
		faults->value[i][value] = '\0';
		faults->set[i] = rows[i].form == NULL || strcmp(rows[i].form, "N") != 0 ||
				 value_is_number(faults->value[i]);
		return faults->set[i];
	}
	return false;
}

bool
lab_faults_add(struct lab_faults *faults, const char *text, const char **bad)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (!fault_add(faults, text, n)) {
			*bad = text;
			return false;
		}
		text += n + (text[n] == ',');
	}
	return true;
}

bool
lab_fault_has(const struct lab_faults *faults, enum fault fault)
{
	return faults->set[fault];
}

int64_t
lab_fault_number(const struct lab_faults *faults, enum fault fault)
{
	int64_t number;

	return number_read(&number, faults->value[fault]) == RES_OK ? number : 0;
}

const char *
lab_fault_name(enum fault fault)
{
	return rows[fault].name;
}

const char *
lab_fault_text(enum fault fault)
{
	return rows[fault].text;
}

const char *
lab_fault_form(enum fault fault)
{
	return rows[fault].form;
}
