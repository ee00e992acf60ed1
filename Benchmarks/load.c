// load: the sender of the bench. Posts DoubleTick CALL_REJECTED events (about 500 bytes, each with a call id of its own
// and a changing customer) over keep-alive connections, and says as JSON on stdout what came back and how late.
//
//   load --url http://127.0.0.1:PORT/PATH --events N [--connections C] [--rate R] [--seconds S] [--customers K]
//
// Without --rate it is closed-loop: C connections, each sends its next event when the last is answered.
// With --rate it is open-loop: event i is due at start + i/R whatever the answers do, and its latency counts from that
// moment, also when no connection was free to send it then, so that a stall is seen by all whom it would have hit.
// It ends after N events or S seconds (60), waits 10 s at most for answers, and speaks to loopback addresses only.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { IN_MAX = 16 * 1024, OUT_MAX = 2048, CONNECTIONS_MAX = 4096, READY_MAX = 256, GRACE_SECONDS = 10 };
#define SECOND 1000000000ull

// The marks are overwritten in place for each event: C a call id, N a customer's number, T when the call ended.
#define MARK_CALL "CCCCCCCCCCCCCCCCCCCC"
#define MARK_CUSTOMER "NNNNNNNN"
#define MARK_TIME "TTTTTTTTTTTTTTTTTTTTTTTT"
static const char body[] =
    "{\"event\":\"CALL_REJECTED\",\"callId\":\"call_" MARK_CALL "\",\"chatMessageId\":\"msg_" MARK_CALL
    "\",\"chatId\":\"chat_abc123\",\"wabaNumber\":\"919000000000\",\"customerNumber\":\"9198" MARK_CUSTOMER
    "\",\"customerName\":\"Rohan Mehta\",\"customerId\":\"customer_" MARK_CUSTOMER
    "\",\"callDirection\":\"INCOMING\",\"callStatus\":\"REJECT\",\"failedReason\":\"\",\"durationInSeconds\":0,"
    "\"callStartedAt\":\"\",\"callEndedAt\":\"" MARK_TIME "\",\"pickedBy\":\"\",\"rejectedBy\":\"James Smith\","
    "\"endedBy\":\"\",\"recordingUrl\":\"\",\"deviceId\":\"device_abc123\"}";

typedef struct {
  int fd;
  bool busy;
  uint64_t due;  // when the event in flight should have been sent, in ns on the monotonic clock
  size_t out_length, held;
  char *calls[2], *customers[2], *time;  // the marks' places in `out`
  char out[OUT_MAX], in[IN_MAX];
} Connection;

static struct {
  struct sockaddr_in address;
  char host[64], path[512];
  uint64_t events, connections, rate, seconds, customers;
} options = {.connections = 64, .seconds = 60, .customers = 1000000};

static struct {
  uint64_t sent, answered, ok, duplicates, not_ok, lost;
  uint64_t started, last_answer;
  bool complained;
} counts;

static Connection *connections;
static uint32_t idle[CONNECTIONS_MAX];
static size_t idle_count;
static int poll_fd;
static uint32_t run_tag;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

// MARK: - Latencies: 128 buckets for each power of two, so that a value is known to within 0.8 %

enum { SUB_BITS = 7, SUB = 1 << SUB_BITS };
static uint64_t buckets[(64 - SUB_BITS + 1) * SUB], bucket_max;

static void record(uint64_t ns) {
  int shift = ns < SUB ? 0 : 63 - __builtin_clzll(ns) - SUB_BITS;
  buckets[(uint64_t)shift * SUB + (ns >> shift)] += 1;
  if (ns > bucket_max) bucket_max = ns;
}

// The value below or at which the given share of all recorded values lies, in milliseconds.
static double percentile(double share) {
  uint64_t total = 0, seen = 0;
  size_t n = sizeof buckets / sizeof *buckets;
  for (size_t i = 0; i < n; i++) total += buckets[i];
  for (size_t i = 0; i < n; i++) {
    seen += buckets[i];
    if (buckets[i] == 0 || (double)seen < share * (double)total) continue;
    size_t shift = i < 2 * SUB ? 0 : i / SUB - 1;
    uint64_t highest = ((uint64_t)(i - shift * SUB + 1) << shift) - 1;
    return (double)(highest < bucket_max ? highest : bucket_max) / 1e6;
  }
  return 0;
}

// MARK: - Requests

