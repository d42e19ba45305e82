/* Maps a camera's DMA buffer and copies it with the right cache synchronization. */
#include "hal/linux/camera_memory.h"

#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

struct camera_memory {
	int file;
	size_t offset, length;
	uint8_t *bytes; /* of the file, from its beginning */
};

struct camera_memory *camera_memory_map(int file, size_t offset, size_t length)
{
	struct camera_memory *memory = malloc(sizeof(*memory));
	void *bytes = mmap(NULL, offset + length, PROT_READ, MAP_SHARED, file, 0);

	if (!memory || bytes == MAP_FAILED) {
		if (bytes != MAP_FAILED)
			munmap(bytes, offset + length);
		free(memory);
		return NULL;
	}
	*memory = (struct camera_memory){file, offset, length, bytes};
	return memory;
}

void camera_memory_unmap(struct camera_memory *memory)
{
	if (!memory)
		return;
	munmap(memory->bytes, memory->offset + memory->length);
	free(memory);
}

/* Memory that needs no synchronization refuses the ioctl, which is fine. */
static void memory_sync(const struct camera_memory *memory, uint64_t edge)
{
	struct dma_buf_sync order = {edge | DMA_BUF_SYNC_READ};

	(void)ioctl(memory->file, DMA_BUF_IOCTL_SYNC, &order);
}

void camera_memory_copy(const struct camera_memory *memory, uint8_t *to, size_t size)
{
	memory_sync(memory, DMA_BUF_SYNC_START);
	memcpy(to, memory->bytes + memory->offset,
	       size < memory->length ? size : memory->length);
	memory_sync(memory, DMA_BUF_SYNC_END);
}
