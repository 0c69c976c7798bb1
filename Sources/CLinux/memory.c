#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "clinux_memory.h"

// A segment without the right to write is never relocated (text and constants; what is relocated
// and then protected, RELRO, lies in a writable one), so all its pages can be read again.
static int give_back(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  // The kernel's own page is not a file's.
  if (strstr(info->dlpi_name, "vdso") != NULL) return 0;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + page - 1) & ~(page - 1);
    // Advice: what is refused stays as it is.
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void clinux_give_back_code(void) { dl_iterate_phdr(give_back, NULL); }
