#ifndef CLINUX_H
#define CLINUX_H
// What Swift cannot import from glibc and the kernel: variadic calls, GNU-only functions, macros.
// _GNU_SOURCE belongs in the .c files: defined here, system types would differ from Glibc's.
#include "clinux_collect.h"
#include "clinux_spawn.h"
#include "clinux_privileges.h"
#include "clinux_memory.h"
#endif
