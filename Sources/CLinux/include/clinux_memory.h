#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

// Unmaps the pages of code and constants of this process (madvise(2), MADV_DONTNEED); those that
// are needed again come back from the page cache, one fault for 64 KiB.
void clinux_give_back_code(void);

#endif
