/* Creates, fills and removes temporary folders. */
#include "tests/support/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int folder_make(struct folder *folder)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder->path, sizeof(folder->path), "%s/openscan-test-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder->path)) {
		folder->path[0] = '\0';
		return -errno;
	}
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void folder_remove(struct folder *folder)
{
	if (!folder->path[0])
		return;
	nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	folder->path[0] = '\0';
}

char *folder_path(const struct folder *folder, char out[PATH_MAX], const char *name)
{
	size_t length = strlen(folder->path);

	memcpy(out, folder->path, length);
	snprintf(out + length, PATH_MAX - length, "/%s", name);
	return out;
}

char *file_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	size_t used = 0, room = 4096, got;
	char *text;

	if (!file)
		return NULL;
	text = malloc(room);
	while (text && (got = fread(text + used, 1, room - used - 1, file)) > 0) {
		used += got;
		if (room - used < 2) {
			char *more = realloc(text, room * 2);

			if (!more)
				break;
			text = more;
			room *= 2;
		}
	}
	if (text)
		text[used] = '\0';
	if (size)
		*size = used;
	fclose(file);
	return text;
}

int file_write(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");
	bool whole;

	if (!file)
		return -errno;
	whole = fwrite(bytes, 1, size, file) == size;
	return fclose(file) == 0 && whole ? 0 : -EIO;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
