#ifndef CLINUX_H
#define CLINUX_H
// What Swift cannot import from glibc and the kernel: variadic calls, GNU-only functions, macros.
#define _GNU_SOURCE
#endif
