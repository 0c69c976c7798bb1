#define _GNU_SOURCE
#include "clinux_collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

int64_t clinux_clock_nanoseconds(int clock_id) {
  struct timespec now;
  if (clock_gettime(clock_id, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int clinux_open_read(int directory, const char *path) {
  // O_NONBLOCK: a FIFO in the place of a file must not stop a collector.
  int descriptor = openat(directory < 0 ? AT_FDCWD : directory, path,
                          O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return descriptor < 0 ? -errno : descriptor;
}

int clinux_open_directory(const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  return descriptor < 0 ? -errno : descriptor;
}

long clinux_pread(int descriptor, void *buffer, size_t capacity, int64_t offset) {
  for (;;) {
    ssize_t count = pread(descriptor, buffer, capacity, offset);
    if (count >= 0) return count;
    if (errno != EINTR) return -errno;
  }
}

int clinux_timer_open(int64_t first, int64_t every) {
  int descriptor = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (descriptor < 0) return -errno;
  struct itimerspec when = {
      .it_value = {.tv_sec = first / 1000000000, .tv_nsec = first % 1000000000},
      .it_interval = {.tv_sec = every / 1000000000, .tv_nsec = every % 1000000000},
  };
  if (timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL) != 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  return descriptor;
}

int clinux_event_open(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

int clinux_event_signal(int descriptor) {
  uint64_t one = 1;
  return write(descriptor, &one, sizeof one) == sizeof one ? 0 : -errno;
}

int64_t clinux_event_take(int descriptor) {
  uint64_t count = 0;
  if (read(descriptor, &count, sizeof count) != sizeof count) return 0;
  return (int64_t)count;
}

int clinux_wait_two(int first, int second, int timeout_milliseconds) {
  struct pollfd both[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
  int ready = poll(both, 2, timeout_milliseconds);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  return (both[0].revents ? 1 : 0) | (both[1].revents ? 2 : 0);
}

int clinux_filesystem_read(const char *path, struct clinux_filesystem *out) {
  struct statfs figures;
  if (statfs(path, &figures) != 0) return -errno;
  out->block_size = (uint64_t)figures.f_bsize;
  out->blocks = figures.f_blocks;
  out->blocks_free = figures.f_bfree;
  out->blocks_available = figures.f_bavail;
  out->files = figures.f_files;
  out->files_free = figures.f_ffree;
  out->flags = (uint64_t)figures.f_flags;
  return 0;
}

static int visit_entries(int directory, int32_t *out, size_t capacity, int *more) {
  char buffer[16384] __attribute__((aligned(8)));
  if (lseek(directory, 0, SEEK_SET) < 0) return -errno;
  size_t count = 0;
  if (more) *more = 0;
  for (;;) {
    ssize_t filled = getdents64(directory, buffer, sizeof buffer);
    if (filled < 0) return -errno;
    if (filled == 0) return (int)count;
    for (ssize_t at = 0; at < filled;) {
      struct dirent64 *entry = (struct dirent64 *)(buffer + at);
      at += entry->d_reclen;
      const char *name = entry->d_name;
      if (out == NULL) {
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) count++;
        continue;
      }
      if (*name < '1' || *name > '9') continue;
      int64_t number = 0;
      for (; *name >= '0' && *name <= '9' && number < INT32_MAX; name++)
        number = number * 10 + (*name - '0');
      if (*name != 0 || number > INT32_MAX) continue;
      if (count == capacity) {
        if (more) *more = 1;
        return (int)count;
      }
      out[count++] = (int32_t)number;
    }
  }
}

int clinux_numeric_entries(int directory, int32_t *out, size_t capacity, int *more) {
  return visit_entries(directory, out, capacity, more);
}

int clinux_count_entries(int directory) { return visit_entries(directory, NULL, 0, NULL); }

int clinux_timex_read(struct clinux_timex *out) {
  struct timex now;
  memset(&now, 0, sizeof now);
  int result = adjtimex(&now);
  if (result < 0) return -errno;
  *out = (struct clinux_timex){
      .offset = now.offset, .frequency = now.freq, .maximum_error = now.maxerror,
      .estimated_error = now.esterror, .status = now.status, .constant = now.constant,
      .tick = now.tick, .pps_frequency = now.ppsfreq, .jitter = now.jitter, .shift = now.shift,
      .stability = now.stabil, .jitter_count = now.jitcnt, .calibration_count = now.calcnt,
      .error_count = now.errcnt, .stability_count = now.stbcnt, .tai = now.tai, .result = result,
  };
  return 0;
}

int clinux_zone_read(struct clinux_zone *out) {
  time_t now = time(NULL);
  struct tm local;
  tzset();
  if (localtime_r(&now, &local) == NULL) return -errno;
  out->offset_seconds = local.tm_gmtoff;
  strncpy(out->name, local.tm_zone ? local.tm_zone : "", sizeof out->name - 1);
  out->name[sizeof out->name - 1] = 0;
  return 0;
}

int clinux_connect_local(const char *path, int seconds) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  struct timeval patience = {.tv_sec = seconds};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}

int clinux_names_read(struct clinux_names *out) {
  struct utsname names;
  if (uname(&names) != 0) return -errno;
  memcpy(out->system, names.sysname, 65);
  memcpy(out->node, names.nodename, 65);
  memcpy(out->release, names.release, 65);
  memcpy(out->version, names.version, 65);
  memcpy(out->machine, names.machine, 65);
  memcpy(out->domain, names.domainname, 65);
  return 0;
}

long clinux_page_bytes(void) { return sysconf(_SC_PAGESIZE); }

long clinux_ticks_per_second(void) { return sysconf(_SC_CLK_TCK); }
