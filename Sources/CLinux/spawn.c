#define _GNU_SOURCE
#include "clinux_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// One mapping shared with the child, whether or not it shares the rest of the memory: its stack,
// and above it where it says what went wrong.
struct report {
  int step;
  int error;
};

enum { STACK_BYTES = 128 * 1024, MAPPING_BYTES = STACK_BYTES + 4096 };

struct child {
  const struct clinux_spawn_request *request;
  struct report *report;
  int join_cgroup;
  int probe_only;
};

static void fail(struct child *child, int step, int error) {
  child->report->step = step;
  child->report->error = error;
  _exit(127);
}

// Descriptors may sit on 0, 1 or 2 already: all three are first moved out of the way.
static void place_descriptors(struct child *child) {
  const struct clinux_spawn_request *request = child->request;
  int sources[3] = {request->standard_input, request->standard_output, request->standard_error};
  for (int i = 0; i < 3; i++) {
    int moved = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
    if (moved < 0) fail(child, CLINUX_SPAWN_DESCRIPTORS, errno);
    sources[i] = moved;
  }
  for (int i = 0; i < 3; i++)
    if (dup2(sources[i], i) < 0) fail(child, CLINUX_SPAWN_DESCRIPTORS, errno);
  if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0) {
    struct rlimit limit;
    int last = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int)limit.rlim_cur : 65536;
    for (int descriptor = 3; descriptor < last; descriptor++) close(descriptor);
  }
}

static void set_limits(struct child *child) {
  struct rlimit core = {0, 0};
  if (setrlimit(RLIMIT_CORE, &core) != 0) fail(child, CLINUX_SPAWN_LIMITS, errno);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) fail(child, CLINUX_SPAWN_LIMITS, errno);
  files.rlim_cur = child->request->open_files_max;
  if (files.rlim_max != RLIM_INFINITY && files.rlim_cur > files.rlim_max)
    files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail(child, CLINUX_SPAWN_LIMITS, errno);
}

// A child must not inherit the agent's protection from the OOM killer (proc(5)). The kernel keeps
// this write to the child even while it shares memory with its vfork(2) parent.
static void reset_oom_score(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t written = write(file, "0", 1);
  (void)written;
  close(file);
}

// Raw calls: glibc's wrappers would change the ids of every thread of the parent's memory.
static void change_user(struct child *child) {
  const struct clinux_spawn_request *request = child->request;
  if (!request->change_user) return;
  if (syscall(SYS_setgroups, request->group_count, request->groups) != 0 ||
      syscall(SYS_setresgid, request->gid, request->gid, request->gid) != 0 ||
      syscall(SYS_setresuid, request->uid, request->uid, request->uid) != 0)
    fail(child, CLINUX_SPAWN_USER, errno);
}

// The kernel's own call: glibc's refuses the two signals that it uses itself, which an ancestor
// may have left ignored. All zero is the default action, on every architecture.
static void reset_signals(void) {
  const unsigned long standard[8] = {0};
  for (int number = 1; number <= 64; number++)
    syscall(SYS_rt_sigaction, number, standard, NULL, 8UL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_main(void *argument) {
  struct child *child = argument;
  const struct clinux_spawn_request *request = child->request;
  if (child->probe_only) _exit(0);
  if (child->join_cgroup && write(request->cgroup_procs, "0", 1) != 1)
    fail(child, CLINUX_SPAWN_CGROUP, errno);
  if (setsid() < 0) fail(child, CLINUX_SPAWN_SESSION, errno);
  place_descriptors(child);
  set_limits(child);
  reset_oom_score();
  change_user(child);
  umask(022);
  if (chdir(request->directory) != 0) fail(child, CLINUX_SPAWN_DIRECTORY, errno);
  reset_signals();
  execve(request->program, request->argv, request->envp);
  fail(child, CLINUX_SPAWN_EXEC, errno);
  return 127;
}

// clone3(2) on a stack of its own, as glibc does it inside: not exported there. Returns -ENOSYS
// where neither the kernel nor this file knows how.
static long clone3_on_stack(struct clone_args *arguments, struct child *child) {
#if defined(__x86_64__)
  long result = SYS_clone3;
  register int (*entry)(void *) __asm__("r12") = child_main;
  register void *argument __asm__("r13") = child;
  __asm__ volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %%r13, %%rdi\n\t"
      "callq *%%r12\n\t"
      "ud2\n"
      "1:\n\t"
      : "+a"(result)
      : "D"(arguments), "S"(sizeof *arguments), "r"(entry), "r"(argument)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = SYS_clone3;
  register long result __asm__("x0") = (long)arguments;
  register long size __asm__("x1") = sizeof *arguments;
  register int (*entry)(void *) __asm__("x20") = child_main;
  register void *argument __asm__("x21") = child;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x0, x21\n\t"
      "blr x20\n\t"
      "brk #1\n"
      "1:\n\t"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(entry), "r"(argument)
      : "memory", "cc", "x30");
  return result;
#else
  (void)arguments;
  (void)child;
  return -ENOSYS;
#endif
}

// A child that keeps the caller's user shares its memory until exec: nothing is copied, which is
// what makes a restart fast. One that changes its user gets a copy, because memory must never be
// shared across users.
static long start(struct child *child, char *stack, int *pidfd) {
  const struct clinux_spawn_request *request = child->request;
  uint64_t sharing = request->change_user ? 0 : CLONE_VM;
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = CLONE_VFORK | CLONE_PIDFD | sharing;
  arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = (uint64_t)(uintptr_t)stack;
  arguments.stack_size = STACK_BYTES;
  child->join_cgroup = request->cgroup_procs >= 0;
  long pid = -ENOSYS;
  if (request->cgroup_directory >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)request->cgroup_directory;
    child->join_cgroup = 0;
    pid = clone3_on_stack(&arguments, child);
    if (pid >= 0) return pid;
    arguments.flags &= ~CLONE_INTO_CGROUP;
    arguments.cgroup = 0;
    child->join_cgroup = request->cgroup_procs >= 0;
  }
  pid = clone3_on_stack(&arguments, child);
  if (pid >= 0 || (pid != -ENOSYS && pid != -EPERM && pid != -EINVAL)) return pid;
  int old = clone(child_main, stack + STACK_BYTES,
                  (int)(CLONE_VFORK | CLONE_PIDFD | sharing) | SIGCHLD, child, pidfd);
  return old >= 0 ? old : -errno;
}

