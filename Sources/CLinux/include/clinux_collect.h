#ifndef CLINUX_COLLECT_H
#define CLINUX_COLLECT_H
// What the collectors need from the kernel and cannot say in Swift: clocks and timers, file system
// figures, directory entries, and the three netlink conversations (links, link counters, sockets).
// Every function returns 0 or a count when it succeeded, and a negative errno when it did not.
#include <stddef.h>
#include <stdint.h>

/// Seconds and nanoseconds of a clock in one number of nanoseconds (clock_gettime(2)).
int64_t clinux_clock_nanoseconds(int clock_id);
#define CLINUX_CLOCK_REALTIME 0
#define CLINUX_CLOCK_THREAD_CPU 3
#define CLINUX_CLOCK_PROCESS_CPU 2
#define CLINUX_CLOCK_BOOTTIME 7

/// Opens with O_CLOEXEC and O_NONBLOCK, for reading; `directory` may be -1 for the working directory.
int clinux_open_read(int directory, const char *path);
/// Opens a directory with O_CLOEXEC.
int clinux_open_directory(const char *path);
/// One pread(2) that starts again after EINTR.
long clinux_pread(int descriptor, void *buffer, size_t capacity, int64_t offset);

/// A timer on CLOCK_BOOTTIME that first fires at `first_nanoseconds` and then every `every_nanoseconds`.
int clinux_timer_open(int64_t first_nanoseconds, int64_t every_nanoseconds);
/// An eventfd, non-blocking, close-on-exec.
int clinux_event_open(void);
/// Adds one to an eventfd.
int clinux_event_signal(int descriptor);
/// Takes the count of an eventfd or timerfd; 0 when there is nothing.
int64_t clinux_event_take(int descriptor);
/// Waits until one of two descriptors is readable; bit 0 and bit 1 of the result say which.
int clinux_wait_two(int first, int second, int timeout_milliseconds);

struct clinux_filesystem {
  uint64_t block_size;
  uint64_t blocks, blocks_free, blocks_available;
  uint64_t files, files_free;
  uint64_t flags;
};
/// statfs(2); hangs as long as the file system does.
int clinux_filesystem_read(const char *path, struct clinux_filesystem *out);

/// Calls back for the numeric entries of a directory such as /proc; entries are written as numbers.
/// Returns how many were stored, at most `capacity`; `*more` is 1 when there were more than that.
int clinux_numeric_entries(int directory, int32_t *out, size_t capacity, int *more);
/// How many entries a directory has, without `.` and `..`.
int clinux_count_entries(int directory);

struct clinux_timex {
  int64_t offset, frequency, maximum_error, estimated_error;
  int64_t status, constant, tick, pps_frequency, jitter;
  int64_t shift, stability, jitter_count, calibration_count, error_count, stability_count, tai;
  int64_t result;
};
/// adjtimex(2) without a change.
int clinux_timex_read(struct clinux_timex *out);

/// The counters of one network device, as in `struct rtnl_link_stats64` (linux/if_link.h).
struct clinux_link_counters {
  uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped;
  uint64_t multicast, collisions;
  uint64_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors;
  uint64_t rx_missed_errors;
  uint64_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors;
  uint64_t tx_window_errors;
  uint64_t rx_compressed, tx_compressed, rx_nohandler;
};

struct clinux_link {
  int32_t index;
  uint32_t flags;
  uint16_t type;
  uint8_t operational_state;
  uint8_t link_mode;
  uint8_t carrier;
  uint8_t address_length;
  uint8_t broadcast_length;
  uint8_t reserved;
  uint8_t address[32];
  uint8_t broadcast[32];
  char name[16];
  char alias[256];
  uint32_t mtu, group, link, queue_length, promiscuity;
  uint32_t carrier_changes, carrier_up, carrier_down;
  struct clinux_link_counters counters;
};

struct clinux_link_statistics {
  int32_t index;
  uint32_t reserved;
  struct clinux_link_counters counters;
};

/// A route netlink socket with a receive timeout of one second.
int clinux_route_open(void);
/// All devices with attributes and counters (RTM_GETLINK). Stores at most `capacity`.
int clinux_links_read(int socket, void *buffer, size_t buffer_size, struct clinux_link *out,
                      size_t capacity);
/// The counters of all devices alone (RTM_GETSTATS, since Linux 4.7), which costs far less.
int clinux_link_statistics_read(int socket, void *buffer, size_t buffer_size,
                                struct clinux_link_statistics *out, size_t capacity);

/// TCP sockets by state (the numbers of include/net/tcp_states.h, 1 to 12) and bytes queued.
struct clinux_tcp_states {
  uint64_t count[16];
  uint64_t receive_queued_bytes, transmit_queued_bytes;
};
/// A socket-diagnosis netlink socket with a receive timeout of one second.
int clinux_diagnosis_open(void);
/// Adds all TCP sockets of a family (2: IPv4, 10: IPv6) to `out`.
int clinux_tcp_states_read(int socket, int family, void *buffer, size_t buffer_size,
                           struct clinux_tcp_states *out);

struct clinux_zone {
  int64_t offset_seconds;
  char name[32];
};
/// The time zone in force now (localtime_r(3)).
int clinux_zone_read(struct clinux_zone *out);

/// Connects to a stream socket in the file system; reads and writes on it wait at most `seconds`.
int clinux_connect_local(const char *path, int seconds);

struct clinux_names {
  char system[65], node[65], release[65], version[65], machine[65], domain[65];
};
/// uname(2).
int clinux_names_read(struct clinux_names *out);

/// The size of a memory page, and the clock ticks a second in which /proc counts CPU time.
long clinux_page_bytes(void);
long clinux_ticks_per_second(void);

#endif