static void write_digits(char *to, int width, uint64_t value) {
  for (int i = width - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
}

static void write_time(char *to) {
  static time_t known;
  static char text[32];
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (t.tv_sec != known) {
    struct tm utc;
    known = t.tv_sec;
    gmtime_r(&known, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
  }
  memcpy(to, text, sizeof MARK_TIME - 1);
  write_digits(to + 20, 3, (uint64_t)t.tv_nsec / 1000000);
}

// Writes the request once; only the marks change afterwards.
static void prepare(Connection *c) {
  int n = snprintf(c->out, OUT_MAX,
                   "POST %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: load\r\nAccept: */*\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   options.path, options.host, ntohs(options.address.sin_port), sizeof body - 1, body);
  if (n < 0 || n >= OUT_MAX) fail("the path is too long");
  c->out_length = (size_t)n;
  char *text = c->out + (c->out_length - (sizeof body - 1));
  c->calls[0] = strstr(text, MARK_CALL);
  c->calls[1] = strstr(c->calls[0] + 1, "\"msg_") + 5;
  c->customers[0] = strstr(text, MARK_CUSTOMER);
  c->customers[1] = strstr(text, "\"customer_") + 10;
  c->time = strstr(text, MARK_TIME);
}

static void fill(Connection *c, uint64_t number) {
  char call[sizeof MARK_CALL];
  snprintf(call, sizeof call, "%08x", run_tag);
  write_digits(call + 8, 12, number);
  uint64_t customer = number * 7919 % options.customers;
  for (int i = 0; i < 2; i++) {
    memcpy(c->calls[i], call, sizeof MARK_CALL - 1);
    write_digits(c->customers[i], sizeof MARK_CUSTOMER - 1, customer);
  }
  write_time(c->time);
}

// MARK: - Connections

static void make_idle(Connection *c) {
  c->busy = false;
  c->held = 0;
  idle[idle_count++] = (uint32_t)(c - connections);
}

static void open_connection(Connection *c) {
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket");
  if (connect(c->fd, (struct sockaddr *)&options.address, sizeof options.address) != 0) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &e) != 0) fail("epoll_ctl");
  make_idle(c);
}

// The server is gone: what was in flight is lost (it may or may not have been taken), and a new connection opened.
static void lose(Connection *c) {
  close(c->fd);
  if (c->busy) {
    counts.lost += 1;
  } else {
    for (size_t i = 0; i < idle_count; i++) {
      if (idle[i] == (uint32_t)(c - connections)) idle[i] = idle[--idle_count];
    }
  }
  open_connection(c);
}

static void send_event(uint64_t number, uint64_t due) {
  Connection *c = &connections[idle[--idle_count]];
  fill(c, number);
  c->busy = true;
  c->due = due;
  counts.sent += 1;
  for (size_t at = 0; at < c->out_length;) {
    ssize_t n = send(c->fd, c->out + at, c->out_length - at, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) {
      lose(c);
      return;
    }
    at += n < 0 ? 0 : (size_t)n;
  }
}

// The status of a whole answer, 0 if more must come, -1 if it cannot be understood.
static int read_answer(Connection *c) {
  char *blank = memmem(c->in, c->held, "\r\n\r\n", 4);
  if (blank == NULL) return c->held == IN_MAX ? -1 : 0;
  if (c->held < 13 || strncmp(c->in, "HTTP/1.1 ", 9) != 0) return -1;
  int status = atoi(c->in + 9);
  size_t head = (size_t)(blank - c->in) + 4, length = 0;
  bool chunked = false;
  for (char *line = c->in; line < blank; line = (char *)memchr(line, '\n', c->held) + 1) {
    if (strncasecmp(line, "content-length:", 15) == 0) length = strtoull(line + 15, NULL, 10);
    if (strncasecmp(line, "transfer-encoding:", 18) == 0) chunked = true;
  }
  if (head + length > IN_MAX) return -1;
  if (chunked) return memcmp(c->in + c->held - 5, "0\r\n\r\n", 5) == 0 ? status : 0;
  return c->held >= head + length ? status : 0;
}

static void complain_once(Connection *c, int status) {
  if (counts.complained) return;
  counts.complained = true;
  fprintf(stderr, "load: first answer that is not 2xx (%d):\n%.*s\n", status, (int)c->held, c->in);
}

static void readable(Connection *c) {
  ssize_t n = recv(c->fd, c->in + c->held, IN_MAX - c->held, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0 || !c->busy) {
    lose(c);
    return;
  }
  c->held += (size_t)n;
  int status = read_answer(c);
  if (status == 0) return;
  if (status < 0) {
    lose(c);
    return;
  }
  counts.last_answer = now_ns();
  record(counts.last_answer > c->due ? counts.last_answer - c->due : 0);
  counts.answered += 1;
  if (status / 100 == 2) {
    counts.ok += 1;
    counts.duplicates += memmem(c->in, c->held, "\"duplicate\"", 11) != NULL ? 1 : 0;
  } else {
    counts.not_ok += 1;
    complain_once(c, status);
  }
  make_idle(c);
}

// MARK: - The run

static uint64_t due_time(uint64_t number) {
  return counts.started + (uint64_t)((double)number * 1e9 / (double)options.rate);
}

// Sends all that is due while there are free connections; in between the timer wakes for the next one.
static void send_due(int timer) {
  while (idle_count > 0 && counts.sent < options.events) {
    uint64_t now = now_ns(), due = options.rate == 0 ? now : due_time(counts.sent);
    if (due > now) {
      struct itimerspec at = {.it_value = {.tv_sec = (time_t)(due / SECOND), .tv_nsec = (long)(due % SECOND)}};
      if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) != 0) fail("timerfd_settime");
      return;
    }
    send_event(counts.sent, due);
  }
}

