// A program that goes wrong on request, for the scenarios. Each test compiles it into a folder of
// its own, so that its path names the processes of that test and of no other.
//
//   faults serve PORT BAD   answers HTTP on 127.0.0.1:PORT: 200, or 503 while the file BAD exists;
//                           after SIGUSR1 it accepts connections and never answers again
//   faults crash FILE MS    adds a line to FILE, lives MS milliseconds, exits with status 3
//   faults leak FLAG MIB MAX  once FLAG exists, removes it, then takes MIB MiB every 100 ms up to
//                           MAX MiB; without FLAG it only waits
//   faults burn SECONDS     keeps one processor busy
//   faults wait             does nothing
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t must_lock;
static const char *bad_file;

static void request_deadlock(int signal) {
  (void)signal;
  must_lock = 1;
}

// Two threads that want the same two locks in opposite order would do the same; one lock that is
// never given back needs no luck.
static void *holder(void *unused) {
  (void)unused;
  pthread_mutex_lock(&first);
  for (;;) pause();
  return NULL;
}

static void *answer(void *argument) {
  int client = (int)(long)argument;
  char request[4096];
  struct timeval limit = {5, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (recv(client, request, sizeof request, 0) <= 0) {
    close(client);
    return NULL;
  }
  pthread_mutex_lock(&first);
  int bad = access(bad_file, F_OK) == 0;
  pthread_mutex_unlock(&first);
  char text[256];
  int length = snprintf(text, sizeof text,
      "HTTP/1.1 %s\r\nContent-Length: 3\r\nConnection: close\r\n\r\n%s",
      bad ? "503 Service Unavailable" : "200 OK", bad ? "no\n" : "ok\n");
  send(client, text, (size_t)length, MSG_NOSIGNAL);
  shutdown(client, SHUT_WR);
  recv(client, request, sizeof request, 0);
  close(client);
  return NULL;
}

static int serve(int port, const char *bad) {
  bad_file = bad;
  struct sigaction action = {.sa_handler = request_deadlock};
  sigaction(SIGUSR1, &action, NULL);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A predecessor may still be on its way out.
  for (int i = 0; bind(server, (struct sockaddr *)&address, sizeof address) != 0; i++) {
    if (i == 50) {
      perror("bind");
      return 1;
    }
    usleep(20000);
  }
  listen(server, 128);
  for (;;) {
    int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    pthread_t thread;
    if (must_lock == 1) {
      must_lock = 2;
      pthread_create(&thread, NULL, holder, NULL);
      usleep(50000);
    }
    if (client < 0) continue;
    if (pthread_create(&thread, NULL, answer, (void *)(long)client) == 0) {
      pthread_detach(thread);
    } else {
      close(client);
    }
  }
}

static int crash(const char *file, int milliseconds) {
  int log = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dprintf(log, "%d\n", getpid());
  usleep((useconds_t)milliseconds * 1000);
  return 3;
}

static int leak(const char *flag, size_t step, size_t most) {
  while (unlink(flag) != 0) usleep(50000);
  for (size_t taken = 0; taken < most; taken += step) {
    char *block = malloc(step << 20);
    if (block) memset(block, 1, step << 20);
    usleep(100000);
  }
  for (;;) pause();
  return 0;
}

static int burn(int seconds) {
  time_t end = time(NULL) + seconds;
  volatile unsigned long count = 0;
  while (time(NULL) < end) count++;
  return 0;
}

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "";
  if (!strcmp(what, "serve") && count == 4) return serve(atoi(words[2]), words[3]);
  if (!strcmp(what, "crash") && count == 4) return crash(words[2], atoi(words[3]));
  if (!strcmp(what, "leak") && count == 5)
    return leak(words[2], (size_t)atoi(words[3]), (size_t)atoi(words[4]));
  if (!strcmp(what, "burn") && count == 3) return burn(atoi(words[2]));
  if (!strcmp(what, "wait"))
    for (;;) pause();
  fprintf(stderr, "faults: unknown request\n");
  return 2;
}
