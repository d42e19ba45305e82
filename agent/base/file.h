/* Replaces files atomically: after a crash or a power cut a file has its old content or
 * its new one, whole. */
#ifndef AGENT_BASE_FILE_H
#define AGENT_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#define FILE_TEMP_NAME 64

/* Replaces path, or makes it, with mode.  It is written as "<path>.new" first, so only
 * one thread may replace the same path at a time.  Blocks until the disk has it; 0 or a
 * negative errno, for which the caller writes the sentence. */
int file_replace(const char *path, const void *bytes, size_t size, mode_t mode);

/* The same for the file name in the folder that the descriptor folder is open on.  Any
 * number of threads may replace it at the same time; the last one wins. */
int file_replace_at(int folder, const char *name, const void *bytes, size_t size,
		    mode_t mode);

/* ---- for files that are filled in another way ---- */

/* Chooses a name that no other call in this process returns.  A crash of an earlier
 * process may have left a file of that name. */
void file_temp_name(char temp[FILE_TEMP_NAME]);

/* Renames temp to name and syncs the folder.  When written, the result of filling temp,
 * is negative or the renaming fails, temp is removed instead. */
int file_put_in_place(int folder, const char *temp, const char *name, int written);

/* Writes all bytes, however many calls that takes; does not sync. */
int file_write_all(int fd, const void *bytes, size_t size);

#endif
