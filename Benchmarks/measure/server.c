// The program under supervision: a tiny HTTP server that starts in well under a millisecond, so
// that what is measured is the supervisor.
//
//   server PORT [PIDFILE]   answers every request with its pid; SIGUSR1 makes it hang behind its
//                           open port, as a deadlock does
//   server burn SECONDS     keeps one core busy
//   server stamp FILE       appends the time (CLOCK_REALTIME, ns) to FILE: "an action started"
//   server idle [PIDFILE]   does nothing: a process to be watched
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void hang(int signal_number) {
  (void)signal_number;
  for (;;) pause();
}

static void write_pid(const char *path) {
  char text[32];
  int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || write(file, text, length) != length) exit(3);
  close(file);
}

static int stamp(const char *path) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  char text[32];
  int length = snprintf(text, sizeof text, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  return file >= 0 && write(file, text, length) == length ? 0 : 3;
}

static int burn(double seconds) {
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
  return 0;
}

static int serve(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 4;
  char answer[128], request[4096];
  char body[16];
  int digits = snprintf(body, sizeof body, "%d", (int)getpid());
  int length = snprintf(
      answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
      digits, body);
  for (;;) {
    int client = accept4(listener, 0, 0, SOCK_CLOEXEC);
    if (client < 0) continue;
    struct timeval limit = {.tv_usec = 200000};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (recv(client, request, sizeof request, 0) > 0) send(client, answer, length, MSG_NOSIGNAL);
    close(client);
  }
}

int main(int count, char **words) {
  if (count < 2) return 2;
  if (!strcmp(words[1], "burn") && count > 2) return burn(atof(words[2]));
  if (!strcmp(words[1], "stamp") && count > 2) return stamp(words[2]);
  if (count > 2) write_pid(words[2]);
  if (!strcmp(words[1], "idle")) hang(0);
  signal(SIGUSR1, hang);
  return serve(atoi(words[1]));
}
