/* The bytes of a camera's buffer, in a dma-buf of the kernel. */
#ifndef HAL_LINUX_CAMERA_MEMORY_H
#define HAL_LINUX_CAMERA_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct camera_memory;

/* Maps length bytes from offset on.  The caller keeps the file open until it is unmapped.
 * NULL if it cannot be mapped or memory is out. */
struct camera_memory *camera_memory_map(int file, size_t offset, size_t length);
void camera_memory_unmap(struct camera_memory *memory); /* NULL is fine */

/* Copies the first size bytes, or all there are.  Waits until the camera's writes are
 * visible. */
void camera_memory_copy(const struct camera_memory *memory, uint8_t *to, size_t size);

#endif
