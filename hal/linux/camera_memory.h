/* The bytes of a camera's buffer, which lie in a file of the kernel's. */
#ifndef HAL_LINUX_CAMERA_MEMORY_H
#define HAL_LINUX_CAMERA_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct camera_memory;

/* length bytes from offset on.  The file stays the caller's, who keeps it open for as
 * long as this lives.  NULL when it cannot be mapped, or memory is out. */
struct camera_memory *camera_memory_map(int file, size_t offset, size_t length);
void camera_memory_unmap(struct camera_memory *memory); /* NULL is fine */

/* The first size bytes, or all there are.  Waits until the camera's own are in memory. */
void camera_memory_copy(const struct camera_memory *memory, uint8_t *to, size_t size);

#endif
