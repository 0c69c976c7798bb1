#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H
// Starting, watching and signalling processes: clone3, pidfds and the few calls beside them that
// Swift cannot import because they are variadic, GNU-only or macros.
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

// Where a start failed, so that the error can say more than an errno.
enum clinux_spawn_step {
  CLINUX_SPAWN_CLONE = 1,
  CLINUX_SPAWN_CGROUP = 2,
  CLINUX_SPAWN_SESSION = 3,
  CLINUX_SPAWN_DESCRIPTORS = 4,
  CLINUX_SPAWN_LIMITS = 5,
  CLINUX_SPAWN_USER = 6,
  CLINUX_SPAWN_DIRECTORY = 7,
  CLINUX_SPAWN_EXEC = 8,
};

struct clinux_spawn_request {
  const char *program;            // absolute path
  char *const *argv;              // null-terminated
  char *const *envp;              // null-terminated
  const char *directory;          // absolute path
  int standard_input;             // open descriptors of the caller, kept open there
  int standard_output;
  int standard_error;
  int cgroup_directory;           // a new cgroup v2 directory that passed the test below, or -1
  int cgroup_procs;               // else a writable cgroup.procs, or -1
  int change_user;                // 0: the ids below are not used
  uint32_t uid;
  uint32_t gid;
  const uint32_t *groups;
  size_t group_count;
  uint64_t open_files_max;        // soft RLIMIT_NOFILE, lowered to the hard limit
};

// Starts a program in a session of its own, with every descriptor above 2 closed, handlers, mask
// and umask reset and no core dumps. Returns 0, or the errno of *step. The caller's thread waits
// until the program has been executed or has failed to be. *pidfd is close-on-exec.
int clinux_spawn(const struct clinux_spawn_request *request, pid_t *pid, int *pidfd, int *step);

// Whether a child can be started directly in this cgroup v2 directory: asked by doing it. Some
// kernels (6.18 is one) kill every such child when the group and the caller's own group have not
// been through cgroup.kill equally often.
int clinux_can_clone_into(int cgroup_directory);

int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_send_signal(int pidfd, int signal);

// Reaps a child by its pidfd without waiting. 1: it ended, *code is 0 (exited), 1 (killed) or
// 2 (killed, dumped core) and *status its exit code or signal. 0: still running. -1: errno.
int clinux_reap(int pidfd, int *code, int *status);

int clinux_pipe(int ends[2]);                            // both ends close-on-exec, non-blocking read
int clinux_memory_file(const char *name);                // memfd, close-on-exec
int clinux_open_path(int directory, const char *name);   // O_PATH | O_NOFOLLOW | O_CLOEXEC
int clinux_eventfd(void);                                // non-blocking, close-on-exec
int clinux_socket(int family, int type);                 // non-blocking, close-on-exec
const char *clinux_error_text(int code);                 // strerror(3) without a shared buffer
int clinux_set_thread_name(const char *name);
void clinux_block_signals(void);                         // all, in the calling thread

struct clinux_listen_queue {
  uint16_t port;
  uint32_t waiting;   // connections that are complete and not yet accepted
  uint32_t limit;     // the backlog that listen(2) was given
  uint32_t inode;
};

// The listening TCP sockets of this network namespace, IPv4 and IPv6, from sock_diag(7).
// Returns how many were stored, or -errno.
int clinux_listen_queues(struct clinux_listen_queue *queues, size_t capacity);

#endif