int clinux_spawn(const struct clinux_spawn_request *request, pid_t *pid, int *pidfd, int *step) {
  *step = CLINUX_SPAWN_CLONE;
  *pidfd = -1;
  char *mapping = mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return errno;
  struct report *report = (struct report *)(mapping + STACK_BYTES);
  struct child child = {request, report, 0, 0};
  int cancellation;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);

  long result = start(&child, mapping, pidfd);

  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_setcancelstate(cancellation, NULL);
  int error = 0;
  if (result < 0) {
    error = (int)-result;
  } else if (report->step != 0) {
    *step = report->step;
    error = report->error;
    siginfo_t info;
    while (waitid((idtype_t)P_PIDFD, (id_t)*pidfd, &info, WEXITED) != 0 && errno == EINTR) {
    }
    close(*pidfd);
    *pidfd = -1;
  } else {
    *pid = (pid_t)result;
    *step = 0;
  }
  munmap(mapping, MAPPING_BYTES);
  return error;
}

int clinux_can_clone_into(int cgroup_directory) {
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return 0;
  struct child child = {NULL, NULL, 0, 1};
  int pidfd = -1;
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = CLONE_VFORK | CLONE_VM | CLONE_PIDFD | CLONE_INTO_CGROUP;
  arguments.pidfd = (uint64_t)(uintptr_t)&pidfd;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = (uint64_t)(uintptr_t)stack;
  arguments.stack_size = STACK_BYTES;
  arguments.cgroup = (uint64_t)cgroup_directory;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  long pid = clone3_on_stack(&arguments, &child);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  int works = 0;
  if (pid > 0) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) != 0 && errno == EINTR) {
    }
    works = info.si_code == CLD_EXITED && info.si_status == 0;
    close(pidfd);
  }
  munmap(stack, STACK_BYTES);
  return works;
}

int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0U); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U);
}

int clinux_reap(int pidfd, int *code, int *status) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) return -1;
  if (info.si_pid == 0) return 0;
  *code = info.si_code == CLD_EXITED ? 0 : info.si_code == CLD_DUMPED ? 2 : 1;
  *status = info.si_status;
  return 1;
}

int clinux_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int error = errno;
  close(ends[0]);
  close(ends[1]);
  errno = error;
  return -1;
}

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_open_path(int directory, const char *name) {
  return openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_socket(int family, int type) {
  return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

const char *clinux_error_text(int code) {
  const char *text = strerrordesc_np(code);
  return text != NULL ? text : "unknown error";
}

int clinux_set_thread_name(const char *name) { return pthread_setname_np(pthread_self(), name); }

void clinux_block_signals(void) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static int read_listeners(int socket, struct clinux_listen_queue *queues, size_t capacity,
                          size_t *count) {
  char buffer[16384];
  for (;;) {
    ssize_t length = recv(socket, buffer, sizeof buffer, 0);
    if (length < 0) return errno;
    if (length == 0) return 0;
    struct nlmsghdr *header = (struct nlmsghdr *)buffer;
    for (unsigned left = (unsigned)length; NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return 0;
      if (header->nlmsg_type == NLMSG_ERROR)
        return -((struct nlmsgerr *)NLMSG_DATA(header))->error;
      const struct inet_diag_msg *message = NLMSG_DATA(header);
      if (*count == capacity) continue;
      queues[(*count)++] = (struct clinux_listen_queue){
          ntohs(message->id.idiag_sport), message->idiag_rqueue, message->idiag_wqueue,
          message->idiag_inode};
    }
  }
}

int clinux_listen_queues(struct clinux_listen_queue *queues, size_t capacity) {
  int diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (diag < 0) return -errno;
  struct timeval patience = {0, 200000};
  setsockopt(diag, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  size_t count = 0;
  int error = 0;
  const int families[2] = {AF_INET, AF_INET6};
  for (int i = 0; i < 2 && error == 0; i++) {
    struct {
      struct nlmsghdr header;
      struct inet_diag_req_v2 body;
    } request;
    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = (uint8_t)families[i];
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = 1 << 10;  // TCP_LISTEN, include/net/tcp_states.h
    if (send(diag, &request, sizeof request, 0) < 0) error = errno;
    if (error == 0) error = read_listeners(diag, queues, capacity, &count);
    if (error == ENOENT) error = 0;
  }
  close(diag);
  return error == 0 ? (int)count : -error;
}