static void run(int timer) {
  struct epoll_event ready[READY_MAX];
  counts.started = now_ns();
  uint64_t end = counts.started + options.seconds * SECOND, limit = end + GRACE_SECONDS * SECOND;
  for (;;) {
    uint64_t now = now_ns();
    bool sending = now < end && counts.sent < options.events;
    if (sending) send_due(timer);
    if ((!sending && counts.answered + counts.lost >= counts.sent) || now >= limit) return;
    int n = epoll_wait(poll_fd, ready, READY_MAX, 100);
    for (int i = 0; i < n; i++) {
      Connection *c = ready[i].data.ptr;
      uint64_t ticks;
      if (c != NULL) {
        readable(c);
      } else if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) {
        fail("timer");
      }
    }
  }
}

static void report(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec);
  cpu += (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
  double seconds = counts.answered == 0 ? 0 : (double)(counts.last_answer - counts.started) / 1e9;
  printf("{\"mode\":\"%s\",\"rate\":%llu,\"connections\":%llu,\"events\":%llu,\"body_bytes\":%zu,",
         options.rate == 0 ? "closed" : "open", (unsigned long long)options.rate,
         (unsigned long long)options.connections, (unsigned long long)options.events, sizeof body - 1);
  printf("\"sent\":%llu,\"answered\":%llu,\"ok\":%llu,\"duplicates\":%llu,\"not_ok\":%llu,\"lost\":%llu,"
         "\"unanswered\":%llu,",
         (unsigned long long)counts.sent, (unsigned long long)counts.answered, (unsigned long long)counts.ok,
         (unsigned long long)counts.duplicates, (unsigned long long)counts.not_ok, (unsigned long long)counts.lost,
         (unsigned long long)(counts.sent - counts.answered - counts.lost));
  printf("\"seconds\":%.6f,\"per_second\":%.1f,\"cpu_us_per_event\":%.2f,", seconds,
         seconds > 0 ? (double)counts.answered / seconds : 0,
         counts.answered > 0 ? cpu * 1e6 / (double)counts.answered : 0);
  printf("\"latency_ms\":{\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"max\":%.3f}}\n", percentile(0.5),
         percentile(0.9), percentile(0.99), percentile(0.999), (double)bucket_max / 1e6);
}

// MARK: - Options

static void usage(const char *fault) {
  fprintf(stderr,
          "load: %s\nusage: load --url http://127.0.0.1:PORT/PATH --events N [--connections C] [--rate R] "
          "[--seconds S] [--customers K]\n",
          fault);
  exit(2);
}

static void read_url(const char *url) {
  int port = 0;
  if (sscanf(url, "http://%63[0-9.]:%d%511s", options.host, &port, options.path) != 3 || port < 1 || port > 65535)
    usage("--url wants http://127.0.0.1:PORT/PATH");
  options.address.sin_family = AF_INET;
  options.address.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, options.host, &options.address.sin_addr) != 1 ||
      ntohl(options.address.sin_addr.s_addr) >> 24 != 127)
    usage("--url may name a loopback address (127.…) only");
}

static void read_options(int argc, char **argv) {
  struct { const char *name; uint64_t *value; } numbers[] = {
      {"--events", &options.events}, {"--connections", &options.connections}, {"--rate", &options.rate},
      {"--seconds", &options.seconds}, {"--customers", &options.customers}};
  for (int i = 1; i + 1 < argc; i += 2) {
    bool known = strcmp(argv[i], "--url") == 0;
    if (known) read_url(argv[i + 1]);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
      if (strcmp(argv[i], numbers[k].name) != 0) continue;
      *numbers[k].value = strtoull(argv[i + 1], NULL, 10);
      known = true;
    }
    if (!known) usage(argv[i]);
  }
  if (argc % 2 == 0) usage("an option lacks its value");
  if (options.address.sin_port == 0) usage("--url is missing");
  if (options.events == 0) usage("--events is missing");
  if (options.connections < 1 || options.connections > CONNECTIONS_MAX) usage("--connections: 1 to 4096");
  if (options.customers < 1 || options.customers > 100000000) usage("--customers: 1 to 100000000");
  if (options.seconds < 1 || options.seconds > 86400) usage("--seconds: 1 to 86400");
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  run_tag = (uint32_t)(time(NULL) * 2654435761u) ^ (uint32_t)getpid();
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  connections = calloc(options.connections, sizeof *connections);
  if (poll_fd < 0 || timer < 0 || connections == NULL) fail("set-up");
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer, &e) != 0) fail("epoll_ctl");
  for (uint64_t i = 0; i < options.connections; i++) {
    prepare(&connections[i]);
    open_connection(&connections[i]);
  }
  run(timer);
  report();
  return counts.ok == counts.sent ? 0 : 1;
}
