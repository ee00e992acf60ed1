// sink: the target of the bench. One epoll thread that reads HTTP/1.1 requests on keep-alive connections, throws their
// bodies away, and answers each with a tiny 200, so cheaply that it does not blur what is measured in front of it.
//
//   sink [--port P] [--fail-every N]
//
// Listens on 127.0.0.1 only (port 0, the default: the system chooses) and prints {"port":P} as its first line.
// `GET /count` answers what came so far, `GET /reset` answers the same and begins again at nought; neither is counted.
// With --fail-every N each N-th request is answered 503. SIGTERM and SIGINT end it; the counts are its last line.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16 * 1024, OUT_MAX = 32 * 1024, READY_MAX = 256 };

// One connection: the bytes of heads not yet read whole, and how much of a body is still to be thrown away.
typedef struct {
  int fd;
  size_t held;
  uint64_t body_left;
  bool close_after;
  int answer;  // what the request whose body is being read will get: index into `answers`
  char in[HEAD_MAX];
} Connection;

enum { ANSWER_OK, ANSWER_BUSY, ANSWER_COUNT, ANSWER_RESET };

static struct {
  uint64_t requests, failed, bytes, connections, broken;
  double first, last;  // seconds on the monotonic clock
} counts;

static uint64_t fail_every;
static volatile sig_atomic_t stopping;

static const char ok_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
static const char busy_answer[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"ok\":false}";

static void fail(const char *what) {
  fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int write_counts(char *to, size_t room) {
  return snprintf(to, room,
                  "{\"requests\":%llu,\"failed\":%llu,\"body_bytes\":%llu,\"connections\":%llu,\"broken\":%llu,"
                  "\"span_seconds\":%.6f,\"cpu_seconds\":%.6f}",
                  (unsigned long long)counts.requests, (unsigned long long)counts.failed,
                  (unsigned long long)counts.bytes, (unsigned long long)counts.connections,
                  (unsigned long long)counts.broken, counts.last - counts.first, cpu_seconds());
}

static void reset_counts(void) {
  uint64_t connections = counts.connections;
  memset(&counts, 0, sizeof counts);
  counts.connections = connections;
}

// MARK: - One request

// Judges a whole head (it ends with an empty line): false if the connection must be dropped.
static bool read_head(Connection *c, const char *head, size_t length) {
  const char *end = head + length;
  c->body_left = 0;
  c->close_after = false;
  for (const char *line = head; line < end;) {
    const char *next = memchr(line, '\n', (size_t)(end - line));
    if (next == NULL) break;
    if (strncasecmp(line, "content-length:", 15) == 0) {
      c->body_left = strtoull(line + 15, NULL, 10);
    } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
      return false;
    } else if (strncasecmp(line, "connection: close", 17) == 0) {
      c->close_after = true;
    }
    line = next + 1;
  }
  if (strncmp(head, "GET /count", 10) == 0) {
    c->answer = ANSWER_COUNT;
  } else if (strncmp(head, "GET /reset", 10) == 0) {
    c->answer = ANSWER_RESET;
  } else {
    counts.requests += 1;
    counts.bytes += c->body_left;
    c->answer = fail_every != 0 && counts.requests % fail_every == 0 ? ANSWER_BUSY : ANSWER_OK;
  }
  return true;
}

// Appends the answer to the request just read to its end.
static size_t write_answer(Connection *c, char *out, size_t room) {
  if (c->answer == ANSWER_OK || c->answer == ANSWER_BUSY) {
    bool ok = c->answer == ANSWER_OK;
    size_t length = ok ? sizeof ok_answer - 1 : sizeof busy_answer - 1;
    memcpy(out, ok ? ok_answer : busy_answer, length);
    counts.failed += ok ? 0 : 1;
    counts.last = now_seconds();
    if (counts.first == 0) counts.first = counts.last;
    return length;
  }
  char body[512];
  int length = write_counts(body, sizeof body);
  if (c->answer == ANSWER_RESET) reset_counts();
  return (size_t)snprintf(out, room,
                          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length,
                          body);
}

// MARK: - One connection

// Takes all whole requests out of what was read and answers them together: false if the connection is to be closed.
static bool serve(Connection *c) {
  static char out[OUT_MAX];
  size_t out_length = 0, at = 0;
  bool keep = true, in_body = c->body_left > 0;
  while (keep && at < c->held) {
    if (!in_body) {
      const char *head = c->in + at;
      const char *blank = memmem(head, c->held - at, "\r\n\r\n", 4);
      if (blank == NULL) break;
      size_t length = (size_t)(blank - head) + 4;
      if (!read_head(c, head, length)) return false;
      at += length;
      in_body = true;
    }
    size_t taken = c->held - at < c->body_left ? c->held - at : (size_t)c->body_left;
    at += taken;
    c->body_left -= taken;
    if (c->body_left > 0) break;
    if (OUT_MAX - out_length < 1024) return false;
    out_length += write_answer(c, out + out_length, OUT_MAX - out_length);
    in_body = false;
    keep = !c->close_after;
  }
  memmove(c->in, c->in + at, c->held - at);
  c->held -= at;
  if (c->held == HEAD_MAX) return false;
  if (out_length > 0 && write(c->fd, out, out_length) != (ssize_t)out_length) return false;
  return keep;
}

// Reads what there is: false when the peer is gone or asked for something the sink does not do.
static bool readable(Connection *c) {
  ssize_t n = read(c->fd, c->in + c->held, HEAD_MAX - c->held);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  c->held += (size_t)n;
  bool keep = serve(c);
  if (!keep && !c->close_after) counts.broken += 1;
  return keep;
}

static void accept_all(int poll_fd, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *c = calloc(1, sizeof *c);
    if (c == NULL) fail("no memory");
    c->fd = fd;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e) != 0) fail("epoll_ctl");
    counts.connections += 1;
  }
}

// MARK: - Start and end

static int listen_on(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0) fail("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) fail("bind to 127.0.0.1");
  if (listen(fd, 1024) != 0) fail("listen");
  socklen_t length = sizeof a;
  if (getsockname(fd, (struct sockaddr *)&a, &length) != 0) fail("getsockname");
  printf("{\"port\":%d}\n", ntohs(a.sin_port));
  fflush(stdout);
  return fd;
}

static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

static void run(int poll_fd, int listener) {
  struct epoll_event ready[READY_MAX];
  while (!stopping) {
    int n = epoll_wait(poll_fd, ready, READY_MAX, -1);
    for (int i = 0; i < n; i++) {
      Connection *c = ready[i].data.ptr;
      if (c == NULL) {
        accept_all(poll_fd, listener);
      } else if (!readable(c)) {
        close(c->fd);
        free(c);
      }
    }
  }
}

int main(int argc, char **argv) {
  uint16_t port = 0;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && strcmp(argv[i], "--port") == 0) {
      port = (uint16_t)strtoul(argv[i + 1], NULL, 10);
    } else if (i + 1 < argc && strcmp(argv[i], "--fail-every") == 0) {
      fail_every = strtoull(argv[i + 1], NULL, 10);
    } else {
      fprintf(stderr, "usage: sink [--port P] [--fail-every N]\n");
      return 2;
    }
  }
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);

  int listener = listen_on(port), poll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
  if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &e) != 0) fail("epoll");
  run(poll_fd, listener);

  char last[512];
  write_counts(last, sizeof last);
  printf("%s\n", last);
  return 0;
}
